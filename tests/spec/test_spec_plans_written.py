"""What is read off plans of many languages and layouts, and which are refused."""

import pytest
from written_plans import REFUSED, WRITTEN, Written

from kimi_mcp.spec.plans.draft import DraftFile, DraftTask
from kimi_mcp.spec.plans.extract import extract


def said(file: DraftFile) -> str:
    target = f" {file.target}" if file.target else ""
    return f"{file.operation or '?'} {file.path}{target}"


@pytest.mark.parametrize("written", WRITTEN.values(), ids=list(WRITTEN))
def test_the_tasks_of_a_plan_are_read_in_any_language_and_layout(written: Written):
    plan = extract(written.text)
    tasks: dict[int, DraftTask] = dict(enumerate(plan.tasks, 1))

    assert tuple(task.title for task in plan.tasks) == written.titles
    for place, files in written.files.items():
        assert tuple(map(said, tasks[place].files)) == files
    assert {n: tasks[n].commands for n in written.commands} == written.commands
    assert {n: tasks[n].depends_on for n in written.depends_on} == written.depends_on
    assert tuple(n for n, task in tasks.items() if task.is_done) == written.done
    assert (plan.goal, plan.context, plan.out_of_scope) == (
        written.goal,
        written.context,
        written.out_of_scope,
    )
    assert plan.refusal is None


@pytest.mark.parametrize("written", WRITTEN.values(), ids=list(WRITTEN))
def test_line_ends_change_nothing(written: Written):
    assert extract(written.text.replace("\n", "\r\n")) == extract(written.text)


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=list(REFUSED))
def test_what_holds_no_work_is_refused_with_the_reason(text: str, reason: str):
    plan = extract(text)

    assert not any(task.is_open for task in plan.tasks)
    assert reason in (plan.refusal or "")
