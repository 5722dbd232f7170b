"""What a reviewer must know of a commit, read from the files that it changes."""

from collections.abc import Iterator, Sequence

from kimi_mcp.dispatch.running.assignment import allowed
from kimi_mcp.dispatch.running.work import TaskWork
from kimi_mcp.evidence.leaks import leaks
from kimi_mcp.evidence.weakened import Version, weakened
from kimi_mcp.history.records import Finding, FindingKind
from kimi_mcp.quoting.quotes import quoted
from kimi_mcp.workspace.changes import texts
from kimi_mcp.workspace.commit import Attempt
from kimi_mcp.workspace.scope import exact_paths

READ_BYTES = 500_000  # of one file; nobody has written a larger one by hand
KIND_CHARS = 60


def findings(work: TaskWork, left: Attempt) -> tuple[Finding, ...]:
    """Compare what the task's checks rest on with its base, and find secrets that were added."""
    versions = [
        Version(path=change.path, before=before, after=after)
        for change, (before, after) in zip(
            left.changes, texts(work.ledger, left.changes, limit_bytes=READ_BYTES), strict=True
        )
        if before is not None or after is not None
    ]
    return (*_leaks(work, versions), *_weakened(work, versions))


def _weakened(work: TaskWork, versions: Sequence[Version]) -> Iterator[Finding]:
    commands = [command.text for command in work.task.commands]
    named = frozenset(exact_paths(allowed(work.task)))
    for one in weakened(versions, commands=commands, named=named):
        kind = FindingKind.EXPECTATION if one.is_expectation else FindingKind.WEAKENED
        yield Finding(kind=kind, path=one.path, line=one.line, text=one.text)


def _leaks(work: TaskWork, versions: Sequence[Version]) -> Iterator[Finding]:
    for one in versions:
        for leak in leaks(one.before, one.after or "", redact=work.redact):
            text = f"written into the file: {quoted(leak.kind, limit=KIND_CHARS)}"
            yield Finding(kind=FindingKind.SECRET, path=one.path, line=leak.line, text=text)
