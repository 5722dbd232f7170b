"""The format: what is read, what is refused, and what an edit leaves alone."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from replacing import with_task

from kimi_mcp.errors import Refused, SpecInvalid
from kimi_mcp.spec.entries import read_check
from kimi_mcp.spec.model import Block, Command, FileEntry, Manual, Operation, Section, Spec, Task
from kimi_mcp.spec.parse import parse
from kimi_mcp.spec.render import render

SPECS = Path(__file__).parents[2] / "specs"

SEED = """\
# Spec: 001 -- Kimi Plan Integration

## Tasks
### Task 1: Create Kimi Delegation Rules [INDEPENDENT]

Files to create:
- CREATE ~/.claude/rules/common/kimi-delegation.md

Requirements:
- When to Suggest (proposal criteria)

Verification:
- Confirm 5 sections exist
"""

FULL = """\
---
number: 7
source: plan.md
# a comment of mine
base: "1234567"
---

# Spec: 007 -- Log in

Words before the first section.

## Goal
People can log in.

## Risks

- None known

## Tasks

<!-- ### Task 9: not a task -->

### Task 1: Store

Short preface.

**Files:**
* MODIFY  `src/a b.py`:3-9   # why
* MOVE old.py -> new.py

Requirements:
1. Keep this:
   ```
   ### Task 8: in a fence
   Verification:
   ```

Rollback plan:
Undo it.

Verification:
- [ ] `make test` (in web app dir)
- `pytest -q` (in `web app`, timeout 1.5m)
- `npm test` reaches 80 %
- the word `pytest` in a sentence
  goes on here

Budget: 40 steps

### Task 2: Show

