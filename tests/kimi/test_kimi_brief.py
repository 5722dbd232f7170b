from dataclasses import replace

from inline_snapshot import snapshot

from kimi_mcp.kimi.brief import COMMON, Assignment, compose
from tokens import tokens

FIRST = Assignment(
    spec_title="Greetings",
    goal="Greet people in their language.",
    context="Follow `app/hello.py`.",
    out_of_scope="No new dependency.",
    number=1,
    title="Add French",
    reads=("app/hello.py:1-20",),
    writes=("CREATE app/french.py", "MODIFY app/__init__.py"),
    requirements="- `greet()` returns `Bonjour`\n- exported by the package",
    commands=("pytest -q tests/test_french.py",),
    manual_checks=("The accent is right",),
    further="Notes:\n- keep it short",
    dependency_changes=("M app/hello.py (task 3)",),
    step_budget=40,
)
SECOND = replace(
    FIRST,
    number=2,
    title="Add German",
    reads=(),
    writes=("CREATE app/german.py",),
    requirements="Say `Guten Tag`.",
    commands=(),
    manual_checks=(),
    further="",
    dependency_changes=(),
    step_budget=0,
)


def test_the_brief_says_what_and_where_and_nothing_else():
    assert compose(FIRST) == snapshot("""\
You are implementing one task of a specification in a private clone of a git repository. Another
program reviews the result: it compares the changed files with the task's list and runs the task's
commands itself on exactly what you leave behind.

Rules:
- Change only the files that the task lists. A change to any other file makes the work worthless.
- The list is exact: do not search the repository for more to do; read only what you need.
- If another file, or a decision that is not in the task, is needed: stop, change nothing more, and
  end with a line that starts with `BLOCKED: ` and says what you need.
- Run the check commands yourself and make them pass honestly; never weaken a test or a check.
- No git commands: the work is committed for you. Install nothing; start nothing in the background.
- Save steps: several tool calls in one answer where they do not depend on each other.
- When done, close with at most five lines: what you changed, and anything the reviewer must know.

# Goal
Greet people in their language.

# Context
Follow `app/hello.py`.

# Out of scope
No new dependency.

# Your task (1): Add French

Read first:
- app/hello.py:1-20

Already changed by the tasks before this one:
- M app/hello.py (task 3)

Files you may change, and nothing else:
- CREATE app/french.py
- MODIFY app/__init__.py

Requirements:
- `greet()` returns `Bonjour`
- exported by the package

Notes:
- keep it short

Check commands (run these; we run them again):
- pytest -q tests/test_french.py

The reviewer will also look at:
- The accent is right

You have at most 40 steps (model answers).
""")


def test_what_a_task_does_not_have_leaves_no_trace():
    own = compose(SECOND).partition("# Your task")[2]

    assert own == snapshot("""\
 (2): Add German

Files you may change, and nothing else:
- CREATE app/german.py

Requirements:
Say `Guten Tag`.
""")


def test_the_common_part_comes_first_and_is_the_same_for_all_tasks_of_a_spec():
    first, second = (compose(task).partition("# Your task") for task in (FIRST, SECOND))

    assert first[1]
    assert first[0] == second[0]
    assert first[0].startswith(COMMON)


def test_a_spec_without_a_goal_is_named_by_its_title():
    assert "# Goal\nGreetings\n" in compose(replace(FIRST, goal=" "))


def test_requirements_are_passed_on_as_they_are():
    code = "Write:\n\n```python\n  if x:\n\n    pass\n```"

    assert code in compose(replace(FIRST, requirements=code))


def test_the_frame_stays_under_its_budget():
    texts = (FIRST.goal, FIRST.context, FIRST.out_of_scope, FIRST.title, FIRST.requirements)
    lists = (FIRST.reads, FIRST.writes, FIRST.commands, FIRST.manual_checks)
    own = "\n".join([*texts, FIRST.further, *(item for one in lists for item in one)])

    assert tokens(compose(FIRST)) - tokens(own) <= 600
