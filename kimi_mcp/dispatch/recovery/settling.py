"""Charging what a dead runner could not: the requests that stand in the journals of its Kimis.

A runner that is killed has not seen the last lines of Kimi's journals. They stay in the task's Kimi
home, so they are counted: what all attempts together have not been charged with belongs to the
newest. An agent that was at work when Kimi was killed may have made one request more than it wrote
down; whether Kimi was killed or ended properly nobody saw, so it is charged as possible.
"""

from kimi_mcp.dispatch.events import Charged, encode
from kimi_mcp.history.history import History
from kimi_mcp.history.records import Dispatch, Task
from kimi_mcp.history.turns import Address, Told
from kimi_mcp.kimi.dialects import DIALECTS
from kimi_mcp.kimi.tally import tally
from kimi_mcp.state import RunFolder


def settle(history: History, dispatch: Dispatch, folder: RunFolder, *, at: str) -> None:
    """Charge every task of a dispatch that has no runner with what its journals know beyond that.

    Doing it again charges only what came to light since.
    """
    tasks = history.tasks(dispatch.id)
    dialect = DIALECTS[dispatch.orders.get("kimi_dialect", "code")]
    alone = {task.number: tally(folder.task(task.number).home, dialect) for task in tasks}
    together = [tally(wave.home, dialect) for wave in folder.waves()]
    begun = [task for task in tasks if task.attempts]
    if together and begun:  # whose steps a wave's were, only the runner knew
        found = [*alone.values(), *together]
        unpaid = Charged(
            steps=sum(one.requests for one in found) - sum(task.steps for task in tasks),
            possible=sum(one.at_work for one in found) - sum(one.possible_steps for one in tasks),
        )
        _charge(history, begun[0], unpaid, at=at)
        return
    for task in begun:
        unpaid = Charged(
            steps=alone[task.number].requests - task.steps,
            possible=alone[task.number].at_work - task.possible_steps,
        )
        _charge(history, task, unpaid, at=at)


def _charge(history: History, task: Task, unpaid: Charged, *, at: str) -> None:
    charged = Charged(steps=max(0, unpaid.steps), possible=max(0, unpaid.possible))
    if not charged.steps and not charged.possible:
        return
    kind, payload = encode(charged)
    history.charge(
        Address(dispatch=task.dispatch, task=task.number, attempt=task.attempts),
        Told(kind=kind, payload=payload, at=at),
        steps=charged.steps,
        possible=charged.possible,
    )
