"""What the lines, tables, listings and labels of one task say of files, checks and budget."""

import pytest

from kimi_mcp.spec.plans.draft import DraftFile, DraftTask
from kimi_mcp.spec.plans.extract import extract


def task(body: str) -> DraftTask:
    (found,) = extract(f"## Task 1: A\n\n{body}\n").tasks
    return found


def said(file: DraftFile) -> str:
    target = f" {file.target}" if file.target else ""
    return f"{file.operation or '?'} {file.path}{target}"


TABLE = "| File | Change |\n|---|---|\n"
PATCH = """\
```diff
--- /dev/null
+++ b/src/new.py
--- a/src/old.py
+++ /dev/null
--- a/src/a.py
+++ b/src/a.py
```"""
RENAME = """\
```diff
rename from src/a.py
rename to src/b.py
--- a/src/a.py
+++ b/src/b.py
```"""


@pytest.mark.parametrize(
    ("body", "files"),
    [
        (f"{TABLE}| `src/a.py` | New |\n| `src/b.py` | Modify: its head |", "CREATE a, MODIFY b"),
        (f"{TABLE}| src/c.py | Delete |\n| a note | none |", "DELETE c"),
        (f"{TABLE}| see `src/a.py` | new |", ""),
        (
            f"**Files to create:**\n\n{TABLE}| `src/a.py` | The queue |\n| `src/b.py` (delete) | |",
            "CREATE a, DELETE b",
        ),
        (f"**Verification:**\n\n{TABLE}| `src/a.py` | new |", ""),
        ("- `src/a.py`: add the queue\n- `src/b.py` — read it first", "? a"),
        ("- `src/a.py` (new)\n- `src/b.py`: create, 20 lines", "CREATE a, CREATE b"),
        ("- `src/a.py`: remove the dead branch\n- `src/b.py`: rename `x` to `y`", "? a, ? b"),
        ("- Remove the old flag, `src/a.py`: rename the branch", "? a"),
        ("- `src/a.py` — delete\n- `src/b.py`: remove the file", "DELETE a, DELETE b"),
        ("- Delete `src/a.py` (replaced by a queue)", "DELETE a"),
        ("- Modify `src/a.py`: rename `x` to `y`, add `z`", "MODIFY a"),
        (
            "- `src/a.py`: 删除\n- `src/b.py`: 删除旧函数\n- `src/c.py` 删除",
            "DELETE a, ? b, DELETE c",
        ),
        ("- `src/a.py` を削除する\n- `src/b.py` から古い関数を削除", "DELETE a, ? b"),
        (f"{TABLE}| `src/a.py` | remove `x` |\n| `src/b.py` | Delete (unused) |", "? a, DELETE b"),
        (f"{TABLE}| `src/a.py` | 删除旧函数 |\n| `src/b.py` | 删除 |", "? a, DELETE b"),
        ("- `src/c.py` holds the rest", "? c"),
        (PATCH, "CREATE new, DELETE old, MODIFY a"),
        (RENAME, "MOVE a b"),
        ("**Files:**\n- modify\n- create src/a.py\n- add update change", "CREATE a"),
        ("**Files:** create `src/a.py` for all that is to wait", "CREATE a"),
        ("Create: the store in `src/a.py`", "? a"),
        ("Move `src/a.py` to src/b.py.", "MOVE a b"),
        ("Move `src/a.py` somewhere better.", ""),
        ("`src/a.py` 里处理请求", ""),
    ],
)
def test_a_line_a_row_or_a_listing_says_what_happens_to_a_file(body: str, files: str) -> None:
    told = ", ".join(map(said, task(body).files))

    assert told.replace("src/", "").replace(".py", "") == files


@pytest.mark.parametrize(
    ("body", "commands", "manual"),
    [
        (
            "Run:\n\n```bash\n./fast.sh now\n```\n\n```bash\n./other.sh now\n```",
            "./fast.sh now",
            "",
        ),
        ("Run it, which fails:\n\n```bash\npytest -q\n```", "", ""),
        ("Run, which fails: `pytest -q`", "", ""),
        ("Tests:\n- `pytest -q`\n- every page opens", "pytest -q", "every page opens"),
        ("Test: every page opens", "", "every page opens"),
        ("Test of what is a rather long label: every page opens", "", ""),
        ("**Verification:**\n\nThe page opens\nand is read.", "", "The page opens and is read."),
        (
            "**Verification:**\n- `pytest -q` on both systems",
            "pytest -q",
            "`pytest -q` on both systems",
        ),
        ("**Verification:**\n- `smoke`\n- `2 x`", "smoke", "`2 x`"),
        ("**Verification:**\n- `smoke` twice", "", "`smoke` twice"),
        ("Verify: Run: `./smoke.sh --all`", "./smoke.sh --all", ""),
        ("Run: `pytest -q`\n\nVerify: Expected: FAIL", "", ""),
    ],
)
def test_a_label_says_what_checks_the_result(body: str, commands: str, manual: str) -> None:
    found = task(body)

    assert ("\n".join(found.commands), "\n".join(found.manual)) == (commands, manual)


def test_what_a_task_waits_for_may_be_listed_under_a_label() -> None:
    plan = extract(
        "## Task 1: A\n\nx\n\n## Task 2: B\n\ny\n\n"
        "## Task 3: C\n\nDepends on:\n- Task 1\n- Task 2\n\n## Task 4: D\n\nz\n"
    )

    assert [one.depends_on for one in plan.tasks] == [(), (), (1, 2), ()]
