"""What a program's output tells of the fence: a read that it refused, a network that is not there.

Pure. The kernel says nothing to us about what it refused (Landlock's audit log is root's), so this
reads what programs print: enough to name the setting, never a promise.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from kimi_mcp.processes.confinement import Confinement

_DENIED = re.compile(r"(?i)EACCES|EROFS|permission denied|operation not permitted|read-only file")
_PATH = re.compile(r"(?<![\w.])/[\w.@+~-]+(?:/[\w.@+~-]+)*")
_OFFLINE = re.compile(
    r"EAI_AGAIN|ENOTFOUND|ENETUNREACH|(?i:network is unreachable|name resolution"
    r"|could not resolve host|no such host|name or service not known)"
)


def explained(output: str, confinement: Confinement | None, host: Mapping[str, str]) -> str | None:
    """Say which part of the fence *output* complains of, and the setting that opens it."""
    if confinement is None:
        return None
    for line in output.splitlines():
        if _DENIED.search(line):
            for path in _PATH.findall(line):
                if not _is_within(path, (*confinement.read, *confinement.write)):
                    return (
                        f"The fence refused {_short(path, host)}; if the work needs it, the user "
                        "can list it in allow_read (or allow_write) in kimi-mcp.toml."
                    )
    if confinement.cut_network and _OFFLINE.search(output):
        return (
            "Checks have no network but loopback; the user can set check_network = "
            '"open" in kimi-mcp.toml.'
        )
    return None


def _is_within(path: str, folders: tuple[str, ...]) -> bool:
    return any(Path(path).is_relative_to(folder) for folder in folders)


def _short(path: str, host: Mapping[str, str]) -> str:
    home = host.get("HOME", "")
    return f"~{path.removeprefix(home)}" if home and Path(path).is_relative_to(home) else path
