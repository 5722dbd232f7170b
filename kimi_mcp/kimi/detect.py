"""Find the Kimi to use and judge it, once per program and not once per start.

Looked for in this order: `KIMI_MCP_KIMI`, `kimi` on PATH, our private installation. The first one
found is judged; an unusable one is refused, never passed over in silence. The surprising fact: Kimi
is never started without arguments, for one release then downloads and runs an installer. It is
asked for its version first; only a legacy one that is alive is given a trial without a model.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kimi_mcp.kimi import legacy
from kimi_mcp.kimi.command import Turn
from kimi_mcp.kimi.dialect import DialectName
from kimi_mcp.kimi.dialects import DIALECTS
from kimi_mcp.kimi.identify import (
    INSTALL,
    check_trial,
    recognise,
    release,
    tells_version,
    unusable,
)
from kimi_mcp.kimi.install import main_script
from kimi_mcp.kimi.node import named_nodes, node_command, suitable_node
from kimi_mcp.kimi.probe import ask
from kimi_mcp.processes.environment import passed_on
from kimi_mcp.state import StateFolder

NAMED_BY = "KIMI_MCP_KIMI"

_SCRIPTS = frozenset({".mjs", ".js", ".cjs"})
_NO_SURPRISES = {
    "KIMI_CODE_NO_AUTO_UPDATE": "1",
    "KIMI_CLI_NO_AUTO_UPDATE": "1",
    "KIMI_DISABLE_TELEMETRY": "1",
}
_TRIAL_LIMIT_BYTES = 2_000_000  # its traceback has every local variable in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Kimi:
    """A usable Kimi."""

    argv: tuple[str, ...]
    """What Kimi's own arguments are appended to; always absolute."""
    version: str
    dialect: DialectName
    executable: Path
    """What was found: the file that a person would recognise."""


def detect_kimi(state: StateFolder, *, environ: Mapping[str, str] = os.environ) -> Kimi:
    """Find a Kimi that we can run; later calls cost a few stats while no file involved changed.

    After it a Kimi that Node runs starts with a warm compile cache.

    Raises:
        KimiUnusable: there is none, or the one found is not usable; with the exact remedy.
    """
    program = find_kimi(state, environ)
    env = passed_on(environ) | _NO_SURPRISES
    memory = state.cache / "kimi.json"
    involved = [program, *named_nodes(env)]
    if known := _recall(memory, involved=involved, state=state):
        return known
    state.cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    kimi = _judge(program, state=state, env=env)
    _remember(memory, kimi, involved=involved, state=state)
    return kimi


def find_kimi(state: StateFolder, environ: Mapping[str, str] = os.environ) -> Path:
    """Find the Kimi that would be used, without starting it: it may still be unusable.

    Raises:
        KimiUnusable: there is none; with the remedy.
    """
    if named := environ.get(NAMED_BY):
        program = Path(named).expanduser().absolute()
        if not program.is_file():
            raise unusable(
                f"{NAMED_BY} names {program}, which is no file.",
                "Correct it, or unset it to use the `kimi` on PATH.",
            )
        return program
    if on_path := shutil.which("kimi", path=environ.get("PATH", "")):
        return Path(on_path).absolute()
    if private := _private(state.kimi_install):
        return private
    raise unusable(
        f"No Kimi found: {NAMED_BY} is not set, there is no `kimi` on PATH.",
        f"Install Kimi Code ({INSTALL} with Node 22.19 or newer), then run `kimi login`.",
    )


def _private(folder: Path) -> Path | None:
    """Find the newest version in our own installation."""
    installed = {
        numbers: main_script(folder, version=entry.name)
        for entry in (folder.iterdir() if folder.is_dir() else ())
        if (numbers := release(entry.name))
    }
    whole = {numbers: main for numbers, main in installed.items() if main.is_file()}
    return whole[max(whole)] if whole else None


def _judge(program: Path, *, state: StateFolder, env: Mapping[str, str]) -> Kimi:
    real = program.resolve()
    if real.suffix in _SCRIPTS:
        node = suitable_node(cwd=state.cache, env=env, script=real)
        argv = node_command(node, real, compile_cache=state.compile_cache)
    elif os.access(program, os.X_OK):
        argv = (str(program),)
    else:
        raise unusable(f"{program} is not executable.", f"Run: chmod +x {program}")
    try:
        answer = ask([*argv, "--version"], cwd=state.cache, env=env, is_enough=tells_version)
    except OSError as error:
        raise unusable(
            f"{program} cannot be started: {error.strerror}.", f"Install it anew: {INSTALL}"
        ) from error
    dialect, version = recognise(answer, program=program)
    if dialect == "legacy":
        _try_legacy(argv, program=program, state=state, env=env)
    return Kimi(argv=argv, version=version, dialect=dialect, executable=program)


def _try_legacy(
    argv: tuple[str, ...], *, program: Path, state: StateFolder, env: Mapping[str, str]
) -> None:
    with tempfile.TemporaryDirectory(dir=state.cache, prefix=".trial-") as name:
        home = Path(name)
        for file, text in legacy.home_files(guidance=None, has_agents=False).items():
            (home / file).write_text(text or "", encoding="utf-8")
        turn = Turn(prompt="Trial", home=home, steps=1, attempts=1, session_id=legacy.new_session())
        answer = ask(
            legacy.arguments(argv, turn),
            cwd=home,
            env=legacy.environment(env, {}, turn),
            limit_bytes=_TRIAL_LIMIT_BYTES,
        )
    check_trial(answer, program=program)


def _recall(memory: Path, *, involved: list[Path], state: StateFolder) -> Kimi | None:
    """Read what was found last time, if every file it depended on is still the same."""
    try:
        kept: Any = json.loads(memory.read_bytes())
        found: Any = kept["kimi"]
        if found["dialect"] not in DIALECTS:
            return None
        kimi = Kimi(
            argv=tuple(str(word) for word in found["argv"]),
            version=str(found["version"]),
            dialect=found["dialect"],
            executable=Path(found["executable"]),
        )
        is_same = kept["depends_on"] == _identities(kimi, involved=involved, state=state)
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return kimi if is_same else None


def _remember(memory: Path, kimi: Kimi, *, involved: list[Path], state: StateFolder) -> None:
    found = asdict(kimi) | {"executable": str(kimi.executable)}
    depends_on = _identities(kimi, involved=involved, state=state)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=memory.parent, prefix=".kimi-", delete=False
    ) as file:
        json.dump({"kimi": found, "depends_on": depends_on}, file)
    Path(file.name).replace(memory)


def _identities(kimi: Kimi, *, involved: Iterable[Path], state: StateFolder) -> list[list[object]]:
    """Identify the program, every Node that could run it, and the one that does.

    The state folder's path is part of it: Kimi's argv names Node's compile cache in there.
    """
    return [[str(state.root)], *(_identity(file) for file in [*involved, Path(kimi.argv[0])])]


def _identity(file: Path) -> list[object]:
    real = file.resolve()
    seen = real.stat()
    return [str(file), str(real), seen.st_size, seen.st_mtime_ns, seen.st_ino]
