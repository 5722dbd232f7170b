import os
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from dispatching import bench_of
from kimi_mcp.dispatch.planning.specs import PlanWish, write_spec
from kimi_mcp.errors import Refused
from kimi_mcp.spec.author import TaskAnswer
from sandbox import Sandbox
from tokens import tokens

SECRET = "the plan's own long words about why, for people"
PLAN = f"""\
# Add login

{SECRET} {"and more of them " * 200}

## Task 1: Add the form

Files:
- Create: `login/form.py`
- Modify: `app.py`

{SECRET}

Verification:
- `python3 -c "import login.form"`

## Task 2: Add the session

Files:
- Create: `login/session.py`

Verification:
- `python3 -c "import login.session"`

## Task 3: Join them

Depends on: Task 1, Task 2

Files:
- Modify: `app.py`

Verification:
- `python3 -c "import app"`
"""


def written(sandbox: Sandbox) -> list[str]:
    return sorted(file.name for file in (sandbox.root / "specs").glob("*"))


def in_claudes_plans(content: bytes) -> Path:
    file = Path(os.environ["HOME"], ".claude/plans/brave-plan.md")
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    return file


def test_the_reply_tells_tasks_and_what_is_next_without_the_plans_text(sandbox: Sandbox):
    plan = in_claudes_plans(PLAN.encode())

    text = write_spec(bench_of(sandbox), PlanWish(plan_path=str(plan)))

    assert written(sandbox) == ["001-add-login.md"]
    assert SECRET not in text
    assert "and more of them" not in text
    assert tokens(text) <= 500
    head = sandbox.git("rev-parse", "HEAD")[:10]
    hidden = text.replace(str(sandbox.root), "ROOT").replace(head, "BASE")
    assert hidden == snapshot("""\
specs/001-add-login.md: written, 3 tasks.
Repository ROOT (main at BASE).
1. "Add the form" · 2 files · 1 command · independent
2. "Add the session" · 1 file · 1 command · independent
3. "Join them" · 1 file · 1 command · after 1, 2
Predicted 14 to 20 steps (a rule of thumb). Worth delegating: 3 files.
Missing; answer by calling again with `tasks`:
1. task 2: no requirements (`requirements`)
2. task 3: no requirements (`requirements`)\
""")


def test_a_dry_run_writes_nothing(sandbox: Sandbox):
    text = write_spec(bench_of(sandbox), PlanWish(plan=PLAN, is_dry_run=True))

    assert "nothing written (dry run)" in text.splitlines()[0]
    assert not (sandbox.root / "specs").exists()


def test_a_task_with_holes_asks_for_what_is_missing(sandbox: Sandbox):
    wish = PlanWish(title="Add login", tasks=(TaskAnswer(title="Add the form"),))

    text = write_spec(bench_of(sandbox), wish)

    assert "Missing; answer by calling again with `tasks`:" in text
    assert "Next: dispatch_spec" not in text
    assert tokens(text) <= 500


def test_an_answer_fills_the_hole_of_the_same_spec(sandbox: Sandbox):
    bench = bench_of(sandbox)
    write_spec(bench, PlanWish(title="Add login", tasks=(TaskAnswer(title="Add the form"),)))

    text = write_spec(
        bench,
        PlanWish(
            spec="1",
            tasks=(
                TaskAnswer(
                    task=1,
                    files=("app.py",),
                    verification=("true",),
                    requirements="Say hello politely.",
                ),
            ),
        ),
    )

    assert text.splitlines()[-1] == "Next: dispatch_spec spec=1."
    assert written(sandbox) == ["001-add-login.md"]


VAGUE = """\
# Log in again

Fix the auth module. All tests pass.
"""


def test_a_vague_plan_is_asked_for_just_its_path_and_its_command(sandbox: Sandbox):
    bench = bench_of(sandbox)
    sandbox.write("src/auth/handler.ts", "export {}\n")
    sandbox.commit()

    asked = write_spec(bench, PlanWish(plan=VAGUE))

    assert asked.splitlines()[-2:] == [
        "1. task 1: no files (`files`)",
        "2. task 1: no command (`verification`)",
    ]

    answer = TaskAnswer(task=1, files=("src/auth/handler.ts",), verification=("git status",))
    told = write_spec(bench, PlanWish(plan=VAGUE, tasks=(answer,)))
    spec = (sandbox.root / "specs/001-log-in-again.md").read_text(encoding="utf-8")

    assert "Missing" not in told
    assert "- MODIFY src/auth/handler.ts" in spec
    assert "- `git status`" in spec
    assert "Fix the auth module. All tests pass." in spec
    assert written(sandbox) == ["001-log-in-again.md"]


LEFTOVERS = """\
# Plan: three parts

## Task 1: One ✅

Create `one.py`.

## Task 2: Two

Create `two.py`.

## Task 3: Three

Create `three.py`.

## Risks

Something could break in production.

## Open questions

- Which name?
"""


def test_what_ended_in_no_task_is_named_by_its_lines_and_never_echoed(sandbox: Sandbox):
    text = write_spec(bench_of(sandbox), PlanWish(plan=LEFTOVERS))

    assert text.splitlines()[0].endswith("written, 2 tasks, 1 ticked as done left out.")
    assert "In no task: plan lines 17 (notes), 21 (notes)." in text
    assert "Not yet: the plan has open questions (lines 19-21); settle them." in text
    assert "break in production" not in text
    assert "Which name" not in text


def test_a_plan_older_than_what_it_names_is_told(sandbox: Sandbox):
    plan = in_claudes_plans(b"# Plan\n\n## Task 1: A\n\nModify `app.py`.\n")
    os.utime(plan, (1, 1))

    text = write_spec(bench_of(sandbox), PlanWish(plan_path=str(plan)))

    assert "`app.py` changed after the plan was written" in text


def test_a_plan_with_many_faults_is_told_in_bounds(sandbox: Sandbox):
    answers = tuple(
        TaskAnswer(
            title=f"Part {n} of a larger piece of work on the login of the application",
            files=tuple(f"MODIFY src/login/forms/no_such_file_{n}_{k}.py" for k in range(4)),
        )
        for n in range(3)
    )

    text = write_spec(bench_of(sandbox), PlanWish(title="Many", tasks=answers))

    assert tokens(text) <= 500
    assert '- "task 1: `src/login/forms/no_such_file_0_0.py` to MODIFY does not exist' in text
    assert "more; dispatch_spec dry_run lists them all." in text


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (PlanWish(), "plan"),
        (PlanWish(plan_path="no-such-plan.md"), "no-such-plan.md lies outside"),
        (PlanWish(plan="x" * 1_000_001), "limits.plan_bytes"),
        (PlanWish(plan="A plan of nothing."), "task"),
    ],
)
def test_what_is_no_plan_is_refused_and_nothing_written(
    sandbox: Sandbox, wish: PlanWish, said: str
):
    with pytest.raises(Refused, match=said):
        write_spec(bench_of(sandbox), wish)

    assert not (sandbox.root / "specs").exists()


def test_a_plan_file_that_is_no_text_is_refused(sandbox: Sandbox):
    plan = in_claudes_plans(b"# Plan \xff\xfe")

    with pytest.raises(Refused, match="no UTF-8"):
        write_spec(bench_of(sandbox), PlanWish(plan_path=str(plan)))
