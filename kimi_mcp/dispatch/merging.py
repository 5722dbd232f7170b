"""Bringing delivered work together: the base of a dependent task, and the merged branch at the end.

Only in our own git directory, no checkout touched. The merged tree is new, so it is checked like a
task's: all commands again, in a fresh clone; a branch is published only for what passed.
"""

import shutil
from collections.abc import Mapping, Sequence
from functools import partial

import anyio

from kimi_mcp.dispatch import verdict
from kimi_mcp.dispatch.checks import Environment, prove
from kimi_mcp.dispatch.events import Checked
from kimi_mcp.dispatch.giving_up import unless
from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.processes.environment import passed_on
from kimi_mcp.spec.model import Command
from kimi_mcp.state import TaskFolder
from kimi_mcp.workspace.clone import Ledger, lay_clone
from kimi_mcp.workspace.merge import Conflict, merge
from kimi_mcp.workspace.publish import publish_branch
from kimi_mcp.workspace.repository import Repository

NAMED_FILES = 5


class NotMerged(Exception):
    """There is no merge; the text says why, as a sentence."""


class Merger:
    """Merges the commits of one dispatch."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        repository: Repository,
        orders: Orders,
        folder: TaskFolder,
        host: Mapping[str, str],
        dispatch_id: str,
    ) -> None:
        self._ledger = ledger
        self._repository = repository
        self._orders = orders
        self._folder = folder
        self._host = host
        self._id = dispatch_id

    def base_of(self, base: str, needed: Sequence[str]) -> str:
        """Return the commit to start from: *base*, or the merge of the commits *needed*.

        Raises:
            NotMerged: they conflict; the sentence names the files.
        """
        if not needed:
            return base
        merged = merge(
            self._ledger, needed, message=f"Merge what a task of {self._id} depends on\n"
        )
        if isinstance(merged, Conflict):
            raise NotMerged(f"What it depends on does not merge: {_named(merged)}.")
        return merged

    async def merge_all(
        self,
        delivered: Mapping[int, str],
        *,
        expected: str | None,
        commands: Sequence[Command],
        cancelled: anyio.Event,
    ) -> str:
        """Merge and check what was delivered, move the `merged` branch, return its commit.

        *expected* is where that branch is; nothing when there is none yet.

        Raises:
            NotMerged: there are conflicts, or the merged tree does not pass.
        """
        message = f"Merge the delivered tasks of {self._id}\n"
        commits = list(delivered.values())
        merged = await anyio.to_thread.run_sync(
            partial(merge, self._ledger, commits, message=message)
        )
        if isinstance(merged, Conflict):
            raise NotMerged(f"No merged branch: the delivered tasks conflict in {_named(merged)}.")
        if len(commits) > 1:
            await self._check(merged, commands, cancelled=cancelled)
        await anyio.to_thread.run_sync(
            partial(
                publish_branch,
                self._repository,
                self._ledger,
                prefix=self._orders.branch_prefix,
                dispatch_id=self._id,
                task=None,
                commit=merged,
                expected=expected,
            )
        )
        return merged

    async def _check(
        self, commit: str, commands: Sequence[Command], *, cancelled: anyio.Event
    ) -> None:
        folder = self._folder
        await anyio.to_thread.run_sync(self._lay, commit)
        environment = Environment(folder, passed_on(self._host), self._orders)
        if await unless(cancelled, partial(environment.set_up, output=folder.root)):
            raise NotMerged("No merged branch: setup failed in its clone.")
        distinct = list(dict.fromkeys(commands))
        checks = await unless(
            cancelled,
            partial(prove, distinct, environment=environment, output=folder.root, emit=_silently),
        )
        if checks is None:
            raise NotMerged("No merged branch: it was cancelled.")
        judged = verdict.after_checks(checks, own_names=frozenset())
        if not judged.is_delivered:
            raise NotMerged(f"No merged branch: on the merged tree {judged.sentence}")

    def _lay(self, commit: str) -> None:
        shutil.rmtree(self._folder.root, ignore_errors=True)  # an older merge: ours alone
        lay_clone(self._ledger, commit, clone=self._folder.clone, index=self._folder.index)


def _named(conflict: Conflict) -> str:
    count = len(conflict.files) - NAMED_FILES
    return ", ".join(conflict.files[:NAMED_FILES]) + (f" and {count} more" if count > 0 else "")


async def _silently(_: Checked) -> None:
    """Say nothing: the merged tree is judged as a whole."""
