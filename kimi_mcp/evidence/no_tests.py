"""Whether a command that passed has run any test at all. Pure.

A runner that finds nothing to run mostly ends with exit code 0, and so does one that is ended early
by the code under test. So its own count is read: what the common runners print, as of 2026. Tests
that were skipped did not run. Only when nothing at all ran is it said: one package of several
without tests is ordinary.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class _Rule(NamedTuple):
    """What a line of a runner's output means: how many tests ran, negative for a correction."""

    runner: str
    line: str  # a pattern; compiled when it is first needed, for every runner loads this module
    ran: Callable[[re.Match[str]], int]


def nothing_ran(command: str, output: str, *, is_passed: bool = True) -> str | None:
    """Say why *command* has run no test; nothing when it has, or is no test run as far as is seen.

    Args:
        command: as the spec has it.
        output: what it printed, or the end of that.
        is_passed: whether it ended with exit code 0. Only then silence tells something.
    """
    text = _COLOUR.sub("", output).replace("\r\n", "\n")
    spoke: dict[str, int] = {}
    for rule in _RULES:
        for found in re.finditer(rule.line, text, re.MULTILINE):
            spoke[rule.runner] = spoke.get(rule.runner, 0) + rule.ran(found)
    if spoke:
        is_idle = sum(spoke.values()) <= 0
        return f"no test ran ({', '.join(sorted(spoke))})" if is_idle else None
    if not is_passed or re.search(_SILENT, command):
        return None
    called = next((name for name, how in _CALLS.items() if re.search(how, command)), None)
    return called and f"{called} ended without telling of any test"


def _first(found: re.Match[str]) -> int:
    return int(found[1])


def _none(_: re.Match[str]) -> int:
    return 0


def _one(_: re.Match[str]) -> int:
    return 1


def _less(found: re.Match[str]) -> int:
    return -int(found[1])


def _both(found: re.Match[str]) -> int:
    return int(found[1]) + int(found[2])


def _first_less_second(found: re.Match[str]) -> int:
    return int(found[1]) - int(found[2] or 0)


_RAN = re.compile(r"(\d+) (?:subtests )?(?:passed|failed|errors?|xfailed|xpassed|flaky)\b")


def _listed(found: re.Match[str]) -> int:
    return sum(int(count) for count in _RAN.findall(found[0]))


def _dots(found: re.Match[str]) -> int:
    return sum(found[1].count(letter) for letter in ".FExX")


