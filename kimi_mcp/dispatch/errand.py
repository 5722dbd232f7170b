"""What a runner is sent for, and what reviewers have amended of a task. Pure.

A dispatch begins with the errand to carry everything out. When it is over it can be taken up again:
interrupted tasks go on (`resume`), a task is worked on with a reviewer's words (`revise`), or is
only judged anew, without Kimi (`judge`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from kimi_mcp.spec.answers import TaskAnswer, apply
from kimi_mcp.spec.entries import FileEntry, read_file
from kimi_mcp.spec.model import Spec


class Purpose(StrEnum):
    """Why a runner is sent: for all tasks, what was interrupted, one task again, or its checks."""

    CARRY_OUT = "carry_out"
    RESUME = "resume"
    REVISE = "revise"
    JUDGE = "judge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a runner is sent for. Tasks that are not named are left as they are."""

    purpose: Purpose
    tasks: tuple[int, ...]
    feedback: str | None = None
    drop_files: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the JSON values that `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Errand":
        """Read what `to_json` wrote."""
        return cls(
            purpose=Purpose(values["purpose"]),
            tasks=tuple(values["tasks"]),
            feedback=values.get("feedback"),
            drop_files=tuple(values.get("drop_files", ())),
        )


def errand_of(values: Mapping[str, Any] | None, tasks: tuple[int, ...]) -> Errand:
    """Read the errand that a dispatch has; without one it is to carry all *tasks* out."""
    if values is None:
        return Errand(purpose=Purpose.CARRY_OUT, tasks=tasks)
    return Errand.from_json(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendments:
    """What reviewers changed of a task since its dispatch; the spec kept there is not rewritten."""

    files: tuple[str, ...] = ()  # entries of the file list, added to it
    verification: tuple[str, ...] | None = None  # instead of the task's

    def to_json(self) -> dict[str, Any]:
        """Return the JSON values that `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Amendments":
        """Read what `to_json` wrote; nothing at all is no amendment."""
        verification = values.get("verification")
        return cls(
            files=tuple(values.get("files", ())),
            verification=None if verification is None else tuple(verification),
        )

    def entries(self) -> tuple[FileEntry, ...]:
        """Parse the file entries that a reviewer has added to the task's list."""
        return tuple(read_file(text) for text in self.files)


def amended(spec: Spec, amendments: Mapping[int, Amendments]) -> Spec:
    """Return *spec* as its tasks are judged now.

    Raises:
        SpecInvalid: a verification command is none.
    """
    for number, change in amendments.items():
        answer = TaskAnswer(task=number, verification=change.verification)
        spec = apply(spec, [answer], exists=lambda _: True)
        task = spec.task(number)
        files = (*task.files, *change.entries())
        others = tuple(
            replace(task, files=files) if other.number == number else other for other in spec.tasks
        )
        spec = replace(spec, tasks=others)
    return spec
