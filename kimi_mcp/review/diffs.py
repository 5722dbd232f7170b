"""What each task of a dispatch has changed, as diffs from the user's repository."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.review.report import Report, TaskReport
from kimi_mcp.workspace.diff import Diff, diff
from kimi_mcp.workspace.holdings import exists


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDiff:
    """What the newest attempt at a task has changed."""

    task: TaskReport
    base: str
    commit: str
    #: None: git has tidied the commit up.
    shown: Diff | None

    @property
    def is_standing(self) -> bool:
        """Whether it is of the attempt that the task's report is about."""
        return self.task.task.commit_id in {None, self.commit}

    @property
    def head(self) -> str:
        """Say of what it is the diff: `Task 1 (delivered), kimi/001-x-7k3f/task-1:`."""
        about = self.task.task
        return f"Task {about.number} ({about.outcome or about.state}), {self.task.head}:"

    @property
    def gone(self) -> str:
        """Say that the commit is no longer there."""
        return (
            f"Task {self.task.task.number}: commit {self.commit[:10]} is no longer in the "
            "repository. It was landed or removed, and git has tidied up."
        )


def task_diffs(
    found: Report,
    tasks: Iterable[TaskReport],
    *,
    paths: tuple[str, ...] = (),
    limit_bytes: int,
) -> Iterator[TaskDiff]:
    """Yield the diffs of those of *tasks* that have a commit, *limit_bytes* for all of them."""
    git_dir = Path(found.dispatch.git_dir)
    with_work = [
        (task, task.latest.base_commit, task.latest.commit_id)
        for task in tasks
        if task.latest and task.latest.commit_id
    ]
    for task, base, commit in with_work:
        shown = None
        if exists(git_dir, commit):
            share = limit_bytes // len(with_work)
            shown = diff(git_dir, base, commit, paths=paths, limit_bytes=share)
        yield TaskDiff(task=task, base=base, commit=commit, shown=shown)
