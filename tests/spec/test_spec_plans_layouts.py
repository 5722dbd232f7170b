"""Plans without a word for their parts: what stands as like things in a row is taken for tasks."""

import pytest

from kimi_mcp.spec.plans.extract import extract

LAYOUTS = {
    "headings under one that speaks of work": """\
# Login

## Implementation

### Login form
Change `web/form.py`.

### Session store
Change `web/store.py`.

## Risks

### Nobody logs in
### The store is slow
""",
    "headings that are orders": """\
# Login

## Add a login form
Change `web/form.py`.

## Add a session store
Change `web/store.py`.

## Background
Sessions are kept in memory.
""",
    "sections whose steps are ticked off and begin anew": """\
# Login

## Login form
Files: `web/form.py`

- [ ] Step 1: Write it
- [ ] Step 2: Style it

## Session store
Files: `web/store.py`

- [ ] Step 1: Write it
- [ ] Step 2: Fill it
""",
    "a numbered list beneath a heading beneath one that speaks of work": """\
# Login

## Implementation

### In the web folder

1. Login form: change `web/form.py`
2. Session store: change `web/store.py`
""",
    "a numbered list and nothing else": """\
# Login

1. Login form: change `web/form.py`
2. Session store: change `web/store.py`
""",
    "a table with its numbers in a column of their own": """\
# Login

| Step | What | File |
|------|------|------|
| 1 | Login form | `web/form.py` |
| 2 | Session store | `web/store.py` |
| 3 | | |
""",
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=list(LAYOUTS))
def test_parts_without_a_word_for_them_are_tasks(text: str) -> None:
    plan = extract(text)

    assert [task.title.split(":")[0].removeprefix("Add a ").lower() for task in plan.tasks] == [
        "login form",
        "session store",
    ]
    assert [[file.path for file in task.files] for task in plan.tasks] == [
        ["web/form.py"],
        ["web/store.py"],
    ]
