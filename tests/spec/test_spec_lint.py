"""What stands in the way of a dispatch, on real files."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from kimi_mcp.spec import paths
from kimi_mcp.spec.files import look, named_paths
from kimi_mcp.spec.findings import Finding
from kimi_mcp.spec.graph import independent, waves
from kimi_mcp.spec.lint import lint, located
from kimi_mcp.spec.model import Command, Manual, Spec, Task
from kimi_mcp.spec.parse import parse


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    for path in ["src/app.py", "src/api.py", "web/src/app.ts", "README.md", "lib/vendored/a.c"]:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x\n", encoding="utf-8")
    return root


def _spec(*tasks: str) -> Spec:
    """Build a spec; each task is its files and, after `|`, its other lines."""
    body = ""
    for number, task in enumerate(tasks, 1):
        entries, _, rest = task.partition("|")
        listed = "\n".join(f"- {entry.strip()}" for entry in entries.split(",") if entry.strip())
        body += f"### Task {number}: t\n{rest.strip()}\n\nFiles:\n{listed}\n\n"
        body += "Verification:\n- `true`\n\n"
    return parse(f"# Spec: 1 -- x\n\n## Tasks\n\n{body}")


def _findings(root: Path, spec: Spec) -> tuple[Finding, ...]:
    return lint(spec, look(root, named_paths(spec)))


def _codes(root: Path, spec: Spec) -> list[tuple[str, bool]]:
    return [(finding.code, finding.is_error) for finding in _findings(root, spec)]


def test_a_sound_spec_has_no_findings(root: Path):
    spec = _spec(
        "MODIFY src/app.py, CREATE src/new.py, READ README.md, MOVE src/api.py -> src/b.py"
    )

    assert _findings(root, spec) == ()


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ("CREATE ../x.py", "escape"),
        ("CREATE a/../../x.py", "escape"),
        ("MODIFY .", "escape"),
        ("CREATE /etc/passwd", "absolute"),
        ("CREATE C:/x", "absolute"),
        ("CREATE ~/x", "home"),
        ("READ ~/x", "home"),
        ("CREATE .git/hooks/x", "git_folder"),
        ("CREATE sub/.GIT/config", "git_folder"),
        ("CREATE a\\b.py", "backslash"),
        ("MODIFY src/ap.py", "missing"),
        ("DELETE gone.py", "missing"),
        ("MOVE gone.py -> b.py", "missing"),
        ("MOVE src/app.py -> README.md", "exists"),
        ("CREATE src/app.py", "exists"),
        ("MODIFY src", "folder"),
        ("MODIFY src/*.rb", "empty_glob"),
        ("MOVE src/*.py -> b/", "glob"),
        ("CREATE src/*.py", "glob"),
    ],
)
def test_an_entry_that_cannot_be_is_an_error(root: Path, entry: str, code: str):
    assert (code, True) in _codes(root, _spec(entry))


def test_a_missing_file_is_answered_with_the_nearest_and_its_line(root: Path):
    (finding, *_) = _findings(root, _spec("MODIFY src/ap.py"))

    assert "nearest: src/app.py" in str(finding)
    assert "task 1: " in str(finding)
    assert finding.line == 9


def test_a_glob_says_how_many_files_it_stands_for(root: Path):
    (finding,) = _findings(root, _spec("MODIFY src/**/*.py"))

    assert not finding.is_error
    assert "stands for 2 files" in finding.message


def test_create_below_a_folder_is_allowed(root: Path):
    assert _findings(root, _spec("CREATE docs/new/**")) == ()


def test_a_symbolic_link_out_of_the_repository_is_an_error(root: Path, tmp_path: Path):
    (tmp_path / "outside").mkdir()
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "hooks").symlink_to(root / ".git" / "hooks")

    assert _codes(root, _spec("CREATE out/x.py")) == [("symlink", True)]
    assert _codes(root, _spec("CREATE hooks/x")) == [("symlink", True)]


def test_a_symbolic_link_inside_is_answered_with_the_real_path(root: Path):
    (root / "link").symlink_to(root / "src")
    (finding,) = _findings(root, _spec("MODIFY link/app.py"))

    assert finding.is_error
    assert "name `src/app.py` instead" in finding.message


def test_a_repository_reached_by_a_link_is_no_escape(root: Path, tmp_path: Path):
    (tmp_path / "alias").symlink_to(root)

    assert _findings(tmp_path / "alias", _spec("MODIFY src/app.py")) == ()


def test_a_file_inside_a_submodule_is_an_error(root: Path):
    (root / ".gitmodules").write_text('[submodule "v"]\n\tpath = lib/vendored\n', encoding="utf-8")

    assert _codes(root, _spec("MODIFY lib/vendored/a.c")) == [("submodule", True)]
    assert _codes(root, _spec("READ lib/vendored/a.c, CREATE lib/b.c")) == []


def test_reading_a_missing_file_is_a_warning(root: Path):
    assert _codes(root, _spec("READ docs/x.md, CREATE a.py")) == [("read_missing", False)]


def test_the_listed_files_decide_what_exists(root: Path):
    spec = _spec("MODIFY src/app.py, CREATE src/api.py")
    (finding,) = lint(spec, look(root, named_paths(spec), listed=["README.md"]))

    assert finding.code == "missing"
    assert "`src/app.py` is not committed" in finding.message


def test_a_task_may_change_what_an_earlier_one_makes(root: Path):
    made = "CREATE src/new.py"

    assert _codes(root, _spec(made, "MODIFY src/new.py | Depends on: Task 1")) == []
    assert _codes(root, _spec(made, "MODIFY src/new.py")) == [
        ("missing", True),
        ("shared_file", False),
    ]
    assert _codes(root, _spec("DELETE src/app.py", "CREATE src/app.py | Depends on: Task 1")) == []


def test_no_tasks_is_an_error(root: Path):
    assert _codes(root, parse("# Spec: 1 -- x\n## Tasks\n")) == [("no_tasks", True)]


def test_a_task_without_files_is_an_error_and_without_command_a_warning(root: Path):
    task = Task(number=1, title="t", verification=(Manual(text="look"),))

    assert _codes(root, Spec(number=1, title="x", tasks=(task,))) == [
        ("no_files", True),
        ("no_command", False),
    ]


def test_numbers_that_do_not_fit_are_errors(root: Path):
    spec = _spec(
        "CREATE a | Depends on: Task 7", "CREATE b | Depends on: Task 2", "CREATE c", "CREATE d"
    )
    twice = replace(spec, tasks=(*spec.tasks[:3], replace(spec.tasks[3], number=3)))

    assert _codes(root, twice) == [
        ("duplicate_number", True),
        ("unknown_dependency", True),
        ("self_dependency", True),
    ]


def test_a_cycle_is_named_as_a_way_round(root: Path):
    spec = _spec("CREATE a | Depends on: Task 2", "CREATE b | Depends on: Task 1")
    (finding,) = _findings(root, spec)

    assert finding.code == "cycle"
    assert "1 → 2 → 1" in finding.message or "2 → 1 → 2" in finding.message


def test_prose_after_a_command_is_a_hint(root: Path):
    spec = _spec("CREATE a")
    task = replace(spec.tasks[0], verification=(Command(text="true", note="reaches 80 %"),))

    assert _codes(root, replace(spec, tasks=(task,))) == [("prose_after_command", False)]


def test_a_command_may_not_run_outside_the_repository(root: Path):
    spec = _spec("CREATE a")
    task = replace(spec.tasks[0], verification=(Command(text="true", directory="../x"),))

    assert _codes(root, replace(spec, tasks=(task,))) == [("escape", True)]


def test_a_mark_that_contradicts_the_files_is_reported(root: Path):
    spec = _spec("CREATE a/**", "CREATE a/b.py")
    marked = replace(spec, tasks=tuple(replace(t, is_marked_independent=True) for t in spec.tasks))

    assert independent(spec) == frozenset()
    assert _codes(root, marked) == [("mark", False), ("mark", False), ("shared_file", False)]


def test_a_contradicted_mark_is_answered_with_the_task_beside_it_and_what_they_share(root: Path):
    first, *others = _spec(
        "MODIFY web/package.json, CREATE a",
        "MODIFY a | Depends on: Task 1",
        "MODIFY api/package.json",
    ).tasks
    marked = replace(_spec("CREATE a"), tasks=(replace(first, is_marked_independent=True), *others))

    (mark,) = [finding for finding in _findings(root, marked) if finding.code == "mark"]
    assert "is marked [INDEPENDENT] but with task 3, both change npm dependencies" in mark.message


def test_independence_and_waves_follow_from_files_and_dependencies():
    spec = _spec("CREATE a", "CREATE b", "MODIFY a, CREATE c | Depends on: Task 1, Task 2")

    assert independent(spec) == frozenset({1, 2})
    assert waves(spec) == [[1, 2], [3]]
    assert independent(_spec("CREATE a", "CREATE b | Depends on: Task 1")) == frozenset({1})
    assert independent(_spec("MODIFY src/**", "DELETE src/a*.py", "DELETE lib/*.py")) == {3}


def test_paths_are_tried_from_the_project_folder_and_written_from_the_root(root: Path):
    spec = _spec("MODIFY src/app.ts, MODIFY src/app.py, CREATE src/new.ts, READ ../README.md")
    entries = located(spec, look(root, named_paths(spec), folder="web")).task(1).files

    assert [entry.path for entry in entries] == [
        "web/src/app.ts",
        "src/app.py",
        "web/src/new.ts",
        "README.md",
    ]


def test_the_nearest_path_is_the_same_name_elsewhere_before_a_neighbour():
    files = ["src/apple.py", "lib/deep/app.py", "docs/x.md"]

    assert paths.near("src/app.py", files) == "lib/deep/app.py"
    assert paths.near("src/appl.py", files).startswith("src/apple.py")
    assert paths.near("other/thing.rs", files) == "none"


def test_a_path_that_could_draw_on_a_terminal_is_refused_and_shown_harmless(root: Path):
    for control in ("\x1b", "\u202e", "\x07"):
        found = _findings(root, _spec(f"CREATE a{control}b"))

        assert [finding.code for finding in found] == ["control"]
        assert control not in str(found[0])


@pytest.mark.timeout(60)
def test_a_list_of_submodules_that_is_a_pipe_or_huge_is_passed_over(root: Path):
    os.mkfifo(root / ".gitmodules")
    assert look(root, ("src/app.py",)).submodules == ()

    (root / ".gitmodules").unlink()
    (root / ".gitmodules").write_text(f"path = {' ' * 900_000}x\n\tpath = lib\n", encoding="utf-8")
    assert look(root, ("src/app.py",)).submodules == ("x", "lib")
