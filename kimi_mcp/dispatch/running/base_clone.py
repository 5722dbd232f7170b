"""The commit that a task began from, in a clean clone of its own, for running checks on it.

Laid when it is first asked, prepared like the task's clone, fenced like it, and removed afterwards.
"""

import shutil
from dataclasses import replace
from functools import partial

import anyio

from kimi_mcp.dispatch.running.checks import Environment
from kimi_mcp.dispatch.running.on_base import time_s
from kimi_mcp.dispatch.running.work import TaskWork
from kimi_mcp.history.records import Check, Rerun
from kimi_mcp.spec.model import Command
from kimi_mcp.workspace.bring import bring_along
from kimi_mcp.workspace.clone import lay_clone


class BaseClone:
    """Answers how a check ends on the base.

    Args:
        work: the attempt whose base it is.
        setup_s: how long setup took in the task's own clone.
    """

    def __init__(self, work: TaskWork, *, setup_s: float) -> None:
        self._work = work
        self._setup_s = setup_s
        self._folder = work.folder.base
        self._confines = work.confines.at(self._folder)
        self._environment = Environment(self._folder, self._confines, work.orders)
        #: Nothing until it was tried.
        self._is_ready: bool | None = None

    async def compared(self, check: Check, command: Command) -> Check:
        """Complete *check*, the result of *command*, by how the command ends on the base.

        Not known is what would take too long to ask (`on_base`), or needs a setup that fails there.
        """
        limit_s = time_s(check, command, self._work.task, setup_s=self._setup_s)
        if limit_s is None:
            return check
        found: Check | None = None
        with anyio.move_on_after(limit_s):
            if await self._ready():
                file = self._work.output / f"check-{check.position}-base.txt"
                found = await self._environment.check(command, position=1, output=file)
        if found is None or found.is_timed_out:
            return check
        return replace(check, on_base=Rerun.PASSED if found.is_passed else Rerun.FAILED)

    async def remove(self) -> None:
        """Take the clone away, if there is one."""
        if self._is_ready is not None:
            remove = partial(shutil.rmtree, self._folder.root, ignore_errors=True)
            await anyio.to_thread.run_sync(remove)

    async def _ready(self) -> bool:
        if self._is_ready is None:
            self._is_ready = False
            await anyio.to_thread.run_sync(self._lay)
            output = self._folder.root
            self._is_ready = await self._environment.set_up(output=output) is None
        return self._is_ready

    def _lay(self) -> None:
        work, folder = self._work, self._folder
        shutil.rmtree(folder.root, ignore_errors=True)  # of a runner that was killed
        lay_clone(work.ledger, work.base, clone=folder.clone, index=folder.index)
        bring_along(work.checkout, work.orders.bring, clone=folder.clone)
        self._confines.lay()
