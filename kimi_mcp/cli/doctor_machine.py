"""doctor's look at this machine: ourselves, the settings, our files, git, the fence, the clock."""

import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import kimi_mcp
from kimi_mcp.claude.packaged import own_command
from kimi_mcp.cli.finding import Finding, bad, note, ok
from kimi_mcp.dispatch.planning.project import FILE_NAME, project_from, project_text
from kimi_mcp.errors import KimiMcpError
from kimi_mcp.history.history import History
from kimi_mcp.history.store import SALVAGE
from kimi_mcp.processes.trial import try_fence
from kimi_mcp.settings import Settings, config_file
from kimi_mcp.state import StateFolder
from kimi_mcp.workspace.repository import git_version, locate

OLDEST_GIT = (2, 38)  # `merge-tree --write-tree`
_SKEW = timedelta(minutes=5)


def ourselves(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Which installation this is, and whether the one on PATH is another."""
    where = Path(kimi_mcp.__file__).parent
    yield ok(f"{kimi_mcp.__version__}, Python {platform.python_version()}, {where}")
    on_path = shutil.which("kimi-mcp", path=environ.get("PATH", ""))
    own = Path(own_command(environ)[0]).resolve()
    if on_path and Path(on_path).resolve() != own and own.name == "kimi-mcp":
        yield note(
            f"`kimi-mcp` on PATH is another installation: {on_path}",
            f"Upgrade it or remove it; this one is {sys.prefix}.",
        )


def settings(environ: Mapping[str, str]) -> Iterator[Finding]:
    """The user's settings, and those of the repository around."""
    found = Settings.load(environ)
    file = config_file(environ)
    yield ok(f"profile {found.profile}; {file}{'' if file.exists() else ' (absent: defaults)'}")


def project(environ: Mapping[str, str], folder: Path) -> Iterator[Finding]:
    """The repository around a folder, and what it asks for."""
    users = Settings.load(environ)
    try:
        repository = locate(folder)
    except KimiMcpError:
        yield note("no repository with a commit around the current folder")
        return
    file = repository.root / FILE_NAME
    if file.exists():
        project_from(project_text(file, within=repository.root), users=users)
    yield ok(f"{repository.root}{f', with {FILE_NAME}' if file.exists() else ''}")


def state(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Our own folder and the history in it."""
    folder = StateFolder.locate(environ)
    probe = folder.root / ".doctor"
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        yield bad(
            f"{folder.root} cannot be written: {error.strerror}",
            "Correct its owner and mode, or name another folder in KIMI_MCP_HOME.",
        )
        return
    faults = History.open(folder.history_db).damage()
    if faults:
        yield bad(f"{folder.history_db} is damaged: {'; '.join(faults)}", SALVAGE)
        return
    yield ok(str(folder.root))


def disk(environ: Mapping[str, str]) -> Iterator[Finding]:
    """What is free where clones are made."""
    root = StateFolder.named(environ).root
    there = next(one for one in (root, *root.parents) if one.exists())
    free = shutil.disk_usage(there).free
    if free < Settings.load(environ).limits.free_bytes:
        yield bad(
            f"{free / 10**9:.1f} GB are free beside {root}, less than limits.free_bytes",
            "Make room (`kimi-mcp clean`), or lower the limit.",
        )
    else:
        yield ok(f"{free / 10**9:.1f} GB free")


def git() -> Finding:
    """Git's version."""
    version = git_version()
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST_GIT:
        return bad(f"{version} cannot merge without a checkout", "Install git 2.38 or newer.")
    has_lfs = shutil.which("git-lfs") is not None
    return ok(f"{version}, {'with' if has_lfs else 'without'} git-lfs")


def fence(environ: Mapping[str, str]) -> Iterator[Finding]:
    """What the fence really does here, tried."""
    level = Settings.load(environ).fence
    if level == "off":
        yield note("off: Kimi, setup and checks run with all your rights", 'Set fence = "auto".')
        return
    try:
        standing, tried = try_fence(environ)
    except KimiMcpError as error:
        standing, tried = None, None
        why = str(error)
    else:
        why = f"it does not hold here: {tried}"
    if standing is None or tried is None or not tried.holds:
        remedy = "Linux 5.13 or newer with Landlock, or macOS, has what it needs."
        told = f"{level}; tried, and nothing is confined: {why}"
        yield bad(told, remedy) if level == "required" else note(told, remedy)
        return
    kept = {
        "reads and writes outside": True,
        "modes and owners outside": not tried.can_change_modes_outside,
        "signals": not tried.can_signal_outside,
        "the network of checks": tried.has_only_loopback and tried.has_loopback,
    }
    good = ", ".join(name for name, is_kept in kept.items() if is_kept)
    yield ok(f"{level}; tried, it stops {good}")
    missing = ", ".join(name for name, is_kept in kept.items() if not is_kept)
    if missing:
        yield note(f"not stopped: {missing} ({standing.why or 'this kernel cannot'})")


def clock(environ: Mapping[str, str], now: datetime) -> Finding:
    """Whether the clock is behind what has certainly happened."""
    marks = {"kimi-mcp was installed": Path(kimi_mcp.__file__)}
    runs = StateFolder.named(environ).root / "runs"
    if runs.is_dir():
        marks |= {f"{run.name} was at work": run for run in runs.iterdir()}
    for what, file in marks.items():
        at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        if at > now + _SKEW:
            return bad(
                f"it is {now:%Y-%m-%d %H:%M} UTC, but {what} at {at:%Y-%m-%d %H:%M} UTC",
                "Set the clock; logins and certificates fail with a wrong one.",
            )
    return ok(f"{now:%Y-%m-%d %H:%M} UTC")
