"""One plan, its spec and its people, in any order: no edit is lost, and there is one number."""

import itertools
import re
from typing import ClassVar

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from dispatching import bench_of
from kimi_mcp.dispatch.planning.specs import PlanWish, write_spec
from kimi_mcp.spec.author import TaskAnswer
from kimi_mcp.spec.parse import parse
from sandbox import Sandbox

PLAN = """\
# Plan: two parts ({name})

Both are needed.

## Task 1: One

Create `one.py`.

{extra}

## Task 2: Two

After task 1, modify `app.py`.
"""
tasks = st.sampled_from([1, 2])


class Edits(RuleBasedStateMachine):
    """A plan is read again, changed, answered and edited, while commits go on."""

    names = itertools.count(1)
    sandbox: ClassVar[Sandbox]

    def __init__(self) -> None:
        super().__init__()
        self._sandbox = self.sandbox
        self._bench = bench_of(self.sandbox)
        self._name = f"plan-{next(self.names)}.md"
        self._words = itertools.count(1)
        self._extra = ""
        self._answers: dict[int, str] = {}
        self._edits: list[str] = []

    @initialize()
    def begin(self) -> None:
        self._plan()

    @rule()
    def the_plan_is_read_again(self) -> None:
        self._plan()

    @rule()
    def the_plan_changes(self) -> None:
        self._extra += f"Word {next(self._words)} of the plan.\n"
        self._plan()

    @rule(task=tasks)
    def a_hole_is_answered(self, task: int) -> None:
        self._answers[task] = f"true answer-{next(self._words)}"
        self._plan(TaskAnswer(task=task, verification=(self._answers[task],)))

    @rule(task=tasks)
    def a_person_edits_the_requirements(self, task: int) -> None:
        word = f"- by hand {next(self._words)}"
        head = f"### Task {task}:"
        section, rest = self._text().split(head, 1)[1], ""
        if "\n### " in section:
            section, rest = section.split("\n### ", 1)
            rest = f"\n### {rest}"
        edited = re.sub(r"(Requirements:\n)", rf"\1{word}\n", section, count=1)
        before = self._text().split(head, 1)[0]
        self._sandbox.write(self._path(), f"{before}{head}{edited}{rest}")
        self._edits.append(word)

    @rule()
    def the_spec_is_committed(self) -> None:
        self._sandbox.write(f"noise-{next(self._words)}-{self._name}", "x\n")
        self._sandbox.commit()

    @rule()
    def head_moves_without_the_spec(self) -> None:
        self._sandbox.git("commit", "-q", "--allow-empty", "-m", "Elsewhere")

    @rule()
    def a_dry_run_writes_nothing(self) -> None:
        before = self._text()

        self._plan(is_dry_run=True)

        assert self._text() == before

    @invariant()
    def nothing_is_lost_and_there_is_one_number(self) -> None:
        text = self._text()
        spec = parse(text, name="spec")

        assert all(word in text for word in self._edits)
        for task, answer in self._answers.items():
            assert [command.text for command in spec.task(task).commands] == [answer]
        assert spec.task(2).depends_on == (1,)

    def _plan(self, *answers: TaskAnswer, is_dry_run: bool = False) -> None:
        text = PLAN.format(name=self._name, extra=self._extra)
        file = self._sandbox.write(f"plans/{self._name}", text)
        write_spec(self._bench, PlanWish(plan_path=str(file), tasks=answers, is_dry_run=is_dry_run))

    def _path(self) -> str:
        found = [
            file
            for file in (self._sandbox.root / "specs").iterdir()
            if f"source: {self._name}\n" in file.read_text(encoding="utf-8")
        ]
        assert len(found) == 1
        return f"specs/{found[0].name}"

    def _text(self) -> str:
        return (self._sandbox.root / self._path()).read_text(encoding="utf-8")


def test_edits_and_answers_survive_in_any_order_and_make_no_second_number(sandbox: Sandbox):
    Edits.sandbox = sandbox
    run_state_machine_as_test(  # pyright: ignore[reportUnknownMemberType]  # untyped in Hypothesis
        Edits,
        settings=settings(
            max_examples=12,
            stateful_step_count=10,
            deadline=None,
            phases=(Phase.generate,),  # each step runs git: shrinking would outlast the test
        ),
    )
