"""When the base is asked about a check, and for how long."""

import pytest

from kimi_mcp.dispatch.running.on_base import CHEAP_S, PASSED_S, time_s
from kimi_mcp.history.records import Check, Rerun
from kimi_mcp.spec.entries import Command, FileEntry, Operation
from kimi_mcp.spec.model import Task


def task(*entries: tuple[Operation, str]) -> Task:
    files = tuple(
        FileEntry(
            operation=operation,
            path=path,
            target=f"new/{path}" if operation is Operation.MOVE else None,
        )
        for operation, path in entries
    )
    return Task(number=1, title="x", files=files)


def check(
    exit_code: int | None = 0, *, duration_ms: int = 100, is_timed_out: bool = False
) -> Check:
    return Check(
        position=1,
        command="x",
        exit_code=exit_code,
        duration_ms=duration_ms,
        is_timed_out=is_timed_out,
        output_tail="",
    )


CREATES = task((Operation.CREATE, "src/login.py"))


def asked(command: str, of: Task = CREATES, *, result: Check | None = None, setup_s: float = 0):
    return time_s(result or check(), Command(text=command), of, setup_s=setup_s)


def test_a_failed_check_is_always_asked_about_unless_it_ran_out_of_time():
    modifies = task((Operation.MODIFY, "a.py"))

    assert asked("pytest", modifies, result=check(1), setup_s=300) == PASSED_S + 600.2
    assert asked("pytest", modifies, result=check(None, is_timed_out=True)) is None


@pytest.mark.parametrize(
    ("of", "command", "is_asked"),
    [
        (CREATES, "pytest -q", True),
        (CREATES, "python3 -c 'import src.login'", False),
        (CREATES, "test -e src/login.py", False),
        (task((Operation.MODIFY, "src/login.py")), "pytest -q", False),
        (task((Operation.DELETE, "src/login.py")), "pytest -q", False),
        (task((Operation.CREATE, "app/**")), "pytest -q", True),
        (task((Operation.CREATE, "app/**")), "pytest app", False),
        (task((Operation.MOVE, "login.py")), "make", True),
        (task((Operation.MOVE, "login.py")), "ls new/login.py", False),
    ],
)
def test_a_passed_check_is_asked_about_where_something_is_created_that_it_does_not_name(
    of: Task, command: str, *, is_asked: bool
):
    assert asked(command, of) == (PASSED_S if is_asked else None)


def test_a_passed_check_is_not_asked_about_where_the_answer_is_dear():
    assert asked("pytest", setup_s=CHEAP_S) is None
    assert asked("pytest", result=check(duration_ms=31_000)) is None
    assert asked("pytest", result=check(duration_ms=1_000), setup_s=20) == PASSED_S


def test_a_flaky_check_counts_as_passed():
    flaky = Check(
        position=1,
        command="x",
        exit_code=1,
        duration_ms=100,
        output_tail="",
        again=Rerun.PASSED,
    )

    assert asked("pytest", result=flaky) == PASSED_S
