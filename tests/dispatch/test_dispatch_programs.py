"""Which programs a check's text names for sure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.dispatch.running.programs import is_made, programs
from kimi_mcp.spec.entries import FileEntry, Operation
from kimi_mcp.spec.model import Task


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("pytest -q", ("pytest",)),
        ("! grep -q x a.txt", ("grep",)),
        ("A=1 B='x y' npm test", ("npm",)),
        ("cd web && npm run build; npm test | tee log", ("npm", "tee")),
        ("cd web && ./run.sh", ()),
        ("npm ci && jest", ("npm",)),
        ("./run.sh --all", ("./run.sh",)),
        ("test -f a && echo yes", ()),
        ("ruff check . || flake8", ()),
        ("(cd web; npm test)", ()),
        ("if which npm; then npm test; fi", ()),
        ("$RUNNER tests", ()),
        ("python3 -c 'import a; import b && c'", ("python3",)),
        ("grep 'open", ()),
        ("> out.txt make", ("make",)),
        ("", ()),
    ],
)
def test_what_a_check_runs_is_named_where_it_is_sure(text: str, named: tuple[str, ...]) -> None:
    assert tuple(programs([text])) == named


def test_what_earlier_checks_may_have_built_or_installed_is_not_missed() -> None:
    assert programs(["make", "./build/app", "pytest", "make setup", "ruff check"]) == {
        "make": "make",
        "pytest": "pytest",
    }


@given(st.text(max_size=60))
def test_any_text_can_be_asked(text: str) -> None:
    assert all(programs([text, text]))


def test_a_program_that_the_task_writes_is_not_missed() -> None:
    task = Task(
        number=1,
        title="x",
        files=(
            FileEntry(operation=Operation.CREATE, path="tools/bin/**"),
            FileEntry(operation=Operation.MOVE, path="old.sh", target="web/new.sh"),
            FileEntry(operation=Operation.READ, path="seen.sh"),
        ),
    )

    assert is_made("./bin/verify", "tools", task)
    assert is_made("./new.sh", "web", task)
    assert is_made("new.sh", None, task)
    assert not is_made("./seen.sh", None, task)
