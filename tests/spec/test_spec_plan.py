"""What is read off a plan, and what is left as a hole."""

import pytest

from kimi_mcp.spec.entries import Operation
from kimi_mcp.spec.plans.draft import DraftFile, DraftTask
from kimi_mcp.spec.plans.extract import extract

PLAN = """\
# Implementation Plan: Two ways in

People need a second way in.

## Background

We use small modules.

## Non-goals

- No new database

### Task 1: The store

**Files:**
- Create: `src/store.py`
- Modify: `src/app.py:10-20`
- Test: `tests/test_store.py`

Keep `Store.open()` as it is; read `docs/notes.md` first.

```python
# ### Task 9: not a task
x = 1
```

- [ ] **Step 1: Run the test to see it fail**

Run: `pytest tests/test_other.py`
Expected: FAIL

Run: `pytest tests/test_store.py -q`
Expected: PASS

### Task 2: The page

Depends on: Task 1

Files:
- `web/page.ts` (new)
- Rename: `web/a.ts` -> `web/b.ts`

Show it.

#### Verification

- `npm test`
- The page is readable
```bash
cd web
npm run lint
```

---

## Risks

None.
"""


def test_a_plan_with_task_headings_is_read_exactly():
    plan = extract(PLAN)
    store, page = plan.tasks

    assert plan.title == "Two ways in"
    assert plan.goal == "People need a second way in."
    assert plan.context == "We use small modules."
    assert plan.out_of_scope == "- No new database"
    assert store.files == (
        DraftFile(Operation.CREATE, "src/store.py"),
        DraftFile(Operation.MODIFY, "src/app.py:10-20"),
        DraftFile(None, "tests/test_store.py"),
        DraftFile(Operation.READ, "docs/notes.md"),
    )
    assert store.commands == ("pytest tests/test_store.py -q",)
    assert "Keep `Store.open()` as it is" in store.requirements
    assert "# ### Task 9: not a task" in store.requirements
    assert "src/store.py" not in store.requirements
    assert page == DraftTask(
        number=2,
        title="The page",
        depends_on=(1,),
        files=(
            DraftFile(Operation.CREATE, "web/page.ts"),
            DraftFile(Operation.MOVE, "web/a.ts", "web/b.ts"),
        ),
        requirements="Show it.",
        commands=("npm test", "cd web && npm run lint"),
        manual=("The page is readable",),
    )


def test_crlf_says_the_same():
    assert extract(PLAN.replace("\n", "\r\n")) == extract(PLAN)


def test_steps_are_tasks_where_there_are_no_tasks():
    plan = extract("# P\n\n## Step 1. One\n\nCreate `a.py` with x.\n\n## Step 2 — Two\n\nDo.\n")

    assert [(task.number, task.title) for task in plan.tasks] == [(1, "One"), (2, "Two")]
    assert plan.tasks[0].files == (DraftFile(Operation.CREATE, "a.py"),)
    assert plan.tasks[0].requirements == "Create `a.py` with x."


def test_steps_inside_tasks_are_requirements():
    plan = extract("## Task 1: A\n\n### Step 1: x\n\nfirst\n\n## Task 2: B\n\nsecond\n")

    assert [task.title for task in plan.tasks] == ["A", "B"]
    assert plan.tasks[0].requirements == "### Step 1: x\n\nfirst"


def test_dotted_numbers_become_whole_ones_and_dependencies_follow():
    plan = extract("### Task 1.1: A\n\nx\n\n### Task 1.2: B\n\nDepends on: Task 1.1\n")

    assert [(task.number, task.depends_on) for task in plan.tasks] == [(1, ()), (2, (1,))]


def test_a_verb_in_capitals_is_read():
    (task,) = extract("## Task 1: A\n\nCREATE src/a.py\n\n- DELETE: old.py\n").tasks

    assert DraftFile(Operation.DELETE, "old.py") in task.files


def test_prose_routes_and_calls_are_no_paths():
    text = "Add `/api/login` and update `user.name`; create `run()`.\n\n- Modify `x::y`\n"
    (task,) = extract(f"## Task 1: A\n\n{text}").tasks

    assert task.files == ()
    assert task.requirements == text.strip()


