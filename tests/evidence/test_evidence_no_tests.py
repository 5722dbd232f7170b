"""What the common runners print when they run nothing, and when they run something."""

import sys
from pathlib import Path
from subprocess import run

import pytest

from kimi_mcp.evidence.no_tests import nothing_ran

NOTHING = [
    ("pytest -q", "\nno tests ran in 0.01s\n"),
    ("pytest", "collected 0 items\n\n===== no tests ran in 0.00s =====\n"),
    ("pytest -k x", "===== 4 deselected in 0.02s =====\n"),
    ("pytest", "s                    [100%]\n===== 3 skipped in 0.02s =====\n"),
    ("python -m unittest", "\nRan 0 tests in 0.000s\n\nOK\n"),
    ("python -m unittest", "ss\nRan 2 tests in 0.000s\n\nOK (skipped=2)\n"),
    ("python3.12 -m unittest", "Ran 0 tests in 0.000s\n\nNO TESTS RAN\n"),
    ("npm test", "No tests found, exiting with code 0\n"),
    ("npx jest", "Tests:       2 skipped, 2 total\nTime: 0.4 s\n"),
    (
        "npx jest",
        "\x1b[1mTests:\x1b[22m       0 total\r\n\x1b[1mTests:\x1b[22m       1 todo, 1 total\n",
    ),
    ("npx vitest run", "No test files found, exiting with code 0\n"),
    ("npx vitest run", " Test Files  1 skipped (1)\n      Tests  2 skipped (2)\n"),
    ("npx mocha", "\n\n  0 passing (1ms)\n"),
    ("npx mocha", "\n  0 passing (1ms)\n  3 pending\n"),
    ("node --test", "# tests 0\n# pass 0\n"),
    ("node --test", "ℹ tests 2\nℹ pass 0\nℹ skipped 2\n"),  # noqa: RUF001
    ("bats tests", "1..0\n"),
    ("go test ./...", "?   \texample.com/a\t[no test files]\n"),
    (
        "go test -run X .",
        "testing: warning: no tests to run\nPASS\nok  \ta\t0.01s [no tests to run]\n",
    ),
    (
        "cargo test",
        "running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured\n",
    ),
    ("cargo test", "running 2 tests\ntest result: ok. 0 passed; 0 failed; 2 ignored; 0 measured\n"),
    ("bundle exec rspec", "No examples found.\n\n0 examples, 0 failures\n"),
    ("rspec", "2 examples, 0 failures, 2 pending\n"),
    ("rake test", "0 runs, 0 assertions, 0 failures, 0 errors, 0 skips\n"),
    ("mix test", "There are no tests to run\n"),
    ("vendor/bin/phpunit", "No tests executed!\n"),
    (
        "vendor/bin/phpunit",
        "OK, but some tests were skipped!\nTests: 2, Assertions: 0, Skipped: 2.\n",
    ),
    ("dotnet test", "No test is available in /x/y.dll. Make sure that ...\n"),
    ("dotnet test", "Skipped! - Failed:     0, Passed:     0, Skipped:     2, Total:     2\n"),
    ("mvn test", "[INFO] No tests to run.\n[INFO] BUILD SUCCESS\n"),
    ("mvn test", "[INFO] Tests run: 0, Failures: 0, Errors: 0, Skipped: 0\n"),
    ("./gradlew test", "> Task :compileTestJava NO-SOURCE\n> Task :test NO-SOURCE\n"),
    ("deno test", "ok | 0 passed | 0 failed (1ms)\n"),
    ("bun test", "\n 0 pass\n 0 fail\nRan 0 tests across 1 files.\n"),
    ("ctest", "No tests were found!!!\n"),
    ("./unit", "[==========] 0 tests from 0 test suites ran. (0 ms total)\n"),
    ("npx playwright test", "Error: No tests found\n"),
    # a runner that always tells, and does not: ended by the code under test
    ("pytest -q", "OK\n"),
    ("python3 -m pytest tests", ""),
    ("cd api && pytest", "all tests passed\n"),
    ("python -m unittest discover", "OK\n"),
    ("npx jest", "OK\n"),
    ("go test ./...", "PASS\n"),
]
SOMETHING = [
    ("pytest -q", "...                     [100%]\n3 passed in 0.01s\n"),
    ("pytest", "=== 1 passed, 2 skipped, 1 warning in 62.10s (0:01:02) ===\n"),
    ("pytest", "1 xfailed in 0.1s\n"),
    ("pytest -qq", "..                     [100%]\n"),
    ("pytest", "Results (0.03s):\n       3 passed\n"),
    ("pytest", "2 subtests passed in 0.1s\n"),
    ("python -m unittest", "Ran 3 tests in 0.01s\n\nOK (skipped=2)\n"),
    ("npx jest", "Tests:       1 skipped, 2 passed, 3 total\n"),
    ("npx vitest run", "      Tests  1 failed | 2 passed (3)\n"),
    ("npx mocha", "\n  3 passing (1ms)\n  1 pending\n"),
    ("node --test", "# tests 3\n# skipped 1\n"),
    ("bats tests", "1..2\nok 1 adds\nok 2 removes # skip later\n"),
    ("go test ./...", "?   \ta\t[no test files]\nok  \tb\t(cached)\n"),
    (
        "cargo test",
        (
            "test result: ok. 4 passed; 0 failed; 0 ignored\n\nrunning 0 tests\n\n"
            "test result: ok. 0 passed; 0 failed; 0 ignored\n"
        ),
    ),
    ("cargo nextest run", "     Summary [   0.1s] 4 tests run: 4 passed, 0 skipped\n"),
    ("rspec", "3 examples, 0 failures, 2 pending\n"),
    ("mix test", "3 tests, 0 failures\n"),
    ("vendor/bin/phpunit", "OK (3 tests, 4 assertions)\n"),
    ("dotnet test", "Passed!  - Failed:     0, Passed:     3, Skipped:     0, Total:     3\n"),
    (
        "mvn test",
        "[INFO] Tests run: 4, Failures: 0, Errors: 0, Skipped: 1\n[INFO] No tests to run.\n",
    ),
    ("./gradlew test", "> Task :a:test NO-SOURCE\n> Task :b:test\n"),
    ("deno test", "ok | 2 passed | 0 failed (1ms)\n"),
    ("bun test", "\n 2 pass\n 0 fail\n"),
    ("npx playwright test", "  2 passed (1.1s)\n"),
]
SILENT = [
    ("grep -q hello a.txt", ""),
    ("python3 -c 'import app'", ""),
    ("make", "OK\n"),
    ("npm test", "OK\n"),  # what it calls is not seen here
    ("pytest -q > /dev/null", ""),
    ("pytest --collect-only", "tests/test_a.py::test_a\n"),
    ("ruff check tests/pytest", "All checks passed!\n"),
    ("cargo test --no-run", "Finished\n"),
    ("mypy --config pytest.ini", ""),
]


