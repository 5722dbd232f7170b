"""Whether to delegate a spec: the rule of thumb, said with its numbers. Pure.

The rule is the article's: one or two files and fewer than about 50 lines are done sooner by
oneself, three files or more than about 100 lines are worth delegating, and nothing is while
questions are open. Lines are counted where the plan writes code: nothing else says how long a
change will be.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from kimi_mcp.quoting.quotes import counted
from kimi_mcp.spec.model import Spec

FEW_FILES = 2
SHORT_LINES = 50
LONG_LINES = 100

_FENCE = re.compile(r"^([ \t]*)(`{3,}|~{3,})[^\n]*\n(.*?)^\1\2", re.MULTILINE | re.DOTALL)


class Advice(StrEnum):
    """Who is advised to carry a spec out, or that it is not ready."""

    YOURSELF = "yourself"
    DELEGATE = "delegate"
    EITHER = "either"
    NOT_YET = "not yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """The advice, and the figures that it rests on."""

    advice: Advice
    files: int
    lines: int
    questions: tuple[tuple[int, int], ...] = ()

    def __str__(self) -> str:
        """Say it in one line."""
        size = counted(self.files, "file")
        size += f", about {self.lines} lines of code in the plan" if self.lines else ""
        match self.advice:
            case Advice.YOURSELF:
                return f"Small ({size}): doing it yourself may be quicker."
            case Advice.DELEGATE:
                return f"Worth delegating: {size}."
            case Advice.EITHER:
                return f"Either way will do: {size}."
            case Advice.NOT_YET:
                where = ", ".join(f"{start}-{stop}" for start, stop in self.questions)
                why = f"the plan has open questions (lines {where}); settle them"
                return f"Not yet: {why if where else 'it names no files; say which'}."


def delegation(spec: Spec, questions: Sequence[tuple[int, int]] = ()) -> Delegation:
    """Advise on *spec*; *questions* are the plan's lines, from 1, with questions still open."""
    files = {path for task in spec.tasks for entry in task.writes for path in entry.written_paths}
    code = [block for task in spec.tasks for *_, block in _FENCE.findall(task.requirements)]
    lines = sum(block.count("\n") for block in code)
    if questions or not files:
        advice = Advice.NOT_YET
    elif len(files) > FEW_FILES or lines > LONG_LINES:
        advice = Advice.DELEGATE
    else:
        advice = Advice.YOURSELF if lines < SHORT_LINES else Advice.EITHER
    return Delegation(
        advice=advice,
        files=len(files),
        lines=lines,
        questions=tuple(questions),
    )
