"""Bringing delivered work together: the base of a dependent task, and the merged branch at the end.

Only in our own git directory, no checkout touched. The merged tree is new, so it is checked like a
task's: all commands again, in a fresh clone; a branch is published only for what passed.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import combinations

import anyio

from kimi_mcp.dispatch.events import Checked
from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.dispatch.running import verdict
from kimi_mcp.dispatch.running.checks import Environment, prove
from kimi_mcp.dispatch.running.confines import Confines
from kimi_mcp.dispatch.running.giving_up import unless
from kimi_mcp.dispatch.running.ground import Ground
from kimi_mcp.dispatch.running.rivalry import Rival, told_places
from kimi_mcp.dispatch.running.slots import Slot, Slots
from kimi_mcp.spec.model import Command
from kimi_mcp.state import TaskFolder
from kimi_mcp.workspace.bring import bring_along
from kimi_mcp.workspace.clone import Ledger, lay_clone
from kimi_mcp.workspace.leftovers import leftovers
from kimi_mcp.workspace.merge import Conflict, conflict_of, marked_places, merge
from kimi_mcp.workspace.publish import merge_message, publish_branch
from kimi_mcp.workspace.repository import Repository

CANCELLED = "No merged branch: it was cancelled."
NAMED_PAIRS = 3
REMEDY = "revise_task with feedback on one of them starts with both sides in the files."


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
        confines: Callable[[TaskFolder, Slot], Confines],
        slots: Slots,
        dispatch_id: str,
    ) -> None:
        self._ledger = ledger
        self._repository = repository
        self._orders = orders
        self._folder = folder
        self._confines = confines
        self._slots = slots
        self._id = dispatch_id

    def base_of(self, base: str, needed: Mapping[int, str]) -> str:
        """Return the commit to start from: *base*, or the merge of the tasks' commits *needed*.

        Raises:
            NotMerged: they conflict; the sentence names tasks, files and lines.
        """
        if not needed:
            return base
        message = f"Merge what a task of {self._id} depends on\n"
        merged = merge(self._ledger, list(needed.values()), message=message)
        if isinstance(merged, Conflict):
            raise NotMerged(f"What it depends on does not merge: {self._told(merged, needed)}.")
        return merged

    def rival_of(self, number: int, work: str, delivered: Mapping[int, str]) -> Rival | None:
        """Find the first delivered task that conflicts with the commit *work* of task *number*."""
        for other, commit in sorted(delivered.items()):
            if other != number and (found := conflict_of(self._ledger, work, commit)):
                return Rival(
                    task=other,
                    commit=commit,
                    tree=found.tree,
                    places=told_places(marked_places(self._ledger, found)),
                )
        return None

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
        message = merge_message(self._id)
        commits = list(delivered.values())
        merged = await anyio.to_thread.run_sync(
            partial(merge, self._ledger, commits, message=message)
        )
        if isinstance(merged, Conflict):
            raise NotMerged(f"No merged branch: {self._told(merged, delivered)}. {REMEDY}")
        if len(commits) > 1:
            async with self._slots.taken(cancelled) as slot:
                if slot is None:
                    raise NotMerged(CANCELLED)
                confines = self._confines(self._folder, slot)
                await self._check(merged, commands, confines=confines, cancelled=cancelled)
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
        self,
        commit: str,
        commands: Sequence[Command],
        *,
        confines: Confines,
        cancelled: anyio.Event,
    ) -> None:
        folder = self._folder
        await anyio.to_thread.run_sync(self._lay, commit, confines)
        environment = Environment(folder, confines, self._orders)
        if await unless(cancelled, partial(environment.set_up, output=folder.root)):
            raise NotMerged("No merged branch: setup failed in its clone.")
        checks = await unless(
            cancelled,
            partial(
                prove,
                list(dict.fromkeys(commands)),
                environment=environment,
                ground=await anyio.to_thread.run_sync(self._ground, commit),
                output=folder.root,
                emit=_silently,
            ),
        )
        if checks is None:
            raise NotMerged(CANCELLED)
        judged = verdict.after_checks(checks, own_names=frozenset())
        if not judged.is_delivered:
            raise NotMerged(f"No merged branch: on the merged tree {judged.sentence}")

    def _told(self, conflict: Conflict, commits: Mapping[int, str]) -> str:
        """Name what conflicts: which tasks, in which lines of which files."""
        pairs = [
            (one, other, found)
            for one, other in combinations(sorted(commits), 2)
            if (found := conflict_of(self._ledger, commits[one], commits[other]))
        ]
        if not pairs:  # each two of them merge, and all together do not
            return f"the tasks conflict in {told_places(marked_places(self._ledger, conflict))}"
        return "; ".join(
            f"tasks {one} and {other} conflict in {told_places(marked_places(self._ledger, found))}"
            for one, other, found in pairs[:NAMED_PAIRS]
        )

    def _ground(self, commit: str) -> Ground:
        ledger, folder = self._ledger, self._folder
        made = leftovers(ledger, commit, clone=folder.clone) if self._orders.setup else {}
        return Ground(ledger=ledger, folder=folder, commit=commit, before=made)

    def _lay(self, commit: str, confines: Confines) -> None:
        shutil.rmtree(self._folder.root, ignore_errors=True)  # an older merge: ours alone
        lay_clone(self._ledger, commit, clone=self._folder.clone, index=self._folder.index)
        bring_along(self._repository.root, self._orders.bring, clone=self._folder.clone)
        confines.lay()


async def _silently(_: Checked) -> None:
    """Say nothing: the merged tree is judged as a whole."""