_RULES = (
    _Rule("pytest", r"^=*[ ]*(?:\d+ [a-z ]+(?:, )?)+ in \d[\d.:]* ?s\b", _listed),
    _Rule("pytest", r"^=*[ ]*no tests (?:ran|collected)\b", _none),
    _Rule("pytest", r"^([.sSxXFE]+) +\[ *\d+%\]$", _dots),
    _Rule("unittest", r"^Ran (\d+) tests? in ", _first),
    _Rule("unittest", r"^(?:OK|FAILED) \(.*\bskipped=(\d+)", _less),
    _Rule("unittest", r"^NO TESTS RAN\b", _none),
    _Rule("jest", r"^ *Tests: +\d+ [a-z]+.*$", _listed),  # and Pest
    _Rule("jest", r"^No tests found\b", _none),
    _Rule("vitest", r"^ *Tests  +(?:\d+ |no tests).*$", _listed),
    _Rule("vitest", r"^ *No test files found\b", _none),
    _Rule("mocha", r"^ +(\d+) (?:passing|failing)\b", _first),
    _Rule("node --test", r"^(?:#|ℹ) tests (\d+)$", _first),  # noqa: RUF001  as Node prints it
    _Rule("node --test", r"^(?:#|ℹ) skipped (\d+)$", _less),  # noqa: RUF001
    _Rule("TAP", r"^1\.\.0\b", _none),
    _Rule("TAP", r"^(?:not )?ok \d+\b(?!.*# (?:SKIP|skip|Skip)).*$", _one),
    _Rule("go test", r"^(?:ok|FAIL)\s+\S+\s+(?:[\d.]+s|\(cached\))(?!.*no tests to run).*$", _one),
    _Rule("go test", r"\[no tests to run\]|\[no test files\]|warning: no tests to run", _none),
    _Rule("go test", r"^ *--- (?:PASS|FAIL):", _one),
    _Rule(
        "cargo test",
        r"^test result: \w+\. (\d+) passed; (\d+) failed;",
        _both,
    ),
    _Rule("cargo test", r"^running 0 tests$", _none),
    _Rule("cargo nextest", r"^ *Summary \[.*\] +(\d+) tests? run\b", _first),
    _Rule("rspec", r"^(\d+) examples?, \d+ failures?(?:, (\d+) pending)?", _first_less_second),
    _Rule("rspec", r"^No examples found\b", _none),
    _Rule("minitest", r"^(\d+) (?:runs|tests), \d+ assertions,.* (\d+) skips", _first_less_second),
    _Rule("ExUnit", r"^(\d+) tests?, \d+ failures?(?:, (\d+) skipped)?", _first_less_second),
    _Rule("ExUnit", r"^(?:There are no tests to run|All tests have been excluded)", _none),
    _Rule("phpunit", r"^OK \((\d+) tests?,", _first),
    _Rule(
        "phpunit",
        r"^Tests: (\d+), Assertions: \d+(?:.*(?:Skipped|Incomplete): (\d+))?",
        _first_less_second,
    ),
    _Rule("phpunit", r"^No tests executed!", _none),
    _Rule(
        "dotnet test",
        r"^ *(?:Passed|Failed|Skipped)! +- Failed: +(\d+), Passed: +(\d+),",
        _both,
    ),
    _Rule("dotnet test", r"^ *Total tests: (\d+)", _first),
    _Rule("dotnet test", r"^ *(?:No test (?:is available|matches)|Zero tests ran)", _none),
    _Rule(
        "Maven",
        r"^(?:\[\w+\] +)?Tests run: (\d+), Failures: \d+, Errors: \d+, Skipped: (\d+)",
        _first_less_second,
    ),
    _Rule("Maven", r"^(?:\[\w+\] +)?No tests (?:to run|were executed)", _none),
    _Rule("Gradle", r"^> Task \S*[tT]est(?: (?:UP-TO-DATE|FROM-CACHE|FAILED))?$", _one),
    _Rule("Gradle", r"^> Task \S*[tT]est NO-SOURCE$", _none),
    _Rule("deno test", r"^(?:ok|FAILED) \| \d+ passed.*$", _listed),
    _Rule("bun test", r"^ *(\d+) (?:pass|fail)$", _first),
    _Rule("ctest", r"^\d+% tests passed, \d+ tests failed out of (\d+)", _first),
    _Rule("ctest", r"^No tests were found!!!", _none),
    _Rule("GoogleTest", r"^\[=+\] (\d+) tests? from .* ran\.", _first),
    _Rule("XCTest", r"^\s*Executed (\d+) tests?,", _first),
    _Rule("Karma", r"Executed (\d+) of \d+", _first),
    _Rule("ava", r"^ *(\d+) tests? passed", _first),
    _Rule("Playwright", r"^ +\d+ (?:passed|failed|flaky)\b.*$", _listed),  # and pytest-sugar
    _Rule("Playwright", r"^ +\d+ skipped$|^Error: No tests found", _none),
    _Rule("ScalaTest", r"^\[info\] Total number of tests run: (\d+)", _first),
)

_START = (  # of a simple command, with what is put in front of a runner
    r"(?:^|[;&(])\s*(?:\w+=\S* +)*"
    r"(?:(?:npx|bunx|pnpm(?: exec)?|yarn|bundle exec|(?:poetry|uv|pdm|pipenv|hatch|rye) run) +)?"
)
_PYTHON = r"(?:(?:\S*/)?(?:python[\d.]*|coverage +run) +(?:-\S+ +)*-m +)"
_CALLS = {
    name: f"{_START}{how}(?=[\\s;&)]|$)"
    for name, how in {
        "pytest": _PYTHON + r"?(?:\S*/)?(?:pytest|py\.test)",
        "unittest": _PYTHON + r"unittest",
        "jest": r"(?:\S*/)?jest",
        "vitest": r"(?:\S*/)?vitest",
        "mocha": r"(?:\S*/)?mocha",
        "node --test": r"node +(?:-\S+ +)*--test",
        "go test": r"go +test",
        "cargo test": r"cargo +test",
        "rspec": r"(?:\S*/)?rspec",
        "phpunit": r"(?:\S*/)?phpunit",
    }.items()
}
#: Output that goes elsewhere, or is made so that no count need be printed.
_SILENT = (
    r"[|>]|(?<!\S)(?:-qq+|--quiet|--silent|--co|--collect-only|--version|-V|--help|-h|--no-run|-c"
    r"|-?-list\S*|--fixtures|--markers|--setup-plan|--setup-only|-?-reporters?\S*|--no-summary|-p"
    r"|--dry-run|--format\S*|-f|list|init|install)(?!\S)"
)
