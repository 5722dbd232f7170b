"""What lint doubts by what the repository says: ranges, programs, words, sizes, ages, sharing."""

from pathlib import Path

import pytest

from kimi_mcp.spec.files import look, named_paths
from kimi_mcp.spec.findings import Finding
from kimi_mcp.spec.graph import independent
from kimi_mcp.spec.lint import lint
from kimi_mcp.spec.model import Spec
from kimi_mcp.spec.parse import parse
from kimi_mcp.spec.programs import Need, Needs, needs
from kimi_mcp.spec.survey import Survey, survey


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "src/app.py": "one\ntwo\n",
        "src/pkg/__init__.py": "",
        "src/pkg/base.py": "import os\n",
        "src/pkg/user.py": "from . import base\n",
        "src/pkg/other.py": "x = 1\n",
        "src/a.ts": "",
        "package.json": '{"scripts": {"test": "x", "lint": "y"}}',
        "Makefile": "test: deps\n\ttrue\nVAR := 1\n",
        "pyproject.toml": '[project.scripts]\nmytool = "x:y"\n',
        "tools/check.sh": "",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path


def spec(*tasks: str) -> Spec:
    """Make a spec of `file; file | command; command | requirements` lines."""
    texts: list[str] = []
    for number, task in enumerate(tasks, 1):
        files, commands, words = (*task.split(" | "), "", "")[:3]
        texts += [f"### Task {number}: Part {number}\n"]
        texts += ["Files:", *(f"- {file}" for file in files.split("; ")), ""]
        texts += ["Requirements:", words or "Say `it`.", "", "Verification:"]
        texts += [*(f"- `{command}`" for command in commands.split("; ") if command), ""]
    return parse("# Spec: 001 -- x\n\n## Tasks\n" + "\n".join(texts), name="spec")


def surveyed(root: Path, made: Spec, *, changed: tuple[str, ...] = ()) -> Survey:
    tree = look(root, named_paths(made))
    return survey(root, made, tree, changed=changed, path=str(root / "no-such-folder"))


def found(root: Path, *tasks: str, changed: tuple[str, ...] = ()) -> list[Finding]:
    made = spec(*tasks)
    findings = lint(made, look(root, named_paths(made)), surveyed(root, made, changed=changed))
    return [finding for finding in findings if finding.code != "no_command"]


def test_a_range_beyond_the_files_end_is_stale(root: Path):
    (finding,) = found(root, "MODIFY src/app.py:1-9")

    assert (finding.code, finding.task) == ("stale_lines", 1)
    assert "has 2 lines, not 9; " in finding.message
    assert finding.line is not None
    assert found(root, "MODIFY src/app.py:1-2") == []


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("npm run tset", "no_script", "no script `tset`; nearest: test"),
        ("npm test", "", ""),
        ("pnpm --filter x test", "", ""),
        ("npm ci; npm run;", "", ""),
        ("bun test", "", ""),
        ("make tets", "no_target", "no target `tets`; nearest: test"),
        ("make VAR=1 test", "", ""),
        ("no-such-program --now", "no_program", "`no-such-program` is not on PATH"),
        ("mytool --check", "", ""),
        ("./tools/check.sh", "", ""),
        ("bash tools/chekc.sh", "no_file", "`tools/chekc.sh` does not exist"),
        ("cd src && python3 app.py", "", ""),
        ("test -f x && echo yes", "", ""),
        ("cd /home/someone/project && test -f x", "absolute_folder", "from the repository's root"),
        ("for f in *; do true; done", "", ""),
        ('echo "unclosed', "", ""),
    ],
)
def test_a_command_whose_program_or_script_is_missing_is_doubted(
    root: Path, command: str, code: str, said: str
):
    for name in ("npm", "pnpm", "bun", "make", "bash", "python3"):
        program = root / "node_modules/.bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("", encoding="utf-8")

    findings = found(root, f"MODIFY src/app.py | {command}")

    assert [f.code for f in findings] == ([code] if code else [])
    assert said in "".join(f.message for f in findings)


def test_what_a_task_makes_is_not_missing(root: Path):
    assert found(root, "CREATE tools/new.sh | ./tools/new.sh") == []


def test_a_command_tells_the_folder_it_runs_in():
    assert needs("CI=1 cd web && npm run e2e | tee log") == [
        Need(Needs.PROGRAM, "npm", "web"),
        Need(Needs.SCRIPT, "e2e", "web"),
        Need(Needs.PROGRAM, "tee", "web"),
    ]


@pytest.mark.parametrize(
    ("words", "is_vague"),
    [
        ("Handle errors appropriately.", True),
        ("Handle `Timeout` appropriately.", False),
        ("必要に応じて直す", True),
        ("适当优化", True),
        ("Bei Bedarf anpassen.", True),
        ("Adapter si nécessaire.", True),
        ("Return 404 for unknown names.", False),
        ("```\nas needed\n```", False),
    ],
)
def test_vague_words_are_doubted_where_they_name_no_object(
    root: Path,
    words: str,
    is_vague: bool,  # noqa: FBT001  # a case of the table
):
    codes = [f.code for f in found(root, f"MODIFY src/app.py |  | {words}")]

    assert codes == (["vague"] if is_vague else [])


def test_a_task_that_cannot_fit_its_budget_is_too_large(root: Path):
    files = "; ".join(f"CREATE src/n{n}.py" for n in range(98))

    assert [f.code for f in found(root, files)] == ["too_large"]
    assert found(root, "; ".join(f"CREATE src/n{n}.py" for n in range(97))) == []


def test_a_plan_older_than_the_files_it_names_is_told(root: Path):
    (finding,) = found(root, "MODIFY src/app.py; MODIFY src/a.ts", changed=("src/app.py", "x"))

    assert finding.code == "plan_older"
    assert "`src/app.py` changed after the plan was written; " in finding.message


@pytest.mark.parametrize(
    ("one", "other", "code"),
    [
        ("MODIFY src/app.py", "MODIFY src/app.py", "shared_file"),
        ("MODIFY web/package.json", "MODIFY api/package.json", "shared_lock"),
        ("CREATE db/migrations/1.sql", "CREATE db/migrations/2.sql", "shared_migrations"),
        ("MODIFY src/pkg/base.py", "MODIFY src/pkg/user.py", "import_edge"),
        ("MODIFY src/pkg/other.py", "MODIFY src/pkg/user.py", ""),
        ("MODIFY src/pkg/base.py; MODIFY src/pkg/user.py", "MODIFY src/pkg/other.py", ""),
        ("MODIFY src/a.ts", "MODIFY src/app.py", ""),
    ],
)
def test_independence_is_derived_from_what_tasks_share(root: Path, one: str, other: str, code: str):
    made = spec(one, other)
    seen = surveyed(root, made)

    findings = [
        f for f in lint(made, look(root, named_paths(made)), seen) if "make one" in f.message
    ]

    assert [f.code for f in findings] == ([code] if code else [])
    assert independent(made, seen.imports) == (frozenset() if code else frozenset({1, 2}))


def test_what_cannot_be_read_is_named_and_not_guessed(root: Path):
    (root / "src/pkg/user.py").write_text("def (:\n", encoding="utf-8")
    made = spec("MODIFY src/pkg/base.py; MODIFY src/a.ts", "MODIFY src/pkg/user.py")

    seen = surveyed(root, made)

    assert seen.imports == frozenset()
    assert seen.unread == {"src/a.ts"}