@pytest.mark.parametrize(("command", "output"), NOTHING)
def test_a_run_without_any_test_is_told(command: str, output: str) -> None:
    assert nothing_ran(command, output)


@pytest.mark.parametrize(("command", "output"), SOMETHING)
def test_a_run_of_some_tests_is_believed(command: str, output: str) -> None:
    assert nothing_ran(command, output) is None


@pytest.mark.parametrize(("command", "output"), SILENT)
def test_what_is_no_test_run_is_not_judged(command: str, output: str) -> None:
    assert nothing_ran(command, output) is None


@pytest.mark.parametrize(
    ("text", "is_idle"),
    [
        ("", True),
        ("def test_a(): pass\n", False),
        ("import pytest\n@pytest.mark.skip\ndef test_a(): pass\n", True),
        ("import os\nprint('OK')\nos._exit(0)\n", True),
    ],
)
def test_the_real_pytest_is_understood(text: str, *, is_idle: bool, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(text, encoding="utf-8")
    done = run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert bool(nothing_ran("pytest -q", done.stdout)) == is_idle


@pytest.mark.parametrize("skipping", [True, False])
def test_the_real_unittest_is_understood(*, skipping: bool, tmp_path: Path) -> None:
    mark = "@unittest.skip('x')\n    " if skipping else ""
    (tmp_path / "test_it.py").write_text(
        f"import unittest\nclass A(unittest.TestCase):\n    {mark}def test_a(self): pass\n",
        encoding="utf-8",
    )
    done = run(
        [sys.executable, "-m", "unittest"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert bool(nothing_ran("python -m unittest", done.stderr)) == skipping
