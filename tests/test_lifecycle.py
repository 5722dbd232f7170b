"""The transition tables, said once more: a move that is added or lost is a decision, not a slip."""

from collections.abc import Mapping
from typing import TypeVar

from kimi_mcp.lifecycle import (
    DISPATCH_MOVES,
    EXPLANATIONS,
    TASK_MOVES,
    DispatchState,
    Outcome,
    TaskState,
)

State = TypeVar("State", DispatchState, TaskState)

#: As design and schema have them: from each state, where it may go.
DISPATCHES = """
queued: cancelled lost running
running: cancelled finished lost
finished: queued
cancelled: queued
lost: queued
"""
TASKS = """
waiting: cancelled failed lost running skipped
running: cancelled checking delivered failed lost
checking: cancelled delivered failed lost
delivered: waiting
failed: waiting
cancelled: waiting
lost: waiting
skipped: waiting
"""


def written(moves: Mapping[State, frozenset[State]]) -> str:
    lines = (f"{source}: {' '.join(sorted(targets))}" for source, targets in moves.items())
    return "\n".join(["", *lines, ""])


def test_a_dispatch_moves_along_these_ways_only() -> None:
    assert written(DISPATCH_MOVES) == DISPATCHES


def test_a_task_moves_along_these_ways_only() -> None:
    assert written(TASK_MOVES) == TASKS


def test_a_state_is_terminal_when_nothing_but_taking_up_leads_out_of_it() -> None:
    for state, targets in DISPATCH_MOVES.items():
        assert state.is_terminal == (targets == {DispatchState.QUEUED})
    for state, targets in TASK_MOVES.items():
        assert state.is_terminal == (targets == {TaskState.WAITING})


def test_every_state_and_every_outcome_has_its_row() -> None:
    assert DISPATCH_MOVES.keys() == {*DispatchState}
    assert TASK_MOVES.keys() == {*TaskState}
    assert EXPLANATIONS.keys() == {*Outcome}
    assert all(sentence.endswith(".") for row in EXPLANATIONS.values() for sentence in row)