Depends on: Task 1
"""


def _task(lines: str) -> Task:
    return parse(f"# Spec: 1 -- x\n\n## Tasks\n\n### Task 1: t\n\n{lines}\n").task(1)


def _problems(text: str) -> list[str]:
    with pytest.raises(SpecInvalid) as refused:
        parse(text, name="s.md")
    return str(refused.value).split("\n")


def test_the_seed_is_read_as_it_is():
    spec = parse(SEED)

    assert spec == Spec(
        number=1,
        title="Kimi Plan Integration",
        tasks=(
            Task(
                number=1,
                title="Create Kimi Delegation Rules",
                is_marked_independent=True,
                files=(
                    FileEntry(
                        operation=Operation.CREATE,
                        path="~/.claude/rules/common/kimi-delegation.md",
                    ),
                ),
                requirements="- When to Suggest (proposal criteria)",
                verification=(Manual(text="Confirm 5 sections exist"),),
            ),
        ),
    )
    assert render(spec) == SEED


def test_every_part_of_the_format_is_read():
    spec = parse(FULL)
    store, show = spec.tasks

    assert (spec.number, spec.source, spec.base) == (7, "plan.md", "1234567")
    assert spec.preface == "Words before the first section."
    assert spec.goal == "People can log in."
    assert spec.sections == (Section(title="Risks", text="- None known"),)
    assert store.preface == "Short preface."
    assert store.files == (
        FileEntry(operation=Operation.MODIFY, path="src/a b.py", lines="3-9", note="why"),
        FileEntry(operation=Operation.MOVE, path="old.py", target="new.py"),
    )
    assert "### Task 8: in a fence" in store.requirements
    assert store.others == (Block(label="Rollback plan", text="Undo it."),)
    assert store.verification == (
        Command(text="make test", note="(in web app dir)"),
        Command(text="pytest -q", directory="web app", timeout_s=90),
        Command(text="npm test", note="reaches 80 %"),
        Manual(text="the word `pytest` in a sentence goes on here"),
    )
    assert store.budget == 40
    assert show.depends_on == (1,)
    assert store.manual_checks == (
        "make test: (in web app dir)",
        "npm test: reaches 80 %",
        "the word `pytest` in a sentence goes on here",
    )


def test_the_whole_text_comes_back_byte_for_byte():
    assert render(parse(FULL)) == FULL


@pytest.mark.parametrize(
    "text",
    [
        FULL.replace("\n", "\r\n"),
        FULL.rstrip("\n"),
        f"\ufeff{FULL}",
        f"{FULL}\n\n\n",
        FULL.replace("- ", "*   "),
    ],
    ids=["crlf", "no final newline", "byte order mark", "blank end", "other bullets"],
)
def test_line_ends_and_habits_of_other_editors_come_back(text: str):
    assert render(parse(text)) == text
    assert parse(text).tasks[1].depends_on == (1,)


def test_replacing_a_field_leaves_every_other_byte():
    text = FULL.replace("\n", "\r\n")
    spec = with_task(parse(text), 1, verification=(Command(text="make all"),))

    before, after = text.split("Verification:\r\n- [ ]")
    assert render(spec) == (
        before + "Verification:\r\n- `make all`\r\n\r\n" + after[after.index("Budget") :]
    )


def test_replacing_two_file_blocks_leaves_one():
    text = SEED.replace("Requirements:", "Files to modify:\n- a.py\n\nRequirements:")
    entry = FileEntry(operation=Operation.DELETE, path="b.py")
    spec = parse(render(with_task(parse(text), 1, files=(entry,))))

    assert parse(text).task(1).files[1] == FileEntry(operation=Operation.MODIFY, path="a.py")
    assert spec == with_task(parse(SEED), 1, files=(entry,))


def test_a_field_that_was_absent_is_put_in_its_place():
    rendered = render(with_task(parse(SEED), 1, depends_on=(2, 3)))

    assert "[INDEPENDENT]\n\nDepends on: Task 2, Task 3\n\nFiles to create:" in rendered


def test_the_section_of_a_task_is_its_text_verbatim():
    section = parse(FULL).task(1).section

    assert section.startswith("### Task 1: Store\n\nShort preface.")
    assert section in FULL
    assert "### Task 2" not in section


def test_text_that_looks_like_structure_is_escaped_and_read_back():
    requirements = "## Not a section\nFiles: are many\n```\nnever closed\n### Task 4: no"
    spec = Spec(number=1, title="x", tasks=(Task(number=1, title="t", requirements=requirements),))

    assert "\\## Not a section\nFiles\\: are many\n\\```\n" in render(spec)
    assert parse(render(spec)) == spec


@pytest.mark.parametrize(
    ("item", "check"),
    [
        ("`a`", Command(text="a")),
        ("`` a `b` ``", Command(text="a `b`")),
        ("`a` (in dir)", Command(text="a", directory="dir")),
        ("`a` (timeout 90 seconds)", Command(text="a", timeout_s=90)),
        (
            "`a` (in d, timeout 2h) and look",
            Command(text="a", directory="d", timeout_s=7200, note="and look"),
        ),
        ("run `a` and look", Manual(text="run `a` and look")),
        ("manual: `a`", Manual(text="`a`")),
    ],
)
def test_a_check_is_a_command_only_when_it_begins_with_a_span(item: str, check: Command | Manual):
    assert _task(f"Verification:\n- {item}").verification == (check,)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("Files:\n- src/a.py", "s.md:8: `src/a.py` names no operation"),
        ("Files:\nsrc/a.py", "s.md:8: `src/a.py` is no list item"),
        ("Files: src/a.py", "s.md:7: `Files:` is followed by text"),
        ("Files:\n- MOVE a", "s.md:8: `MOVE a` does not say where to"),
        ("Files:\n- MODIFY a b", "s.md:8: `MODIFY a b` has more than a path"),
        ("Verification:\n```\npytest\n```", "s.md:8: a fenced block is no check"),
        ("Verification:\n- `a` (timeout 0s)", "s.md:8: `a`: a timeout of 0 s"),
        ("Depends on: everything", "s.md:7: `everything` is no task"),
        ("Budget: a lot", "s.md:7: `a lot` is no budget"),
        ("Requirements:\na\n\nRequirements:\nb", "s.md:10: a second `Requirements:`"),
        ("```\nopen", "s.md:7: this fenced block is never closed"),
        ("<!-- open", "s.md:7: this comment is never closed"),
        ("### Notes", "s.md:7: a heading under `## Tasks` names a task"),
        ("# Other", "s.md:7: a second `#` title"),
        ("## Tasks", "s.md:7: a second `## Tasks`"),
    ],
)
def test_a_broken_line_is_named_with_its_number_and_what_to_do(line: str, problem: str):
    found = _problems(f"# Spec: 1 -- x\n\n## Tasks\n\n### Task 1: t\n\n{line}\n")

    assert len(found) == 1
    assert found[0].startswith(problem)
    assert ";" in found[0]


@pytest.mark.parametrize(
    ("front", "problem"),
    [
        ("number: [1", "s.md:2: the front matter is no YAML"),
        ("nmber: 1", "s.md:2: `nmber` is no key of a spec; nearest: number"),
        ("base: 1234567", "s.md:2: `base` must be text"),
        ("source: !!python/object:os.system {}", "s.md:2: the front matter is no YAML"),
        ("- a", "s.md:1: the front matter is no mapping"),
        ("number: 2", "s.md:4: the title says 1, the front matter 2"),
        ("budget: 0", "s.md:2: `budget` must be a whole number, 1"),
        ("profile: " + "[" * 1500, "s.md:"),
    ],
)
def test_broken_front_matter_is_refused(front: str, problem: str):
    assert _problems(f"---\n{front}\n---\n# Spec: 1 -- x\n## Tasks\n")[0].startswith(problem)


def test_all_problems_are_named_at_once_in_the_order_of_the_text():
    found = _problems("lead\n# Spec: x\n## Tasks\n### Task 1\nBudget: x\n## Tasks\n")

    assert [line.split(":")[1] for line in found] == ["1", "5", "6"]


@pytest.mark.parametrize("text", ["", "words", "# Plan\n", "# Spec: x\n", "---\nnumber: 1"])
def test_a_text_that_is_no_spec_is_refused(text: str):
    assert _problems(text)


def test_an_unknown_task_is_refused_with_those_there_are():
    with pytest.raises(Refused, match="no task 5 in this spec; its tasks are: 1, 2"):
        parse(FULL).task(5)


@pytest.mark.parametrize("name", ["TEMPLATE.md", "001-kimi-plan-integration.md", "002-demo.md"])
def test_the_specs_of_this_repository_come_back_byte_for_byte(name: str):
    text = (SPECS / name).read_bytes().decode()

    assert render(parse(text, name=name)) == text


def test_parsing_loads_neither_the_markdown_parser_nor_the_validating_library():
    program = (
        "import sys, kimi_mcp.spec.parse, kimi_mcp.spec.lint as m;"
        "print([n for n in ('markdown_it', 'pydantic', 'yaml', 'structlog') if n in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Block(label="Files", text="x"), "cannot be a label of its own"),
        (lambda: Block(label="one two three four five", text="x"), "one to four plain words"),
        (lambda: Task(number=-1, title="t"), "task -1: task numbers are 0 or more"),
        (lambda: Task(number=1, title="t", depends_on=(-1,)), "task 1: task numbers are 0 or more"),
        (lambda: Task(number=1, title="t", budget=0), "a budget is 1 step or more, not 0"),
        (lambda: Spec(number=-1, title="t"), "a spec's number is 0 or more, not -1"),
        (lambda: FileEntry(operation=Operation.MOVE, path="a"), "write `MOVE old -> new`"),
        (lambda: FileEntry(operation=Operation.READ, path="a", target="b"), "belongs to MOVE"),
        (lambda: FileEntry(operation=Operation.READ, path="a", lines="x"), "write `a:10-20`"),
    ],
)
def test_what_no_spec_could_say_is_refused_when_it_is_made(make: Callable[[], object], reason: str):
    with pytest.raises(SpecInvalid, match=re.escape(reason)):
        make()


def test_prose_that_would_be_read_as_a_broken_command_is_marked_as_prose():
    check = Manual(text="`make` (timeout 0s)")

    assert str(check) == "manual: `make` (timeout 0s)"
    assert read_check(str(check)) == check
