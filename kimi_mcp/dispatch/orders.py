"""What a runner works by: limits, commands and the Kimi to use, fixed when the dispatch was made.

Stored with the dispatch, so a change of the settings never reaches a running one, and the runner
needs neither the settings nor the library that validates them.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, TypeAlias

from kimi_mcp.kimi.dialect import DialectName

FenceLevel: TypeAlias = Literal["required", "auto", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Everything but the spec. Durations are seconds."""

    kimi_argv: tuple[str, ...]
    kimi_version: str
    kimi_home: str  # the user's own, for credentials and the provider's configuration
    tasks: tuple[int, ...]
    steps: int  # a task's limit, 0 for none
    tool_timeout_ms: int
    thinking: bool
    model: str | None
    subagents: bool
    max_parallel: int
    branch_prefix: str
    setup: tuple[str, ...]
    attempts: int
    task_s: float
    silence_s: float
    check_s: float
    setup_s: float
    grace_s: float
    kimi_dialect: DialectName = "code"
    fan_out: Literal["processes", "swarm"] = "processes"
    tool_s: float = 900.0
    retries: int = 12
    free_bytes: int = 0
    clones_days: int = 14  # how long clones of other dispatches stay, at least
    history_days: int = 0  # how long dispatches keep their steps; 0: for ever
    history_bytes: int = 0  # how large the history may grow with them; 0: as it likes
    kimis: int = 0  # at once on this machine; 0: by its memory
    fence: FenceLevel = "auto"
    is_check_network_cut: bool = True
    bring: tuple[str, ...] = ()  # files of the checkout that git does not hold
    allow_read: tuple[str, ...] = ()  # absolute
    allow_write: tuple[str, ...] = ()
    caches: str | None = None  # of the tools, this repository's own; nothing: the task's
    kimi_files: tuple[str, ...] = ()  # what Kimi's own programs read besides themselves
    kimi_keys: Mapping[str, Any] = field(default_factory=dict[str, Any])  # of its configuration
    cluster: Mapping[str, Any] | None = None  # what is asked of other machines, as JSON values

    def to_json(self) -> dict[str, Any]:
        """Return the JSON values that `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Orders":
        """Read what `to_json` wrote; keys of a newer version are passed over."""
        known: dict[str, Any] = {
            item.name: values[item.name] for item in fields(cls) if item.name in values
        }
        for name in (
            "kimi_argv",
            "tasks",
            "setup",
            "bring",
            "allow_read",
            "allow_write",
            "kimi_files",
        ):
            known[name] = tuple(known.get(name, ()))
        return cls(**known)

    def step_budget(self, *wishes: int | None) -> int:
        """Return a task's limit: the profile's, lowered by what spec and task wish. 0: none."""
        return min((limit for limit in (self.steps, *wishes) if limit), default=0)
