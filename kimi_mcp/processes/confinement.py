"""What a program may touch, as its starter wishes it, and what then really stands around it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kimi_mcp.processes.fence import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """Absolute paths of files and folders; what does not exist is passed over."""

    read: tuple[str, ...]
    write: tuple[str, ...]
    hidden: tuple[str, ...] = ()
    """Covered where the kernel can, inside of what may be read too."""
    cut_network: bool = False
    """Leave only loopback, where the kernel can."""
    is_required: bool = False
    """Do not start the program without a fence."""

    def wish(self) -> "Wish":
        """Return it as the launcher reads it."""
        return {
            "read": list(self.read),
            "write": list(self.write),
            "hidden": list(self.hidden),
            "cut_network": self.cut_network,
            "is_required": self.is_required,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The fence that stands around a program."""

    is_active: bool
    is_sealed: bool
    is_network_cut: bool
    why: str

    @property
    def gaps(self) -> str:
        """What is missing, as a sentence; empty when nothing is."""
        if not self.is_active:
            return f"No fence: {self.why}."
        return f"Fence with gaps: {self.why}." if self.why else ""

    @classmethod
    def from_report(cls, report: Mapping[str, Any] | None) -> "Standing | None":
        """Read the launcher's report."""
        return None if report is None else cls(**report)
