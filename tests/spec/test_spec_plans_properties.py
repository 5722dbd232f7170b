"""What holds for every text, plan or not."""

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from written_plans import WRITTEN

from kimi_mcp.errors import Refused
from kimi_mcp.spec.author import Authored, Order, author
from kimi_mcp.spec.model import Spec
from kimi_mcp.spec.parse import parse
from kimi_mcp.spec.plans.draft import Draft
from kimi_mcp.spec.plans.extract import extract
from kimi_mcp.spec.shelf import Shelf

LINES = sorted({line for plan in WRITTEN.values() for line in plan.text.split("\n")})
ODD = [
    *(
        "- [x] **Step 1: Run**",
        "| a | b |",
        "|---|---|",
        "| 1 | `x/y.py` |",
        "~~~",
        "```diff",
        "> q",
    ),
    *(
        "--- a/x.py",
        "+++ b/x.py",
        "rename from a/b",
        "rename to c/d",
        "===",
        "---",
        "<task>",
        "<!--",
    ),
    *(
        "Task 1 → Task 2",
        "1) one",
        "①. x",
        "第",
        "### Task 1: `a/b.py` → [c](d/e.py)",
        "Files: `a`",
    ),
    *("Depends on: Task 99999999999", "Budget: 0 steps", "Budget: 12 steps", "`` ` ``", "**", "\\"),
    *(
        "Run: `pytest` && `rm -rf /`",
        "Move `a/b` to `c/d`",
        "    code",
        "\t- x",
        "Task 1-9 [INDEPENDENT]",
    ),
]
texts = st.lists(st.sampled_from(LINES) | st.sampled_from(ODD) | st.text(max_size=40), max_size=40)
plans = texts.map("\n".join)
_suite = settings(max_examples=150, deadline=None)


def invented(plan: Draft, text: str) -> list[str]:
    paths = [p for t in plan.tasks for f in t.files for p in (f.path, f.target) if p is not None]
    parts = [part for t in plan.tasks for c in t.commands for part in c.split(" && ")]
    return [said for said in [*paths, *parts] if said not in text]


@_suite
@given(plans)
def test_any_text_is_read_the_same_way_twice_and_nothing_is_invented(text: str):
    plan = extract(text)

    assert extract(text) == plan
    assert invented(plan, text) == []
    count = text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    for task in plan.tasks:
        assert 1 <= task.start <= task.stop <= count
        assert task.number not in task.depends_on
    for part in plan.uncovered:
        assert 1 <= part.start <= part.stop <= count
    assert bool(plan.refusal) == (not any(task.is_open for task in plan.tasks))


@_suite
@given(plans)
def test_every_spec_made_of_a_plan_survives_being_written_and_read(text: str):
    with tempfile.TemporaryDirectory() as folder:
        made = _made(Shelf(Path(folder)), text)

    assert made is None or _values(parse(made.text)) == _values(made.spec)


def _made(shelf: Shelf, text: str) -> Authored | None:
    try:
        return author(
            shelf, Order(plan=text, source="p.md"), is_dispatched=lambda _: False, dry_run=True
        )
    except Refused:
        return None


def _values(spec: Spec) -> Spec:
    return replace(spec, layout=(), tasks=tuple(replace(task, layout=()) for task in spec.tasks))
