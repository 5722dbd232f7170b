"""From a plan and answers to a spec file, again and again."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from kimi_mcp.demo.story import PLAN as DEMO_PLAN
from kimi_mcp.demo.story import PROGRAM
from kimi_mcp.errors import Refused, SpecInvalid
from kimi_mcp.spec.author import Authored, Order, TaskAnswer, author
from kimi_mcp.spec.model import Command, FileEntry, Manual, Operation
from kimi_mcp.spec.parse import parse
from kimi_mcp.spec.render import render
from kimi_mcp.spec.shelf import Shelf, slug

PLAN = """\
# Plan: Log in

People can log in.

## Task 1: Store

Create: `src/store.py`

Keep it small.

**Verification:**
- `pytest -q`

## Task 2: Page

Show the form.
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / "src").mkdir(parents=True)
    (root / "src" / "app.py").write_text("x\n", encoding="utf-8")
    return root


@pytest.fixture
def shelf(root: Path) -> Shelf:
    return Shelf(root)


def _author(
    shelf: Shelf, *, dispatched: bool = False, dry_run: bool = False, **order: object
) -> Authored:
    return author(
        shelf,
        Order(**order),  # pyright: ignore[reportArgumentType]  # a shorthand for tests
        is_dispatched=lambda _: dispatched,
        dry_run=dry_run,
    )


def test_a_plan_becomes_a_spec_with_its_holes_named(shelf: Shelf, root: Path):
    made = _author(shelf, plan=PLAN, source="log-in.md", base="abc1234")

    assert made.path == "specs/001-log-in.md"
    assert made.is_new
    assert (root / made.path).read_text(encoding="utf-8") == made.text
    assert parse(made.text) == made.spec
    assert (made.spec.number, made.spec.source, made.spec.base) == (1, "log-in.md", "abc1234")
    assert made.spec.task(1).files == (FileEntry(operation=Operation.CREATE, path="src/store.py"),)
    assert made.spec.task(1).commands == (Command(text="pytest -q"),)
    assert made.holes == (
        "1. task 2: no files (`files`)",
        "2. task 2: no command (`verification`)",
    )
    assert [finding.code for finding in made.findings] == ["no_files", "no_command"]


def test_the_same_inputs_give_the_same_bytes(shelf: Shelf):
    first = _author(shelf, plan=PLAN, source="log-in.md")
    again = _author(shelf, plan=PLAN, source="log-in.md")

    assert again.text == first.text
    assert not again.is_new
    assert not again.is_changed


def test_a_text_without_tasks_is_refused_and_no_file_is_written(shelf: Shelf, root: Path):
    with pytest.raises(Refused, match="No dispatchable task"):
        _author(shelf, plan="# Review\n\nAll is well.\n", source="review.md")

    assert not (root / "specs").exists()


def test_a_dry_run_writes_nothing(shelf: Shelf, root: Path):
    made = _author(shelf, plan=PLAN, source="log-in.md", dry_run=True)

    assert made.path == "specs/001-log-in.md"
    assert not (root / "specs").exists()


def test_answers_replace_just_the_fields_that_they_name(shelf: Shelf):
    first = _author(shelf, plan=PLAN, source="log-in.md")
    answer = TaskAnswer(
        task=2,
        files=("src/app.py", "src/page.py", "DELETE src/app.py", "src/store.py"),
        verification=("pytest -q tests", "`make` (in src, timeout 1m)", "manual: looks good"),
    )
    second = _author(shelf, spec="1", answers=(answer,))
    page = second.spec.task(2)

    assert second.path == first.path
    assert [str(entry) for entry in page.files] == [
        "MODIFY src/app.py",
        "CREATE src/page.py",
        "DELETE src/app.py",
        "MODIFY src/store.py",
    ]
    assert page.verification == (
        Command(text="pytest -q tests"),
        Command(text="make", directory="src", timeout_s=60),
        Manual(text="looks good"),
    )
    assert (page.title, page.requirements) == ("Page", "Show the form.")
    assert second.spec.task(1) == first.spec.task(1)


