"""A dispatch's work as a draft pull request: pushed as the user would, opened with `gh`.

Without `gh`, or when it says no, the work is pushed all the same, and the reply holds the address
where a person opens the request, and its text.
"""

import shutil
import subprocess
from collections.abc import Iterator

from kimi_mcp.dispatch.landing.handover import TITLE_CHARS, message, record, work_of
from kimi_mcp.dispatch.landing.landable import SHORT, Landable
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused
from kimi_mcp.history.landings import How, Landing
from kimi_mcp.history.records import Finding, FindingKind, Task
from kimi_mcp.quoting.quotes import inline, named, quoted
from kimi_mcp.spec.parse import parse
from kimi_mcp.workspace.publish import branch_name
from kimi_mcp.workspace.remotes import (
    Remote,
    ahead,
    comparison_url,
    push,
    remote_for,
    without_credentials,
)
from kimi_mcp.workspace.reroot import commit_for, reroot
from kimi_mcp.workspace.threeway import tree_id

GH_BOUND_S = 120.0
CELL_CHARS = 80
GOAL_CHARS = 2_000
WORDS_CHARS = 300
NAMED_PLACES = 5


def request(bench: Workbench, found: Landable) -> str:
    """Push the work and open a draft; tell where it is.

    Raises:
        Refused: there is no remote to push to, or it refused, or the work holds what looks like a
            secret; nothing was landed.
    """
    repository, dispatch = found.repository, found.dispatch
    before = _requested_before(found)
    if before is not None and before.url is not None:
        return f"{dispatch.id}: requested already: {before.url} Nothing was changed."
    remote = remote_for(repository, dispatch.base_branch)
    _refuse_secrets(bench, found, remote)
    commit = (before and before.result) or _pushable(found)
    branch = _branch(found)
    push(repository, remote, commit, branch=branch)
    title = inline(dispatch.spec_title, limit=TITLE_CHARS)
    text = body(bench, found)
    url, flaw = _open(bench, found, remote, branch=branch, title=title, text=text)
    record(bench, found, How.PULL_REQUEST, target=branch, result=commit, url=url)
    lines = [f"{dispatch.id}: pushed to {remote.name} as {branch} at {commit[:SHORT]}."]
    if url is not None:
        lines[0] += f" Draft: {url}"
        lines.append("Next: review the draft and mark it ready; `kimi-mcp clean` after its merge.")
    else:
        where = comparison_url(remote, branch)
        lines.append(f"No draft was opened: {flaw}.")
        lines.append(f"Next: open it at {where} with" if where else "Next: open it with")
        lines.append(f"title: {title}\n\n{text}")
    if more := ahead(repository, remote, dispatch.snapshot_of or dispatch.base_commit):
        lines.insert(1, f"It brings {more} commits of yours along that {remote.name} lacked.")
    return "\n".join(lines)


def body(bench: Workbench, found: Landable) -> str:
    """Word the request: goal, a table of the tasks, commands, what weakened them, steps."""
    spec = parse(bench.history.spec_text(found.dispatch.id), name=found.dispatch.spec_path)
    lines = [inline(spec.goal, limit=GOAL_CHARS), ""] if spec.goal else []
    lines += ["| Task | State | Files | Steps |", "|---|---|---|---|"]
    lines += [_row(bench, task) for task in (*found.tasks, *found.left_out)]
    checks = [line for task in found.tasks for line in _checks(bench, task)]
    if checks:
        lines += ["", "Commands that kimi-mcp ran on exactly these commits:", *checks]
    doubts = [line for task in found.tasks for line in _doubts(bench, task)]
    if doubts:
        lines += ["", "To be looked at, for the commands prove less than they did:", *doubts]
    steps = sum(task.steps for task in found.tasks)
    lines += ["", f"Written by Kimi in {steps} steps. Kimi-Dispatch: {found.dispatch.id}"]
    return "\n".join(lines)


def _requested_before(found: Landable) -> Landing | None:
    """Give the newest request for this very commit."""
    return next(
        (
            one
            for one in reversed(found.landings)
            if one.how is How.PULL_REQUEST and one.head == found.commit
        ),
        None,
    )


