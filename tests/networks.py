"""Networks of their own for machines on this one: namespaces on a bridge, with cables to pull.

Needs root and iproute2. The bridge is reached from here under `HOME`.
"""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

HOME = "10.213.77.1"
_LOCK = Path(tempfile.gettempdir(), "kimi-mcp-networks.lock")
_BRIDGE = "kimi-mcp-br"


@dataclass(slots=True)
class Networks:
    """The bridge, and what hangs on it."""

    names: list[str] = field(default_factory=list[str])
    #: Their names are the machine's: those of one process at a time.
    _lock: FileLock = field(default_factory=lambda: FileLock(_LOCK))

    def begin(self) -> None:
        """Make the bridge, when nobody else has one any more."""
        self._lock.acquire()
        self._clear()  # what a run that was killed has left
        _ip("link", "add", _BRIDGE, "type", "bridge")
        _ip("addr", "add", f"{HOME}/24", "dev", _BRIDGE)
        _ip("link", "set", _BRIDGE, "up")

    def add(self, name: str) -> str:
        """Make the network of a machine; return its address."""
        self.names.append(name)
        address = f"{HOME.rpartition('.')[0]}.{len(self.names) + 1}"
        within = "-n", _space(name)
        _ip("netns", "add", _space(name))
        _ip("link", "add", _cable(name), "type", "veth", "peer", "eth0", "netns", _space(name))
        _ip("link", "set", _cable(name), "master", _BRIDGE, "up")
        _ip(*within, "addr", "add", f"{address}/24", "dev", "eth0")
        _ip(*within, "link", "set", "eth0", "up")
        _ip(*within, "link", "set", "lo", "up")
        _ip(*within, "route", "add", "default", "via", HOME)
        return address

    def within(self, name: str) -> list[str]:
        """Return what a command begins with that runs in a machine's network."""
        return ["nsenter", f"--net=/run/netns/{_space(name)}", "--"]

    def cut(self, name: str) -> None:
        _ip("link", "set", _cable(name), "down")

    def heal(self, name: str) -> None:
        _ip("link", "set", _cable(name), "up")

    def end(self) -> None:
        """Take all of it away."""
        self._clear()
        self._lock.release()

    def _clear(self) -> None:
        for space in [one.name for one in Path("/run/netns").glob(f"{_space('')}*")]:
            _ip("netns", "del", space)
        for cable in Path("/sys/class/net").glob(f"{_cable('')}*"):
            _ip("link", "del", cable.name, is_checked=False)  # it may go with its namespace
        _ip("link", "del", _BRIDGE, is_checked=False)


def may_have_networks() -> bool:
    """Whether this machine lets us make any."""
    if shutil.which("ip") is None:
        return False
    probe = "kimi-mcp-try"
    done = subprocess.run(["ip", "netns", "add", probe], check=False, capture_output=True)
    if done.returncode == 0:
        _ip("netns", "del", probe)
    return done.returncode == 0


def _space(name: str) -> str:
    return f"kimi-mcp-{name}"


def _cable(name: str) -> str:
    return f"km-{name}"


def _ip(*arguments: str, is_checked: bool = True) -> None:
    subprocess.run(["ip", *arguments], check=is_checked, capture_output=True)