def test_answers_alone_make_a_spec(shelf: Shelf):
    answers = (
        TaskAnswer(
            title="One", files=("a.py",), requirements=("Do\nit", "well"), verification=("true",)
        ),
        TaskAnswer(title="Two", files=("b.py",), requirements="As is", depends_on=(1,)),
    )
    made = _author(shelf, answers=answers, title="Two things")

    assert made.path == "specs/001-two-things.md"
    assert made.spec.numbers == (1, 2)
    assert made.spec.task(1).requirements == "- Do\n  it\n- well"
    assert made.spec.task(2).requirements == "As is"
    assert _author(shelf, answers=answers, title="Two things").text == made.text


def test_answers_on_top_of_a_plan_survive_the_next_reading(shelf: Shelf):
    answer = TaskAnswer(task=2, verification=("npm test",))
    _author(shelf, plan=PLAN, source="p.md", answers=(answer,))
    changed = PLAN.replace("Keep it small.", "Keep it tiny.")
    again = _author(shelf, plan=changed, source="p.md")

    assert again.spec.task(2).commands == (Command(text="npm test"),)
    assert again.spec.task(1).requirements == "Keep it tiny."
    assert again.kept == ()


def test_an_edit_made_by_hand_is_kept_and_reported_where_the_plan_contradicts(
    shelf: Shelf, root: Path
):
    first = _author(shelf, plan=PLAN, source="p.md")
    edited = first.text.replace("Keep it small.", "Mine, with  two spaces.")
    (root / first.path).write_text(edited, encoding="utf-8")

    same = _author(shelf, plan=PLAN, source="p.md")
    assert same.text == edited
    assert same.kept == ()

    changed = PLAN.replace("Keep it small.", "Keep it tiny.").replace("form", "whole form")
    again = _author(shelf, plan=changed, source="p.md")
    assert again.spec.task(1).requirements == "Mine, with  two spaces."
    assert again.spec.task(2).requirements == "Show the whole form."
    assert again.kept == (
        "task 1: requirements was edited and differs from the plan: the edit was kept",
    )


def test_an_edit_is_kept_without_a_word_where_the_plan_says_nothing_any_more(
    shelf: Shelf, root: Path
):
    first = _author(shelf, plan=PLAN, source="p.md")
    edited = first.text.replace("Keep it small.", "Mine.")
    (root / first.path).write_text(edited, encoding="utf-8")

    again = _author(shelf, plan=PLAN.replace("Keep it small.", ""), source="p.md")

    assert again.spec.task(1).requirements == "Mine."
    assert again.kept == ()


def test_a_task_that_the_plan_never_had_stays(shelf: Shelf):
    third = TaskAnswer(title="Three", files=("c.py",))
    _author(shelf, plan=PLAN, source="p.md", answers=(third,))

    again = _author(shelf, plan=PLAN, source="p.md")

    assert [task.title for task in again.spec.tasks] == ["Store", "Page", "Three"]
    assert again.kept == ()


def test_a_task_that_left_the_plan_goes_unless_it_was_edited(shelf: Shelf):
    shorter = PLAN.split("## Task 2", maxsplit=1)[0]
    _author(shelf, plan=PLAN, source="a.md")
    assert _author(shelf, plan=shorter, source="a.md").spec.numbers == (1,)

    _author(shelf, plan=PLAN, source="b.md", answers=(TaskAnswer(task=2, files=("x.py",)),))
    kept = _author(shelf, plan=shorter, source="b.md")
    assert kept.spec.numbers == (1, 2)
    assert kept.kept == ("task 2 is no longer in the plan, but was edited: it was kept",)