def _pushable(found: Landable) -> str:
    """Give a commit for the world: never the snapshot of the user's files."""
    repository, dispatch = found.repository, found.dispatch
    words = message(found, How.SQUASH)
    if dispatch.snapshot_of is not None:
        return reroot(repository, work_of(found), onto=dispatch.snapshot_of, message=words)
    if len(found.tips) == 1:
        return found.tips[0]
    tree = tree_id(repository.common_dir, found.commit)
    return commit_for(repository, tree, parents=found.tips, message=words)


def _branch(found: Landable) -> str:
    if found.is_whole or len(found.tasks) == 1:
        number = None if found.is_whole else found.tasks[0].number
        return branch_name(found.prefix, found.dispatch.id, number)
    numbers = "-".join(map(str, found.numbers))
    return f"{found.prefix}/{found.dispatch.id}/tasks-{numbers}"


def _open(
    bench: Workbench, found: Landable, remote: Remote, *, branch: str, title: str, text: str
) -> tuple[str | None, str]:
    """Open the draft with `gh`; return its address, else why there is none."""
    program = shutil.which("gh", path=bench.environ.get("PATH"))
    if program is None:
        return None, "there is no `gh` on PATH"
    order = [program, "pr", "create", "--draft", "--title", title, "--body-file", "-"]
    order += ["--head", branch, *(["--base", remote.base] if remote.base else [])]
    try:
        done = subprocess.run(
            order,
            cwd=found.repository.root,
            env={**bench.environ, "GH_PROMPT_DISABLED": "1"},
            input=text,
            capture_output=True,
            text=True,
            timeout=GH_BOUND_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None, f"`gh` did not end within {GH_BOUND_S:.0f} s"
    address = done.stdout.strip().rsplit("\n", 1)[-1]
    if done.returncode == 0 and address:
        return address, ""
    said = quoted(without_credentials(done.stderr), limit=WORDS_CHARS)
    return None, f"`gh` refused: {said}"


def _row(bench: Workbench, task: Task) -> str:
    state = str(task.outcome or task.state)
    if task.commit_id is not None and not task.is_checked:
        state += ", UNCHECKED"
    changes = bench.history.changes(task.dispatch, task.number, _standing(bench, task))
    added = sum(change.added or 0 for change in changes)
    deleted = sum(change.deleted or 0 for change in changes)
    cells = [
        f"{task.number}. {_cell(task.title)}",
        state,
        f"{len(changes)} (+{added} -{deleted})",
        str(task.steps),
    ]
    return f"| {' | '.join(cells)} |"


def _checks(bench: Workbench, task: Task) -> Iterator[str]:
    for check in bench.history.checks(task.dispatch, task.number, _standing(bench, task)):
        yield f"- `{_cell(check.command)}`: {'passed' if check.is_passed else 'failed'}"


def _doubts(bench: Workbench, task: Task) -> Iterator[str]:
    for finding in bench.history.findings(task.dispatch, task.number, _standing(bench, task)):
        yield f"- {finding.kind}: {_place(finding)} {_cell(finding.text)}"


def _refuse_secrets(bench: Workbench, found: Landable, remote: Remote) -> None:
    """Refuse to publish what cannot be taken back."""
    secrets = [
        _place(finding)
        for task in found.tasks
        for finding in bench.history.findings(task.dispatch, task.number, _standing(bench, task))
        if finding.kind is FindingKind.SECRET
    ]
    if secrets:
        what = f"{found.commit[:SHORT]}:refs/heads/{_branch(found)}"
        raise Refused(
            f"What looks like a secret stands in {named(secrets, most=NAMED_PLACES)}. Nothing was "
            "pushed. Have it taken out with revise_task; if it is none, push the work yourself: "
            f"`git push {remote.name} {what}`."
        )


def _place(finding: Finding) -> str:
    line = f" line {finding.line}" if finding.line is not None else ""
    return f"{_cell(finding.path)}{line}"


def _standing(bench: Workbench, task: Task) -> int:
    """Give the number of the attempt that was delivered, else of the newest."""
    history = bench.history
    return history.delivering(task) or len(history.attempts(task.dispatch, task.number))


def _cell(text: str) -> str:
    return inline(text, limit=CELL_CHARS).replace("|", "\\|").replace("`", "'")
