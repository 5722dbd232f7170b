"""What is told of a spec made from a plan: for Claude in words, for scripts as values.

The plan's text is never echoed but for titles: its lines are named by number. For a plan of three
tasks the words stay within 500 tokens.
"""

import os
from collections.abc import Iterable, Sequence

from kimi_mcp.dispatch.place import described
from kimi_mcp.dispatch.planning.project import Project
from kimi_mcp.quoting.quotes import counted, inline, quoted
from kimi_mcp.spec.author import Authored
from kimi_mcp.spec.delegation import delegation
from kimi_mcp.spec.model import FileEntry, Task
from kimi_mcp.spec.plans.draft import Draft, DraftTask, Uncovered
from kimi_mcp.workspace.repository import Repository

SHOWN_NOTES = 8
NOTE_CHARS = 200
TITLE_CHARS = 60
SHOWN_RANGES = 6
_ASKED = {"no_files", "no_command"}  # the list of what is missing asks for these
_EXPECTED_ELSEWHERE = {"order", "status"}  # read for what they say of the tasks

Json = dict[str, object]


def told(
    authored: Authored,
    repository: Repository,
    project: Project,
    *,
    predicted: str,
    is_dry_run: bool,
) -> str:
    """Tell what is in a spec, what it is *predicted* to take, and what is missing."""
    spec = authored.spec
    free = authored.independent
    lines = [f"{authored.path}: {_deed(authored, is_dry_run=is_dry_run)}, {_count(authored)}."]
    lines.append(f"Repository {described(repository)}.")
    lines += [_task_line(task, is_free=task.number in free) for task in spec.tasks]
    found = (str(f) for f in authored.findings if f.code not in _ASKED or not authored.holes)
    notes = [*authored.kept, *found]
    lines += [f"- {quoted(note, limit=NOTE_CHARS)}" for note in notes[:SHOWN_NOTES]]
    if len(notes) > SHOWN_NOTES:
        lines.append(
            f"- and {len(notes) - SHOWN_NOTES} more; dispatch_spec dry_run lists them all."
        )
    lines += _unknown_imports(authored)
    lines += _uncovered(authored.plan.uncovered)
    lines += [inline(line, limit=NOTE_CHARS) for line in project.setup_lines()]
    lines.append(f"{predicted} {delegation(spec, authored.plan.questions)}")
    if authored.holes:
        lines += ["Missing; answer by calling again with `tasks`:", *authored.holes]
    elif is_dry_run:
        lines.append("Next: the same without dry_run writes it.")
    else:
        lines.append(f"Next: dispatch_spec spec={spec.number}.")
    return "\n".join(lines)


def values(plan: Draft, authored: Authored | None, *, is_written: bool) -> Json:
    """Give what a script wants to know; *authored* is None where nothing is left to dispatch."""
    tasks = {task.number: task for task in authored.spec.tasks} if authored else {}
    free = authored.independent if authored else frozenset[int]()
    drafts = {task.number: task for task in plan.tasks}
    told_tasks = [
        _task(number, tasks.get(number), drafts.get(number), is_free=number in free)
        for number in sorted({*tasks, *drafts})
    ]
    return {
        "title": authored.spec.title if authored else plan.title,
        "refused": plan.refusal if not authored else None,
        "spec": authored.path if authored else None,
        "written": is_written,
        "tasks": told_tasks,
        "findings": [
            {
                "code": finding.code,
                "task": finding.task,
                "line": finding.line,
                "message": finding.message,
                "is_error": finding.is_error,
            }
            for finding in (authored.findings if authored else ())
        ],
        "holes": list(authored.holes) if authored else [],
        "uncovered": [
            {"start": part.start, "stop": part.stop, "role": part.role} for part in plan.uncovered
        ],
    }


def _task(number: int, task: Task | None, draft: DraftTask | None, *, is_free: bool) -> Json:
    """Give one task: as the spec has it, or, done or put off, as the plan says."""
    if task:
        said: Json = {
            "title": task.title,
            "files": [_file(entry) for entry in task.files],
            "verification": [str(command.text) for command in task.commands],
            "manual": list(task.manual_checks),
            "depends_on": list(task.depends_on),
        }
    else:
        files = draft.files if draft else ()
        said = {
            "title": draft.title if draft else "",
            "files": [
                {"operation": file.operation, "path": file.path, "target": file.target}
                for file in files
            ],
            "verification": list(draft.commands) if draft else [],
            "manual": list(draft.manual) if draft else [],
            "depends_on": list(draft.depends_on) if draft else [],
        }
    return {
        "number": number,
        "line": draft.start if draft else None,
        "last_line": draft.stop if draft else None,
        **said,
        "independent": is_free,
        "done": bool(draft and draft.is_done and not task),
        "deferred": bool(draft and draft.is_deferred and not task),
    }


def _file(entry: FileEntry) -> Json:
    return {
        "operation": entry.operation,
        "path": entry.path,
        "target": entry.target,
        "lines": entry.lines,
    }


def _deed(authored: Authored, *, is_dry_run: bool) -> str:
    if is_dry_run:
        return "nothing written (dry run)"
    if authored.is_new:
        return "written"
    return "updated" if authored.is_changed else "unchanged"


def _count(authored: Authored) -> str:
    count = len(authored.spec.tasks)
    said = counted(count, "task")
    done = sum(task.is_done for task in authored.plan.tasks)
    later = sum(task.is_deferred and not task.is_done for task in authored.plan.tasks)
    said += f", {done} ticked as done left out" if done else ""
    return said + (f", {later} put off left out" if later else "")


def _task_line(task: Task, *, is_free: bool) -> str:
    after = inline(", ".join(map(str, task.depends_on)), limit=TITLE_CHARS)
    place = f"after {after}" if after else ("independent" if is_free else "in order")
    files = counted(len(task.writes), "file")
    checks = counted(len(task.commands), "command")
    title = quoted(task.title, limit=TITLE_CHARS)
    return f"{task.number}. {title} · {files} · {checks} · {place}"


def _unknown_imports(authored: Authored) -> Iterable[str]:
    """Say where independence rests on disjoint files alone."""
    free = [task for task in authored.spec.tasks if task.number in authored.independent]
    blind = [
        task
        for task in free
        if any(p in authored.unread for entry in task.writes for p in entry.written_paths)
    ]
    if len(free) > 1 and blind:
        kinds = {os.path.splitext(path)[1] for path in authored.unread}  # noqa: PTH122  # no file
        yield f"Independent by files alone: imports in {', '.join(sorted(kinds)[:3])} are unknown."


def _uncovered(parts: Sequence[Uncovered]) -> Iterable[str]:
    """Name the plan's lines that ended in no task."""
    left = [part for part in parts if part.role not in _EXPECTED_ELSEWHERE]
    if left:
        said = ", ".join(f"{_range(p)} ({p.role})" for p in left[:SHOWN_RANGES])
        more = f" and {len(left) - SHOWN_RANGES} more" if len(left) > SHOWN_RANGES else ""
        yield f"In no task: plan lines {said}{more}."


def _range(part: Uncovered) -> str:
    return str(part.start) if part.start == part.stop else f"{part.start}-{part.stop}"
