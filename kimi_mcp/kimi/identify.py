"""Tell from what a program answers which Kimi it is, and whether we can use it. Pure.

Two products are called `kimi`; the older one ended with a release that exits 0 and does nothing.
Every refusal says what was found where, and the remedy.
"""

import re
from pathlib import Path

from kimi_mcp.errors import KimiUnusable
from kimi_mcp.kimi.dialect import DialectName
from kimi_mcp.kimi.probe import LIMIT_S, Answer

OLDEST = (0, 38, 0)
OLDEST_NODE = (22, 19, 0)  # Kimi Code 2.1.0's package.json, engines
_NPM = "npm install -g @moonshot-ai/kimi-code"
INSTALL = f"`kimi-mcp setup --kimi`, or {_NPM}"

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:[-+]\S*)?")
_LEGACY = re.compile(r"kimi, version (\S+)")
_TOMBSTONE = (1, 52, 0)
_FRAMES = re.compile("[\u2500-\u257f]+")  # drawn around a traceback
_LEGACY_WITHOUT_MODEL = "LLM not set"
_QUOTED_CHARS = 200


def release(version: str) -> tuple[int, int, int] | None:
    """Read the three numbers of a version such as `2.1.0` or `v24.19.0`; None: it is none."""
    match = _VERSION.fullmatch(version.strip())
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def unusable(found: str, remedy: str) -> KimiUnusable:
    """Build the refusal: what was found where, and what now."""
    return KimiUnusable(f"kimi_unusable: {found} {remedy}")


def tells_version(text: str) -> bool:
    """Tell whether a program that said *text* has told which Kimi it is."""
    return bool(_LEGACY.search(text)) or any(map(release, text.splitlines()))


def recognise(answer: Answer, *, program: Path) -> tuple[DialectName, str]:
    """Return dialect and version of the Kimi that gave *answer* to `--version`.

    Raises:
        KimiUnusable: it is no Kimi, or one that we cannot drive.
    """
    if answer.exit_code is None and not tells_version(answer.text):
        raise unusable(
            f"{program} did not end when asked for its version ({LIMIT_S:.0f} s, 64 KB at most).",
            f"Run `{program} --version` in a terminal, or set KIMI_MCP_KIMI to another Kimi Code.",
        )
    if legacy := _LEGACY.search(answer.text):
        return "legacy", _legacy_version(legacy[1], program=program)
    if "SyntaxError" in answer.text and "node:" in answer.text:
        raise unusable(
            f"{program} runs under a Node older than 22.19.",
            "Install a newer Node, or set KIMI_MCP_KIMI to Kimi Code's dist/main.mjs and run: "
            "pip install 'kimi-mcp[kimi]'",
        )
    version = next((line for line in answer.text.splitlines() if release(line)), "").strip()
    numbers = release(version)
    if numbers is None or answer.exit_code:
        raise unusable(
            f"{program} is not Kimi Code: asked for its version it ended with exit code "
            f"{answer.exit_code} and said: {_said(answer)}.",
            f"Install Kimi Code ({INSTALL}) and set KIMI_MCP_KIMI to it.",
        )
    if numbers < OLDEST:
        raise unusable(
            f"{program} is Kimi Code {version}; kimi-mcp needs 0.38 or newer.",
            f"Run: {_NPM}@latest",
        )
    return "code", version


def check_trial(answer: Answer, *, program: Path) -> None:
    """Judge a trial run of the legacy CLI without any model: it must get as far as missing one.

    `--version` works where nothing else does: 1.51 dies of its own code on an early Python 3.12.

    Raises:
        KimiUnusable: it did not get so far.
    """
    if _LEGACY_WITHOUT_MODEL not in answer.text:
        how = "did not end" if answer.exit_code is None else f"ended with {answer.exit_code}"
        raise unusable(
            f"{program} cannot run a prompt; a trial without a model {how}, saying last: "
            f"{_said(answer)}.",
            f"kimi-cli 1.51 needs Python 3.13; better install its successor Kimi Code ({INSTALL}).",
        )


def _legacy_version(version: str, *, program: Path) -> str:
    numbers = release(version)
    if numbers is None or numbers >= _TOMBSTONE:
        raise unusable(
            f"{program} is kimi-cli {version}: the discontinued last release, which does nothing.",
            f"Install its successor Kimi Code ({INSTALL}), then `kimi login`; if this one is still "
            "found first, set KIMI_MCP_KIMI to the new one.",
        )
    return version


def _said(answer: Answer) -> str:
    return " ".join(_FRAMES.sub(" ", answer.text).split())[-_QUOTED_CHARS:] or "nothing"