def test_a_dispatched_spec_is_left_alone_and_a_new_number_made_from_it(shelf: Shelf, root: Path):
    answer = TaskAnswer(task=2, verification=("npm test",))
    first = _author(shelf, plan=PLAN, source="p.md", answers=(answer,))
    second = _author(
        shelf,
        plan=PLAN,
        source="p.md",
        answers=(TaskAnswer(task=2, files=("x",)),),
        dispatched=True,
    )

    assert second.path == "specs/002-log-in.md"
    assert second.spec.number == 2
    assert second.spec.task(2).commands == (Command(text="npm test"),)
    assert (root / first.path).read_text(encoding="utf-8") == first.text


def test_another_plan_gets_another_number(shelf: Shelf):
    _author(shelf, plan=PLAN, source="a.md")

    assert _author(shelf, plan=PLAN, source="b.md").path == "specs/002-log-in.md"


def test_an_answer_for_no_task_is_refused_with_the_tasks_there_are(shelf: Shelf):
    _author(shelf, plan=PLAN, source="p.md")
    with pytest.raises(Refused, match=r"no task 9 .* needs a `title` .* tasks there are: 1, 2"):
        _author(shelf, spec="1", answers=(TaskAnswer(task=9, files=("x",)),))
    with pytest.raises(Refused, match=r"needs a `title` .*; say which spec to update in `spec`"):
        _author(shelf, answers=(TaskAnswer(task=1, files=("x",)),))


def test_nothing_to_make_a_spec_from_is_refused(shelf: Shelf):
    with pytest.raises(Refused, match="give `plan_path`, `plan` or `tasks`"):
        _author(shelf)


def test_a_command_of_several_lines_is_refused(shelf: Shelf, root: Path):
    answer = TaskAnswer(title="t", verification=("cd web\nnpm test",))
    with pytest.raises(SpecInvalid, match="join with `&&`"):
        _author(shelf, answers=(answer,), title="x")

    assert not (root / "specs").exists()


def test_a_spec_that_no_longer_parses_is_never_overwritten(shelf: Shelf, root: Path):
    first = _author(shelf, plan=PLAN, source="p.md")
    (root / first.path).write_text("broken", encoding="utf-8")
    with pytest.raises(SpecInvalid, match=r"specs/001-log-in\.md:1"):
        _author(shelf, spec="1", answers=(TaskAnswer(task=1, title="x"),))

    assert _author(shelf, plan=PLAN, source="p.md").path == "specs/002-log-in.md"
    assert (root / first.path).read_text(encoding="utf-8") == "broken"


def test_paths_of_a_plan_are_written_from_the_root(shelf: Shelf, root: Path):
    (root / "web" / "src").mkdir(parents=True)
    (root / "web" / "src" / "store.py").write_text("x", encoding="utf-8")
    made = _author(shelf, plan=PLAN.replace("Create:", "Modify:"), source="p.md", folder="web")

    assert made.spec.task(1).files[0].path == "web/src/store.py"


def test_a_spec_is_found_by_number_name_and_path(shelf: Shelf, root: Path):
    path = _author(shelf, plan=PLAN, source="p.md").path

    for reference in ("1", "001", "001-log-in", "001-log-in.md", path, str(root / path)):
        assert shelf.find(reference) == path


def test_an_unknown_spec_is_answered_with_the_nearest(shelf: Shelf):
    _author(shelf, plan=PLAN, source="p.md")

    with pytest.raises(Refused, match=r"No spec `001-login`\. Nearest: 001-log-in\.md\."):
        shelf.find("001-login")
    with pytest.raises(Refused, match=r"No spec `2`\. Nearest: 001-log-in\.md\."):
        shelf.find("2")


def test_an_ambiguous_number_is_answered_with_the_paths(shelf: Shelf, root: Path):
    (root / "specs").mkdir()
    for name in ("003-a.md", "3-b.md", "TEMPLATE.md", "x-1.md"):
        (root / "specs" / name).write_text("", encoding="utf-8")

    with pytest.raises(Refused, match=r"ambiguous; .* specs/003-a\.md, specs/3-b\.md"):
        shelf.find("3")
    assert shelf.next_path("Ünïcode title!") == (4, "specs/004-unicode-title.md")


