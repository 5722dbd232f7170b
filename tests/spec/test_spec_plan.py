"""What is read off a plan, and what is left as a hole."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_mcp.spec.entries import Operation
from kimi_mcp.spec.pieces import DraftFile
from kimi_mcp.spec.plan import DraftTask, extract

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
    plan = extract("# Plan\n\nDo it well.\n\n1. First\n2. Second\n")

    assert plan.tasks == ()
    assert plan.goal.startswith("Do it well.")


_LINES = st.sampled_from(
    [
        *("# T", "## Task 1: a", "### Task 2", "#### Step 3: b", "## Task 1: again", "Files:"),
        *(
            "- Create: `a/b.py`",
            "- Modify: a.py:1-2, `c.py`",
            "Move `a/b` to `c/d`",
            "**Test:** `x`",
        ),
        *("Run: `y`", "Expected: FAIL", "```bash", "```", "cd x", "$ z", "> quote", "| a | b |"),
        *(
            "Verification",
            "- item",
            "  - nested",
            "",
            "Depends on: task 2 and 3",
            "Move `a/b` to `c`",
        ),
        *(
            "**Files to modify/create:**",
            "- [ ] **Step 1: Run it**",
            "`` ` ``",
            "[a](b/c.md)",
            "---",
        ),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_LINES | st.text(), max_size=25).map("\n".join))
def test_no_text_raises_and_no_path_or_command_is_invented(text: str):
    for task in extract(text).tasks:
        for entry in task.files:
            assert entry.path in text
            assert (entry.target or "") in text
        for command in task.commands:
            assert all(part in text for part in command.split(" && "))
