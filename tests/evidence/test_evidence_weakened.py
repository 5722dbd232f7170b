"""What is told of tests, their configuration and CI when they prove less than on the base."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.evidence.traits import STATEMENT_LINES, reading
from kimi_mcp.evidence.weakened import Version, Weakening, weakened

PY = """\
import pytest

def test_adds():
    assert add(1, 2) == 3

def test_rejects():
    with pytest.raises(ValueError):
        add("a", 2)
"""
JS = """\
describe("add", () => {
  it("adds", () => {
    expect(add(1, 2)).toBe(3);
  });
  test("rejects", () => {
    expect(() => add("a", 2)).toThrow(TypeError);
  });
});
"""
GO = """\
package a

func TestAdds(t *testing.T) {
	if Add(1, 2) != 3 {
		t.Errorf("no")
	}
}
"""
RUST = """\
pub fn add(a: i32) -> i32 { a }

#[cfg(test)]
mod tests {
    #[test]
    fn adds() {
        assert_eq!(add(1), 1);
    }
}
"""
JAVA = """\
class AddTest {
    @Test
    void adds() {
        assertEquals(3, add(1, 2));
    }
}
"""
RUBY = """\
describe Add do
  it "adds" do
    expect(add(1, 2)).to eq 3
  end
end
"""
SHELL = """\
set -e
grep -q hello out.txt
[ -f done ] || exit 1
"""
PYPROJECT = """\
[project]
name = "x"
[tool.pytest.ini_options]
addopts = "-q --strict-markers"
[tool.coverage.report]
fail_under = 90
[tool.ruff]
line-length = 100
"""
PACKAGE = json.dumps(
    {
        "name": "x",
        "scripts": {"test": "jest", "build": "tsc"},
        "jest": {"coverageThreshold": {"global": {"lines": 80}}},
        "dependencies": {"a": "1"},
    }
)


def findings(
    path: str, before: str | None, after: str | None, *commands: str, named: tuple[str, ...] = ()
) -> list[Weakening]:
    version = Version(path=path, before=before, after=after)
    return [*weakened([version], commands=commands, named=named)]


WEAKER = [
    ("tests/test_add.py", PY, None, '2 tests deleted: "test_adds", "test_rejects"'),
    (
        "tests/test_add.py",
        PY,
        PY.replace("def test_rejects", "def check"),
        'test deleted: "test_rejects"',
    ),
    ("test_add.py", PY, PY.replace("== 3", "is not None"), 'assertion weakened: "assert add(1, 2)'),
    ("test_add.py", PY, PY.replace("add(1, 2) == 3", "True"), '→ "assert True"'),
    ("test_add.py", PY, PY.replace("== 3", "== 3 or True"), "assertion weakened"),
    (
        "test_add.py",
        PY,
        PY.replace("    assert add(1, 2) == 3\n", "    add(1, 2)\n"),
        'deleted: "ass',
    ),
    ("test_add.py", PY, PY.replace("    assert", "    # assert"), "assertion deleted"),
    (
        "test_add.py",
        PY,
        PY.replace("def test_adds", "@pytest.mark.skip\ndef test_adds"),
        'skip added: "@pytest.mark.skip"',
    ),
    (
        "test_add.py",
        PY,
        PY.replace("def test_adds", "@pytest.mark.xfail(strict=False)\ndef test_adds"),
        "skip added",
    ),
    ("test_add.py", PY, PY + "import os\nprint('OK')\nos._exit(0)\n", "ends the run as passed"),
    ("test_add.py", None, "def test_new():\n    assert True\n", 'asserts nothing: "assert True"'),
    ("src/add.test.ts", JS, JS.replace("it(", "it.skip("), "skip added"),
    ("src/add.test.ts", JS, JS.replace("it(", "it.only("), "skip added"),
    ("src/add.test.ts", JS, JS.replace("toBe(3)", "toBeDefined()"), "assertion weakened"),
    ("src/add.test.ts", JS, JS.replace("add(1, 2)).toBe(3)", "true).toBe(true)"), "weakened"),
    ("src/add.test.ts", JS, JS.replace('test("rejects"', 'xtest("rejects"'), "test deleted"),
    ("src/add.test.ts", JS, JS.replace("describe(", "describe.skip("), "skip added"),
    ("a/add_test.go", GO, GO.replace("t.Errorf", "t.Logf"), "assertion deleted"),
    ("a/add_test.go", GO, GO.replace("\tif", "\tt.Skip()\n\tif"), 'skip added: "t.Skip()"'),
    ("a/add_test.go", GO, f"//go:build never\n{GO}", 'skip added: "//go:build never"'),
    ("tests/add.rs", RUST, RUST.replace("#[test]", "#[test]\n    #[ignore]"), "skip added"),
    ("tests/add.rs", RUST, RUST.replace("assert_eq!(add(1), 1)", "assert!(true)"), "weakened"),
    ("tests/add.rs", RUST, RUST.replace("    #[test]\n", ""), 'test deleted: "adds"'),
    ("src/test/java/AddTest.java", JAVA, JAVA.replace("@Test", "@Disabled @Test"), "skip added"),
    ("src/AddTest.java", JAVA, JAVA.replace("Equals(3, ", "NotNull("), "assertion weakened"),
    ("spec/add_spec.rb", RUBY, RUBY.replace('  it "', '  xit "'), 'test deleted: "adds"'),
    ("tests/verify.sh", SHELL, "echo OK\nexit 0\n", "ends the run as passed"),
    ("conftest.py", "", "def pytest_collection_modifyitems(items):\n    items.clear()\n", "runner"),
    ("conftest.py", None, "collect_ignore = ['test_add.py']\n", "skip added"),
    ("sitecustomize.py", None, "print('x')\n", "every Python loads it"),
    ("pytest.ini", None, "[pytest]\naddopts = --co\n", "added: it configures the test runner"),
    ("pytest.ini", "[pytest]\ntestpaths = tests\n", None, "deleted: the checks rested on it"),
    ("pytest.ini", "[pytest]\n", "[pytest]\naddopts = -k x\n", 'added: "pytest.addopts" = "-k x"'),
    (
        "pyproject.toml",
        PYPROJECT,
        PYPROJECT.replace("fail_under = 90", "fail_under = 10"),
        'threshold lowered: "tool.coverage.report.fail_under" 90 → 10',
    ),
    ("pyproject.toml", PYPROJECT, PYPROJECT.replace("fail_under = 90", ""), "→ gone"),
    ("pyproject.toml", PYPROJECT, PYPROJECT.replace("-q", "--deselect x"), "addopts"),
    (
        "package.json",
        PACKAGE,
        PACKAGE.replace('"jest",', '"echo OK",'),
        '"scripts.test" "jest" → "echo OK"',
    ),
    ("package.json", PACKAGE, PACKAGE.replace("80", "5"), "threshold lowered"),
    ("jest.config.js", "lines: 90,\n", "lines: 20,\n", 'threshold lowered: "lines" 90 → 20'),
    ("vitest.config.ts", "include: ['a'],\n", "exclude: ['a'],\n", "changed: 1 lines new, 1 gone"),
    ("Makefile", "test:\n\tpytest\n", "test:\n\tpytest || true\n", 'new "pytest || true"'),
    (".github/workflows/ci.yml", "run: pytest\n", "run: echo\n", "CI changed"),
    (".github/workflows/ci.yml", "run: pytest\n", None, "deleted"),
    (
        "setup.cfg",
        "[tool:pytest]\naddopts = -q\n",
        "[metadata]\n",
        '"tool:pytest.addopts" "-q" → gone',
    ),
]
EXPECTATIONS = [
    (
        "test_add.py",
        PY,
        PY.replace("== 3", "== 4"),
        '"assert add(1, 2) == 3" → "assert add(1, 2) == 4"',
    ),
    (
        "test_add.py",
        PY,
        PY.replace("ValueError", "Exception"),
        '→ "with pytest.raises(Exception):"',
    ),
    ("add.test.ts", JS, JS.replace("toBe(3)", "toBe(4)"), "expectation changed"),
    ("__snapshots__/a.snap", "one\ntwo\n", "one\nthree\n", "snapshot rewritten: 1 lines"),
]
HARMLESS = [
    ("test_add.py", PY, PY + "\ndef test_more():\n    assert add(2, 2) == 4\n"),
    ("test_add.py", PY.replace("== 3", "is not None"), PY),
    ("test_add.py", None, PY),
    ("add.test.ts", None, JS),
    ("add.py", "assert x\n", ""),
    ("spec/add.py", "assert x\n", ""),
    ("test_add.py", PY, PY + "\nCASES = ['@pytest.mark.skip', 'exit(0)']\n"),
    ("docs/test.md", "assert x\n", ""),
    ("conftest.py", None, "import pytest\n@pytest.fixture\ndef thing():\n    return 1\n"),
    ("package.json", PACKAGE, PACKAGE.replace('"a": "1"', '"a": "2", "b": "1"')),
    ("package.json", PACKAGE, PACKAGE.replace('"tsc"', '"tsc -b"')),
    ("package.json", PACKAGE, PACKAGE.replace("80", "95")),
    ("package.json", PACKAGE, json.dumps(json.loads(PACKAGE), indent=4)),
    ("pyproject.toml", PYPROJECT, PYPROJECT.replace("line-length = 100", "line-length = 120")),
    ("pyproject.toml", PYPROJECT, PYPROJECT.replace('"x"', '"y"')),
    ("Makefile", "all:\n\tgcc a.c\n", "all:\n\tgcc a.c b.c\n"),
    ("__snapshots__/a.snap", "one\n", "one\ntwo\n"),
    ("__snapshots__/a.snap", None, "one\n"),
    (".github/workflows/ci.yml", None, "run: pytest\n"),
]


@pytest.mark.parametrize(("path", "before", "after", "said"), WEAKER)
def test_what_proves_less_is_told(path: str, before: str | None, after: str | None, said: str):
    found = [one for one in findings(path, before, after) if not one.is_expectation]

    assert [one for one in found if said in one.text], found
    assert {one.path for one in found} == {path}


@pytest.mark.parametrize(("path", "before", "after", "said"), EXPECTATIONS)
def test_what_expects_something_else_is_told_as_that(path: str, before: str, after: str, said: str):
    (found,) = findings(path, before, after)

    assert found.is_expectation
    assert said in found.text


@pytest.mark.parametrize(("path", "before", "after"), HARMLESS)
def test_what_proves_no_less_is_not_told(path: str, before: str | None, after: str | None):
    assert findings(path, before, after) == []


def test_a_finding_names_the_line_of_the_file_as_it_is_now():
    (found,) = findings("test_add.py", PY, PY.replace("== 3", "> 0"))

    assert found == Weakening(
        path="test_add.py",
        line=4,
        text='assertion weakened: "assert add(1, 2) == 3" → "assert add(1, 2) > 0"',
    )


def test_tests_that_only_moved_are_not_missed():
    moved = (
        Version(path="tests/test_add.py", before=PY, after=None),
        Version(path="tests/unit/test_add.py", before=None, after=PY),
    )

    assert weakened(moved, commands=["pytest"], named=()) == ()


def test_an_assertion_over_several_lines_is_one():
    before = "def test_a():\n    assert add(\n        1,\n        2,\n    ) == 3\n"

    (found,) = findings("test_a.py", before, before.replace("== 3", "== 4"))

    assert found.is_expectation
    assert findings("test_a.py", before, "def test_a():\n    assert add(1, 2) == 3\n")


def test_a_statement_that_does_not_end_is_cut():
    (found,) = reading("test_a.py", "assert add(\n" + "    1,\n" * 40).assertions

    assert found.text == "assert add( " + " ".join(["1,"] * (STATEMENT_LINES - 1))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[ ${name#v} = 1 ] # as it was", "[ ${name#v} = 1 ]"),
        ("[ ${name#v} = $# ]", "[ ${name#v} = $# ]"),
        ("# [ 1 = 1 ]", None),
    ],
)
def test_a_comment_begins_only_after_a_blank(line: str, said: str | None):
    found = reading("check.sh", line, is_script=True).assertions

    assert [one.text for one in found] == ([said] if said else [])


def test_a_script_that_a_check_runs_must_go_on_demanding():
    script = "import app, sys\nif app.greet() != 'x':\n    sys.exit(1)\n"

    (found, *_) = findings("tools/verify.py", script, "print('OK')\n", "python3 tools/verify.py")
    assert "demands nothing any more" in found.text
    assert findings("tools/verify.py", script, "print('OK')\n", "pytest") == []
    assert findings("tools/verify.py", script, script + "\n", "python3 tools/verify.py") == []


def test_a_configuration_that_the_spec_asks_for_is_no_finding():
    text = "[pytest]\naddopts = -q\n"

    assert findings("pytest.ini", None, text, named=("pytest.ini",)) == []
    assert findings("pytest.ini", "[pytest]\n", text, named=("pytest.ini",))


def test_a_linters_settings_count_when_a_check_runs_it():
    changed = PYPROJECT.replace("line-length = 100", "ignore = ['ALL']")

    assert findings("pyproject.toml", PYPROJECT, changed, "ruff check .")
    assert findings("ruff.toml", "select = ['ALL']\n", "select = []\n", "ruff check .")
    assert findings("ruff.toml", "select = ['ALL']\n", "select = []\n", "pytest") == []


def test_many_findings_of_a_file_are_counted():
    before = "".join(f"def test_{n}():\n    assert f({n}) == {n}\n" for n in range(30))

    found = findings("test_a.py", before, before.replace("==", ">"))

    assert len(found) == 11
    assert found[-1].text == "and 20 more in this file"


@given(
    st.sampled_from(
        ["test_a.py", "a.test.ts", "package.json", "pyproject.toml", "Makefile", "x.snap"]
    ),
    st.none() | st.text(),
    st.none() | st.text(),
)
def test_any_text_can_be_compared(path: str, before: str | None, after: str | None):
    findings(path, before, after, "pytest")
    assert findings(path, before, before, "pytest") == findings(path, before, before, "pytest")
