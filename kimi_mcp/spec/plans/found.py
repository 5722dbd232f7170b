"""What was read of one task, before it is a draft."""

import re
from dataclasses import dataclass, field

from kimi_mcp.spec.entries import Operation
from kimi_mcp.spec.plans.draft import DraftFile

PATH_LINE = re.compile(r":\d+(?:[-,]\d+)*$")


@dataclass(slots=True)
class Facts:
    """What was read; *spent* lines said nothing else, *tied* ones speak of other tasks."""

    entries: list[DraftFile] = field(default_factory=list[DraftFile])
    weak: list[DraftFile] = field(default_factory=list[DraftFile])
    commands: list[str] = field(default_factory=list[str])
    manual: list[str] = field(default_factory=list[str])
    tied: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    produced: list[str] = field(default_factory=list[str])
    consumed: list[str] = field(default_factory=list[str])
    budget: int | None = None
    spent: set[int] = field(default_factory=set[int])

    @property
    def files(self) -> tuple[DraftFile, ...]:
        """The files, each once; an entry that says its operation wins over one that does not."""
        best: dict[str, DraftFile] = {}
        for entry in self.entries or self.weak:
            bare = PATH_LINE.sub("", entry.path)
            old = best.get(bare)
            is_better = old is None or (
                entry.operation is not None and old.operation in {None, Operation.READ}
            )
            if is_better and not (old and entry.operation is Operation.READ):
                best[bare] = entry
        return tuple(best.values())
