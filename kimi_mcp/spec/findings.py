"""One thing found about a spec: a code, a place, what is wrong; what to do."""

from dataclasses import dataclass

from kimi_mcp.spec.model import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found; *line* is a line of the spec's file where it is known."""

    code: str
    message: str
    task: int | None = None
    line: int | None = None
    is_error: bool = False

    def __str__(self) -> str:
        """Write the finding as one line."""
        where = "" if self.task is None else f"task {self.task}: "
        line = "" if self.line is None else f" (line {self.line})"
        return f"{where}{self.message}{line}"


def error(task: Task, code: str, message: str, *, line: int | None = None) -> Finding:
    """Make a finding that stops a dispatch."""
    return Finding(
        code=code, message=message, task=task.number, line=line or task.line, is_error=True
    )


def hint(task: Task, code: str, message: str, *, line: int | None = None) -> Finding:
    """Make a finding that should be known and stops nothing."""
    return Finding(code=code, message=message, task=task.number, line=line or task.line)
