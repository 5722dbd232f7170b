"""The kernel's fence around one job: what it may read and write, whom it may signal.

Put up by the launcher between fork and exec, so that the launcher itself and the runner stay
outside, where the job can neither signal nor trace them. Landlock (Linux) and Seatbelt (macOS) come
with nono 0.16; where Linux lets us make namespaces too, they close what Landlock leaves open.

Only the fork server and its launchers import this module.
"""

import importlib
import importlib.util
import os
import sys
import types
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from nono_py import CapabilitySet

#: Devices that every program takes for granted.
DEVICES = (
    "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx",
    "/dev/pts",
)  # fmt: skip
SHARED_MEMORY = "/dev/shm"  # noqa: S108  a private one: `namespaces`


class Wish(TypedDict):
    """What a job may touch. Paths are absolute; those that do not exist are passed over."""

    read: list[str]
    write: list[str]
    hidden: list[str]
    cut_network: bool
    is_required: bool


class Report(TypedDict):
    """What really stands around a job."""

    is_active: bool
    is_sealed: bool  # read-only mounts too: modes, owners and times, and services' sockets
    is_network_cut: bool
    why: str  # what is missing and why; empty when nothing is


class Unavailable(Exception):
    """There is no fence on this machine; the text says why."""


class Fence:
    """A fence that can be put up around the calling process."""

    def __init__(self, wish: Wish) -> None:
        """Prepare it.

        Raises:
            Unavailable: the library or the kernel has none.
        """
        self._nono = _load_nono()
        support = self._nono.support_info()
        if not support.is_supported:
            raise Unavailable(support.details)
        self._writable = [path for path in wish["write"] if os.path.isdir(path)]  # noqa: PTH112
        self._hidden = wish["hidden"]
        self._read = wish["read"]
        self._write = wish["write"]
        self._is_network_cut = wish["cut_network"]
        self._is_sealed = self._can_seal()
        missing = ""
        if not self._is_sealed:
            missing = "this system allows no mount namespace"
            if self._is_network_cut:
                missing += ", so the network stays on"
            self._is_network_cut = False
        self.report: Report = {
            "is_active": True,
            "is_sealed": self._is_sealed,
            "is_network_cut": self._is_network_cut,
            "why": missing,
        }

    def enter(self) -> None:
        """Put it up around this process, for good.

        Raises:
            OSError: a namespace was refused.
            RuntimeError: nono could not put it up.
        """
        if sys.platform == "linux":
            from kimi_mcp.processes import namespaces  # noqa: PLC0415  Linux only

            if self._is_sealed:
                namespaces.enter(
                    writable=self._writable, hidden=self._hidden, cut_network=self._is_network_cut
                )
            namespaces.drop_capabilities()
        self._nono.apply(self._capabilities())

    def _can_seal(self) -> bool:
        if sys.platform != "linux":
            return False
        from kimi_mcp.processes import namespaces  # noqa: PLC0415  Linux only

        return namespaces.possible(
            writable=self._writable, hidden=self._hidden, cut_network=self._is_network_cut
        )

    def _capabilities(self) -> "CapabilitySet":
        nono = self._nono
        allowed = nono.CapabilitySet()
        shared = [SHARED_MEMORY] if self._is_sealed else []
        for paths, mode in (
            (self._read, nono.AccessMode.READ),
            ([*self._write, *DEVICES, *shared], nono.AccessMode.READ_WRITE),
        ):
            for path in paths:
                if os.path.isdir(path):  # noqa: PTH112
                    allowed.allow_path(path, mode)
                elif os.path.exists(path):  # noqa: PTH110
                    allowed.allow_file(path, mode)
        return allowed


def preload() -> None:
    """Load all that a fence needs.

    Raises:
        Unavailable: nono is not installed, or not for this system.
    """
    _load_nono()
    if sys.platform == "linux":
        importlib.import_module("kimi_mcp.processes.namespaces")


def _load_nono() -> Any:
    """Load nono's native module without its package, whose own imports cost 0.1 s (nono 0.16).

    Raises:
        Unavailable: it is not installed, or not for this system.
    """
    try:
        spec = importlib.util.find_spec("nono_py")
        if spec is None or spec.submodule_search_locations is None:
            raise Unavailable("nono-py is not installed")
        bare = types.ModuleType("nono_py")
        bare.__path__ = list(spec.submodule_search_locations)
        bare.__spec__ = spec  # by which it is found again
        sys.modules.setdefault("nono_py", bare)
        from nono_py import _nono_py  # noqa: PLC0415  only after the line above
    except ImportError as error:
        raise Unavailable(f"nono-py cannot be loaded: {error}") from error
    else:
        return _nono_py
