"""Making a task's clone ready: laid, set up, its checks' programs there. No step is spent on it."""

import itertools
import os
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import anyio

from kimi_mcp.dispatch.running import verdict
from kimi_mcp.dispatch.running.checks import Environment
from kimi_mcp.dispatch.running.giving_up import unless
from kimi_mcp.dispatch.running.harvest import made_by_setup
from kimi_mcp.dispatch.running.programs import is_made, programs
from kimi_mcp.dispatch.running.refused_access import explained
from kimi_mcp.dispatch.running.verdict import Verdict
from kimi_mcp.dispatch.running.work import TaskWork
from kimi_mcp.lifecycle import Outcome
from kimi_mcp.quoting.quotes import named, quoted
from kimi_mcp.workspace.bring import bring_along
from kimi_mcp.workspace.clone import lay_clone, submodule_record
from kimi_mcp.workspace.leftovers import leftovers
from kimi_mcp.workspace.stamps import Stamp, keep, kept
from kimi_mcp.workspace.submodules import remember, remembered_folders

NAMED_FILES = 5
COMMAND_CHARS = 80


def lay(work: TaskWork) -> bool:
    """Make the task's clone ready; return whether it is a new one.

    The clone of an earlier attempt is kept, for Kimi's session belongs to it. One that was never
    stamped as prepared is half made: Kimi has not begun in it, and it is moved out of the way.
    """
    folder = work.folder
    work.output.mkdir(parents=True, exist_ok=True)
    work.confines.lay()
    if folder.clone.is_dir():
        if work.earlier is not None and folder.prepared.is_file():
            return False
        folder.clone.rename(_fresh(work.output / "half-made"))
    folder.prepared.unlink(missing_ok=True)
    lay_clone(work.ledger, work.parent, clone=folder.clone, index=folder.index)
    bring_along(work.checkout, work.orders.bring, clone=folder.clone)
    return True


def _fresh(place: Path) -> Path:
    """Give a path at which nothing lies."""
    names = (place.with_name(f"{place.name}-{count}") for count in itertools.count(2))
    return next(path for path in itertools.chain([place], names) if not path.exists())


async def set_up(
    work: TaskWork, environment: Environment, *, on: str, cancelled: anyio.Event
) -> Verdict | None:
    """Run setup in the clone that holds commit *on*; return how the attempt ends if it fails."""
    failed = await unless(cancelled, partial(environment.set_up, output=work.output))
    if cancelled.is_set():
        return verdict.CANCELLED
    if failed is not None:
        text, result = failed
        why = explained(result.tail, work.confines.around_setup(), work.host)
        sentence = f"The setup command {quoted(text, limit=COMMAND_CHARS)} failed."
        sentence += f" {why}" if why else ""
        return Verdict(outcome=Outcome.SETUP_FAILED, sentence=sentence, quote=result.tail)
    changed = partial(made_by_setup, work, since=on)
    if work.orders.setup and (made := await anyio.to_thread.run_sync(changed)):
        told = named(made, most=NAMED_FILES)
        return Verdict(
            outcome=Outcome.SETUP_FAILED,
            sentence=f"The setup commands changed files that git keeps ({told}); they would look "
            "like Kimi's work. Let setup leave them alone, or have git ignore them.",
        )
    return None


def stamped(work: TaskWork, *, is_new: bool) -> Mapping[str, Stamp]:
    """Stamp what lies in the clone beside the commit before Kimi ever worked in it.

    In the clone of an earlier attempt these are the stamps of then: whatever Kimi has left there
    since, in an attempt that ended before its checks, is no work of setup's.
    """
    folder, record = work.folder, submodule_record(work.folder.index)
    if not is_new and (before := kept(folder.prepared)) is not None:
        return before
    has_submodules = record.exists()
    if is_new and has_submodules:  # what setup did there is not Kimi's
        remember(record, remembered_folders(record), clone=folder.clone)
    if is_new and not (work.orders.setup or work.orders.bring or has_submodules):
        keep({}, folder.prepared)
        return {}  # nobody has touched it: the walk costs with many files
    return stamp_anew(work, work.parent)


def stamp_anew(work: TaskWork, commit: str) -> Mapping[str, Stamp]:
    """Stamp what lies in the clone beside *commit*, now that only setup has worked there."""
    found = leftovers(work.ledger, commit, clone=work.folder.clone)
    keep(found, work.folder.prepared)
    return found


async def without_programs(work: TaskWork, environment: Environment) -> Verdict | None:
    """Resolve the programs of the checks as their shell will; return how the attempt ends if one
    is missing that the task does not make itself.
    """  # noqa: D205  one sentence
    search = work.confines.environment.get("PATH")
    directories = {command.text: command.directory for command in work.task.commands}
    doubtful = {
        word: text
        for word, text in programs(command.text for command in work.task.commands).items()
        if not is_made(word, directories[text], work.task)
        and not _is_there(work, word, directories[text], search)
    }
    if not doubtful:
        return None
    paths = [word for word in doubtful if "/" in word]
    words = [word for word in doubtful if "/" not in word]
    output = work.output / "programs.txt"
    missing = [*paths, *(await environment.missing(words, output=output) if words else ())]
    if not missing:
        return None
    word = missing[0]
    return Verdict(
        outcome=Outcome.SETUP_FAILED,
        sentence=f"{quoted(doubtful[word], limit=COMMAND_CHARS)} could not run: the program "
        f"{quoted(word, limit=COMMAND_CHARS)} is missing in the prepared "
        "clone. No step was spent.",
    )


def _is_there(work: TaskWork, word: str, directory: str | None, search: str | None) -> bool:
    if "/" not in word:
        return shutil.which(word, path=search) is not None
    return os.path.lexists(work.folder.clone / (directory or "") / word)
