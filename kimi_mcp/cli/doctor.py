"""Is everything here that a dispatch needs? One line a link: state, evidence, remedy."""

import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kimi_mcp import __version__
from kimi_mcp.dispatch.switching import kimi_config
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import KimiMcpError
from kimi_mcp.kimi.detect import detect_kimi
from kimi_mcp.profiles.source import read_config
from kimi_mcp.settings import config_file
from kimi_mcp.workspace.repository import git_version

OLDEST_GIT = (2, 38)  # `merge-tree --write-tree`
LEAST_FREE_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One link of the chain."""

    name: str
    is_good: bool
    evidence: str

    @property
    def line(self) -> str:
        """The link on one line."""
        return f"{'ok  ' if self.is_good else 'BAD '} {self.name:<14} {self.evidence}"


def examine(bench: Workbench) -> list[Finding]:
    """Look at every link; nothing is changed and no step is spent."""
    return [
        Finding(
            name="kimi-mcp",
            is_good=True,
            evidence=f"{__version__}, Python {platform.python_version()}",
        ),
        *_links(bench),
    ]


def _links(bench: Workbench) -> Iterator[Finding]:
    links: tuple[tuple[str, Callable[[Workbench], str]], ...] = (
        ("settings", _settings),
        ("state folder", _state),
        ("git", _git),
        ("Kimi", _kimi),
        ("Kimi's config", _config),
        ("Claude Code", _claude),
    )
    for name, look in links:
        try:
            yield Finding(name=name, is_good=True, evidence=look(bench))
        except KimiMcpError as error:
            yield Finding(name=name, is_good=False, evidence=str(error))


def _settings(bench: Workbench) -> str:
    settings = bench.settings()
    file = config_file(bench.environ)
    return f"{file} ({'read' if file.exists() else 'absent'}), profile {settings.profile}"


def _state(bench: Workbench) -> str:
    free_bytes = shutil.disk_usage(bench.state.root).free
    if free_bytes < LEAST_FREE_BYTES:
        raise KimiMcpError(f"{bench.state.root} has only {free_bytes // 10**6} MB free; make room.")
    return f"{bench.state.root}, {free_bytes // 10**9} GB free"


def _git(_: Workbench) -> str:
    version = git_version()
    numbers = tuple(int(part) for part in version.split(".")[:2])
    if numbers < OLDEST_GIT:
        raise KimiMcpError(f"{version} is too old to merge results; install git 2.38 or newer.")
    return version


def _kimi(bench: Workbench) -> str:
    kimi = detect_kimi(bench.state, environ=bench.environ)
    name = "kimi-cli (legacy)" if kimi.dialect == "legacy" else "Kimi Code"
    return f"{name} {kimi.version}, {kimi.executable}"


def _config(bench: Workbench) -> str:
    _, file = kimi_config(bench)
    config = read_config(file)
    if not config.get("default_model") and "KIMI_MODEL_NAME" not in bench.environ:
        raise KimiMcpError(f"{file} names no default model; run `kimi login`.")
    return f"{file}, model {config.get('default_model', 'from the environment')}"


def _claude(bench: Workbench) -> str:
    found = shutil.which("claude", path=bench.environ.get("PATH"))
    if found is None:
        return "not on PATH (needed only where you want to use it)"
    return f"{found}; register with: claude mcp add kimi -- kimi-mcp"