def test_a_script_that_is_more_than_commands_is_no_check():
    text = "**Verification:**\n\n```bash\ncat > x <<EOF\nhello\nEOF\n```\n"
    (task,) = extract(f"## Task 1: A\n\n{text}").tasks

    assert task.commands == ()
    assert "cat > x <<EOF" in task.requirements


def test_a_plan_of_another_shape_has_no_tasks():
    plan = extract("# Plan\n\nDo it well.\n\nFirst this, then that.\n")

    assert plan.tasks == ()
    assert plan.refusal
    assert plan.goal.startswith("Do it well.")


@pytest.mark.parametrize(
    ("fence", "commands", "manual"),
    [
        ("pytest -q 2>&1 | tail -5", ("pytest -q",), ()),
        ("go test ./...", ("go test ./...",), ()),
        ("ruff check .", ("ruff check .",), ()),
        ("npm run dev\nnpm test", ("npm test",), ("`npm run dev`",)),
        ("cat out.txt", (), ("`cat out.txt`",)),
        ("git add . && git commit -m x", (), ()),
        ("npm install\nnpm test", ("npm test",), ()),
        ("Everything is well.", (), ()),
        ("deploy <name>", (), ()),
        ("x = 1", (), ()),
        ("cd web\nnpm i\nnpm test", ("cd web && npm test",), ()),
    ],
)
def test_only_what_can_fail_is_a_check(
    fence: str, commands: tuple[str, ...], manual: tuple[str, ...]
):
    text = f"## Task 1: A\n\n**Verification:**\n\n```\n{fence}\n```\n"
    (task,) = extract(text).tasks

    assert (task.commands, task.manual) == (commands, manual)


@pytest.mark.parametrize(
    "prose",
    [
        "Wrap it in `try/catch` and log to `/var/log`.",
        "Do not touch `src/old.py`.",
        "The branch is `fix/login`; import `node:fs/promises` and use `.js` names.",
        "See [the rules](../rules.md#L20) and `~/.config/x.toml`.",
    ],
)
def test_prose_names_no_file_by_chance(prose: str):
    (task,) = extract(f"## Task 1: A\n\nUpdate things. {prose}\n").tasks

    assert [f for f in task.files if f.operation is not Operation.READ] == []


def test_a_link_is_its_text_where_that_is_a_path():
    (task,) = extract("## Task 1: A\n\n- Update [`src/a.py:20`](../../src/a.py#L20)\n").tasks

    assert task.files == (DraftFile(Operation.MODIFY, "src/a.py:20"),)


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        ("- [ ] Which store?\n\n---\n", ((5, 7),)),
        ("Which store?", ((5, 7),)),
        ("- [x] Which store? That one.", ()),
        ("None.", ()),
    ],
)
def test_questions_are_open_until_they_are_ticked(said: str, lines: tuple[tuple[int, int], ...]):
    text = f"## Task 1: A\n\nUpdate `a.py`.\n\n## Open questions\n\n{said}\n"

    assert extract(text).questions == lines


def test_the_lines_that_part_a_section_from_others_are_none_of_its_text():
    plan = extract("# P\n\n## Goal\n\n---\n\nBe quick.\n\n---\n\n## Task 1: A\n\n`a.py`\n")

    assert plan.goal == "Be quick."


@pytest.mark.parametrize(
    ("heads", "titles"),
    [
        (("① One", "② Two"), ["One", "Two"]),
        (("TaskA: One", "TaskB: Two"), []),
        (("Task A: One", "Task B: Two"), ["One", "Two"]),
    ],
)
def test_a_part_is_known_by_a_number_or_a_letter_of_its_own(
    heads: tuple[str, str], titles: list[str]
):
    text = "".join(f"## {head}\n\nCreate `a.py`.\n\n" for head in heads)

    assert [task.title for task in extract(f"# P\n\n{text}").tasks] == titles


def test_a_task_that_stands_within_another_is_a_part_of_it():
    plan = extract("## Task 1: A\n\nx\n\n### Task 2: B\n\nCreate `b.py`.\n\n## Task 3: C\n\ny\n")

    assert [task.title for task in plan.tasks] == ["A", "C"]
    assert plan.tasks[0].requirements == "x\n\n### Task 2: B\n\nCreate `b.py`."
