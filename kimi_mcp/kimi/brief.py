"""The brief: what Kimi is told for one task.

Pure. The thesis of this project: an agent that is told exactly what and where needs a quarter of
the steps. What is common to all tasks of a dispatch comes first and is the same byte for byte, so
that the provider's prompt cache serves it; the task follows. The frame around the task's own text
stays under 600 tokens (golden test).
"""

from collections.abc import Sequence
from dataclasses import dataclass

COMMON = """\
You are implementing one task of a specification in a private clone of a git repository. Another
program reviews the result: it compares the changed files with the task's list and runs the task's
commands itself on exactly what you leave behind.

Rules:
- Change only the files that the task lists. A change to any other file makes the work worthless.
- The list is exact: do not search the repository for more to do; read only what you need.
- If another file, or a decision that is not in the task, is needed: stop, change nothing more, and
  end with a line that starts with `BLOCKED: ` and says what you need.
- Run the check commands yourself and make them pass honestly; never weaken a test or a check.
- No git commands: the work is committed for you. Install nothing; start nothing in the background.
- Save steps: several tool calls in one answer where they do not depend on each other.
- When done, close with at most five lines: what you changed, and anything the reviewer must know.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One task as Kimi needs it; paths are relative to the clone, its working folder."""

    spec_title: str
    goal: str
    context: str
    out_of_scope: str
    number: int
    title: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    requirements: str
    commands: tuple[str, ...]
    manual_checks: tuple[str, ...]
    further: str  # blocks of the task that this program does not know, verbatim
    dependency_changes: tuple[str, ...]  # "M src/a.py (task 1)", a line a file
    step_budget: int  # 0: no limit


INTERRUPTED = """\
Your work on this task was interrupted. The files are as you left them. Go on from there and finish
it; the rules, the list of files and the checks are the same.
"""

REVIEWED = """\
Your work on this task was reviewed, and it goes on: the files are as you left them. The rules are
the same. What the reviewer says:
"""


SWARM = """\
You lead a swarm: {count} independent tasks of one specification, in a private clone of a git
repository. Do none of them yourself. Call the tool AgentSwarm once, alone in its answer, with

- prompt_template: `Read {folder}/task-{{{{item}}}}.md: it is your whole task. Do exactly that.`
- items: {items}

When the agents are done, close with one line a task: done, or what is missing. Do not look at or
mend their work: another program checks every task by itself.
"""


def lead(numbers: Sequence[int], *, folder: str) -> str:
    """Write the brief of a Kimi that hands tasks to agents; each one's own lies in *folder*."""
    items = ", ".join(f'"{number}"' for number in numbers)
    return SWARM.format(count=len(numbers), folder=folder, items=f"[{items}]")


def go_on(task: Assignment, *, feedback: str | None) -> str:
    """Write the next message of a session that already has the brief.

    With the reviewer's *feedback*, or without it as the end of an interruption. The list of files
    and the checks are told again, because a reviewer may have amended them.
    """
    parts = [
        INTERRUPTED if feedback is None else f"{REVIEWED}\n{feedback.strip()}\n",
        _list("Files you may change, and nothing else:", task.writes),
        _list("Check commands (run these; we run them again):", task.commands),
        _budget(task),
    ]
    return "\n".join(part for part in parts if part)


def compose(task: Assignment, *, feedback: str | None = None) -> str:
    """Write the whole brief for a fresh session, with the reviewer's words on earlier work."""
    parts = [
        COMMON,
        _section("Goal", task.goal.strip() or task.spec_title),
        _section("Context", task.context),
        _section("Out of scope", task.out_of_scope),
        f"# Your task ({task.number}): {task.title}\n",
        _list("Read first:", task.reads),
        _list("Already changed by the tasks before this one:", task.dependency_changes),
        _list("Files you may change, and nothing else:", task.writes),
        _block("Requirements:", task.requirements),
        task.further and task.further.strip() + "\n",
        _list("Check commands (run these; we run them again):", task.commands),
        _list("The reviewer will also look at:", task.manual_checks),
        _budget(task),
        feedback and f"{REVIEWED}\n{feedback.strip()}\n",
    ]
    return "\n".join(part for part in parts if part)


def _budget(task: Assignment) -> str:
    return (
        f"You have at most {task.step_budget} steps (model answers).\n" if task.step_budget else ""
    )


def _section(heading: str, text: str) -> str:
    return f"# {heading}\n{text.strip()}\n" if text.strip() else ""


def _block(label: str, text: str) -> str:
    return f"{label}\n{text.strip()}\n" if text.strip() else ""


def _list(label: str, items: tuple[str, ...]) -> str:
    return _block(label, "\n".join(f"- {item}" for item in items))