def test_nothing_outside_the_repository_is_read_or_written(
    shelf: Shelf, root: Path, tmp_path: Path
):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "001-x.md").write_text("# Spec: 1 -- x\n## Tasks\n", encoding="utf-8")
    with pytest.raises(Refused, match="outside the repository"):
        shelf.find("../out/001-x.md")
    (root / "specs").symlink_to(tmp_path / "out")
    for use in (lambda: shelf.find("1"), lambda: _author(shelf, plan=PLAN, source="p.md")):
        with pytest.raises(Refused, match="outside the repository"):
            use()


def test_sessions_that_author_at_the_same_time_get_different_numbers(shelf: Shelf, root: Path):
    start = threading.Barrier(8)
    made: list[str] = []

    def make(name: str) -> None:
        start.wait()
        made.append(_author(shelf, plan=PLAN, source=name, title=f"Plan {name}").path)

    threads = [threading.Thread(target=make, args=(f"p{n}.md",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(path.split("/")[1][:3] for path in made) == [f"{n:03d}" for n in range(1, 9)]
    assert sorted(path.name for path in (root / "specs").iterdir()) == sorted(
        path.split("/")[1] for path in made
    )


def test_a_write_keeps_the_files_permissions(shelf: Shelf, root: Path):
    path = _author(shelf, plan=PLAN, source="p.md").path
    (root / path).chmod(0o640)
    _author(shelf, spec="1", answers=(TaskAnswer(task=1, title="Other"),))

    assert (root / path).stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("title", "expected"),
    [("Add log-in!", "add-log-in"), ("漢字", "spec"), ("../../x", "x"), ("a" * 90, "a" * 40)],
)
def test_a_slug_is_plain_ascii(title: str, expected: str):
    assert slug(title) == expected


def test_the_demos_spec_in_this_repository_is_what_its_plan_becomes(shelf: Shelf, root: Path):
    for path, text in PROGRAM.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    made = _author(shelf, plan=DEMO_PLAN, source="report-plan.md")
    kept = (Path(__file__).parents[2] / "specs" / "002-demo.md").read_text(encoding="utf-8")

    assert made.findings == ()
    assert render(replace(made.spec, number=2)) == kept


def test_a_budget_that_the_plan_changes_is_taken_unless_it_was_edited(shelf: Shelf, root: Path):
    plan = PLAN.replace("Keep it small.", "Budget: 20 steps\n\nKeep it small.")
    made = _author(shelf, plan=plan, source="p.md")
    assert made.spec.tasks[0].budget == 20
    assert "Budget" not in made.spec.tasks[0].requirements

    changed = _author(shelf, plan=plan.replace("20 steps", "30 steps"), source="p.md")
    assert changed.spec.tasks[0].budget == 30

    file = root / changed.path
    file.write_text(file.read_text(encoding="utf-8").replace("Budget: 30", "Budget: 9"))
    kept = _author(shelf, plan=plan.replace("20 steps", "40 steps"), source="p.md")
    assert kept.spec.tasks[0].budget == 9
    assert kept.kept == ("task 1: budget was edited and differs from the plan: the edit was kept",)


def test_a_bare_name_that_stands_elsewhere_is_not_made_anew(shelf: Shelf):
    plan = "## Task 1: A\n\nFiles:\n- `app.py`\n- `new.py`\n"

    made = author(
        shelf,
        Order(plan=plan, source="p.md"),
        is_dispatched=lambda _: False,
        listed=["src/app.py"],
    )

    assert [str(entry) for entry in made.spec.tasks[0].files] == ["MODIFY app.py", "CREATE new.py"]
    (finding,) = [f for f in made.findings if f.code == "missing"]
    assert "nearest: src/app.py" in finding.message
