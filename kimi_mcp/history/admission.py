"""How a dispatch enters the history, and how a runner takes it over."""

import json

from kimi_mcp.errors import Refused
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import NewDispatch
from kimi_mcp.history.store import Store


class Admission(Store):
    """Writes the rows that everything else happens to."""

    __slots__ = ()

    def add(self, new: NewDispatch, *, at: str) -> None:
        """Write *new* down as queued and its tasks as waiting.

        Raises:
            Refused: the same spec text has a live dispatch in the same repository.
        """
        with self.writing() as unit:
            live = unit.run(
                "live_dispatch_of_spec", repository=new.repository, spec_hash=new.spec_hash
            ).fetchone()
            if live is not None:
                raise Refused(
                    f"This spec ({new.spec_path}) is being worked on: {live['id']}. Follow that "
                    "dispatch, or cancel it first."
                )
            unit.run(
                "insert_dispatch",
                id=new.id,
                repository=new.repository,
                git_dir=new.git_dir,
                spec_number=new.spec_number,
                spec_path=new.spec_path,
                spec_title=new.spec_title,
                spec_text=new.spec_text,
                spec_hash=new.spec_hash,
                base_commit=new.base_commit,
                base_branch=new.base_branch,
                snapshot_of=new.snapshot_of,
                profile=new.profile,
                orders=json.dumps(new.orders),
                session=new.session,
                account=new.account,
                findings=new.findings,
                at=at,
            )
            unit.run_each(
                "insert_task",
                [
                    {
                        "dispatch": new.id,
                        "number": task.number,
                        "title": task.title,
                        "depends_on": json.dumps(task.depends_on),
                        "forecast": None if task.forecast is None else json.dumps(task.forecast),
                    }
                    for task in new.tasks
                ],
            )

    def claim(self, dispatch: DispatchId, *, at: str, runner_pid: int) -> bool:
        """Take a queued dispatch for the calling runner; False when somebody else was first."""
        with self.writing() as unit:
            cursor = unit.run("claim_dispatch", dispatch=dispatch, at=at, runner_pid=runner_pid)
            return cursor.rowcount == 1
