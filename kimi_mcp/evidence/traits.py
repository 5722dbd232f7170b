"""The parts of test code that decide what a test proves, found by how they look. Pure.

No parser for each of a dozen languages: what tests, assertions and skips look like differs little,
and what is found is told to a reviewer, never decided upon. Comments do not count.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice
from pathlib import PurePosixPath

STATEMENT_LINES = 15
LINE_CHARS = 500  # of a longer line, like one of a generated file, the rest is not looked at
NAME_CHARS = 120


class Strength(IntEnum):
    """How much an assertion demands."""

    NOTHING = 0
    SOMETHING = 1
    EQUALITY = 2


@dataclass(frozen=True, slots=True)
class Found:
    """A statement, the line where it begins, and the test around it."""

    text: str
    line: int
    test: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What one file of tests holds."""

    tests: Mapping[str, int]
    assertions: Sequence[Found]
    skips: Sequence[Found]
    exits: Sequence[Found]


_TEST = r"""^\s*(?:async\s+)?def\s+(?P<py>test\w*)
    |^\s*(?:async\s+)?(?:pub\s+)?fn\s+(?P<rs>\w+)\s*\(\s*\)
    |^func\s+(?:\(.*?\)\s*)?(?P<go>(?:Test|Fuzz|Example)\w*)\(
    |\bfunc\s+(?P<swift>test\w+)\(
    |\b(?:it|test|specify|scenario|example)(?:\.\w+)*\s*\(\s*(?P<q>['"`])(?P<js>.+?)(?P=q)
    |^\s*(?:it|test|specify|scenario|example)\s+(?P<q2>['"])(?P<rb>.+?)(?P=q2)
    |\bfunction\s+(?P<php>test\w+)\s*\(
    |\b(?:void|fun|Task|def)\s+(?P<jvm>`[^`]+`|\w+)\s*\(
    |^\s*TEST(?:_F|_P|_CASE)?\s*\(\s*(?P<c>[^)]+)\)
    |^@test\s+["'](?P<bats>.+?)["']"""
#: What must stand just above a test of these languages.
_MARKED = r"""@(?:Test|ParameterizedTest|RepeatedTest|Property)\b
    |\[(?:Fact|Theory|Test|TestMethod|TestCase)|\#\[(?:\w+::)*(?:test|rstest|case)\b|\#\[Test\]|@test\b"""
_NEEDS_MARK = ("rs", "jvm")
_ASSERTION = r"""^\s*assert\b|\bself\.(?:assert\w+|fail)\(|\bpytest\.(?:raises|warns|approx|fail)\b
    |\.assert_\w+\(|@pytest\.mark\.parametrize\(|\.each\s*[(`]|\b(?:debug_)?assert\w*!\s*\(
    |\bexpect\w*\s*[({]|\bassert\w*\s*[.(]|\.should(?:\b|_)|\brefute\w*\b|\bverify\(|\bAssert\.|\.Should\(
    |\brequire\.\w+\(t|\bt\.(?:Error|Fatal|Fail|is|true|false|equal|deepEqual|same|like|throws)\w*\(
    |\bXCT\w+\(|\#(?:expect|require)\(|\b(?:ASSERT|EXPECT|CHECK|REQUIRE)(?:_\w+)?\(|->(?:expect|assert)\w*\(
    |^\s*assert\s|\#\[should_panic|\b(?:assert|run)\s+.*\$status|@(?:MethodSource|ValueSource|CsvSource)"""
#: What a script that a check runs demands: it ends with failure, or compares.
_DEMAND = r"""
    \b(?:grep|diff|cmp|test)\s|^\s*\[\[?\s|\s\[\[?\s|\bset\s+-\w*e|\b(?:exit|quit)\s*\(?\s*(?:[1-9]|\$)
    |\bsys\.exit\((?!\s*0?\s*\))|\braise\b|\bthrow\b|process\.exit\w*\s*[(=]\s*(?!0?\s*\))|\bos\.Exit\([1-9]"""
_SKIP = r"""\bpytest\.mark\.(?:skip|skipif|xfail)\b|\bpytest\.(?:skip|xfail|importorskip)\(
    |@?unittest\.(?:skip\w*|expectedFailure)|\bself\.skipTest\(|\bSkipTest\b|\b__test__\s*=\s*False
    |\bcollect_ignore\w*\s*=|\b(?:it|test|describe|context|suite)\.(?:skip|todo|fails|failing|only|skipIf|runIf)\b
    |\b(?:xit|xtest|xdescribe|xcontext|xspecify|fit|fdescribe|fcontext)\s*[('"]|\bthis\.skip\(|\bt\.Skip\w*\(
    |\btesting\.Short\(|^//\s*(?:go:build|\+build)\b|\#\[ignore\b|\#\[cfg\((?!test\)|all\(test)|\bskip:\s*(?:true|['"])
    |^\s*(?:pending|skip)\b|markTest(?:Skipped|Incomplete)|@(?:Disabled|Ignore)\b|\bassume(?:True|False|That)\(
    |\bSkip\s*=\s*"|\[Ignore|\bXCTSkip|\.disabled\(|@(?:module)?tag\s+:?skip|GTEST_SKIP|\bDISABLED_"""
_EXIT = r"""
    \bos\._exit\(|\bsys\.exit\(\s*0?\s*\)|(?<![\w.])exit\(\s*0?\s*\)|^\s*(?:quit|exit)(?:\s+0)?\s*(?:;|$)
    |\bprocess\.exit\(\s*0?\s*\)|process::exit\(\s*0\s*\)|\bos\.Exit\(\s*0\s*\)|\bSystem\.exit\(\s*0\s*\)
    |\bEnvironment\.Exit\(\s*0\s*\)|\|\|\s*(?:true|:)\s*(?:$|[;)])|\braise\s+SystemExit(?:\(\s*0?\s*\))?\s*$"""
_COMMENT = {".py": "#", ".rb": "#", ".sh": "#", ".bash": "#", ".bats": "#", ".ex": "#", ".exs": "#"}


def reading(path: str, text: str, *, is_script: bool = False) -> Reading:
    """Find the tests, assertions, skips and early ends in a file; of a script, what it demands."""
    comment = _COMMENT.get(PurePosixPath(path).suffix, "//")
    lines = [_without_comment(line[:LINE_CHARS], comment) for line in text.splitlines()]
    tests: dict[str, int] = {}
    assertions: list[Found] = []
    skips: list[Found] = []
    exits: list[Found] = []
    test = ""
    for number, line in enumerate(lines, start=1):
        if name := _test_name(line, lines[max(0, number - 4) : number - 1]):
            test = name
            tests.setdefault(name, number)
        if _find(_ASSERTION, line) or (is_script and _find(_DEMAND, line)):
            assertions.append(Found(_statement(lines, number), number, test))
        bare = _STRING.sub(lambda text: text[0][0] * 2, line)  # what is quoted is not done
        if _find(_SKIP, bare):
            skips.append(Found(line.strip(), number, test))
        if _find(_EXIT, bare):
            exits.append(Found(line.strip(), number, test))
    return Reading(tests, assertions, skips, exits)


def _find(pattern: str, text: str) -> re.Match[str] | None:
    """Search; the patterns are compiled when first needed, for every runner loads this module."""
    return re.search(pattern, text, re.VERBOSE)


def strength(assertion: str) -> Strength:
    """Judge how much an assertion demands."""
    if _find(_NOTHING, assertion):
        return Strength.NOTHING
    return Strength.EQUALITY if _find(_EQUALITY, assertion) else Strength.SOMETHING


_NOTHING = r"""^assert\s+(?:True|1|not\s+(?:False|None|0)|['"][^'"]*['"])\s*(?:,.*)?$
    |\bor\s+True\b|\|\|\s*true\b|(?<![\w.])(?P<same>[\w.'"]+)\s*={2,3}\s*(?P=same)(?![\w.(\[])
    |assert(?:True|_true|\.ok|\.isTrue|!)?\s*\(\s*(?:[Tt]rue|1)\s*[,)]|assert(?:False)\s*\(\s*[Ff]alse\s*[,)]
    |expect\(\s*(?P<value>[^()]+?)\s*\)\.to\w*(?:Be|Equal|StrictEqual|\.equal|\.be)\(\s*(?P=value)\s*\)
    |expect\(\s*true\s*\)\.to\w*(?:Be)?Truthy
    |(?:assert\w*[Ee]qual\w*|assert_eq!|assertSame|EXPECT_EQ|ASSERT_EQ|\.Equal)\s*\(\s*(?:t\s*,\s*)?(?P<one>[\w.'"]+)\s*,\s*(?P=one)\s*[,)]"""
_EQUALITY = r"""
    (?<![!<>=])={2,3}(?!=)|\bis\s+(?:None|True|False)\b|\bto(?:Be|Equal|StrictEqual|Throw\w*)\(|\bto\.(?:deep\.)?(?:equal|eql|be)\b
    |[aA]ssert\w*(?:_eq|Equals?|Same|_same)\w*!?\s*\(|\.(?:Equal|equal|deepEqual|strictEqual|deepStrictEqual|is|same)\(
    |\bisEqualTo\(|\beq\s|\b(?:EXPECT|ASSERT)_(?:EQ|STREQ)|CountEqual|InlineSnapshot\(|parametrize\(|\.each\b
    |\bassert_equal\b|\bmust_equal\b|\bshould\s+==|\bgrep\s+-\w*x|\bdiff\s|\bcmp\s"""


def _test_name(line: str, above: Sequence[str]) -> str | None:
    found = _find(_TEST, line)
    if found is None:
        return None
    kind = next(k for k, value in found.groupdict().items() if value and k not in {"q", "q2"})
    if kind in _NEEDS_MARK and not any(_find(_MARKED, text) for text in (*above, line)):
        return None
    return found[kind][:NAME_CHARS]


def _statement(lines: Sequence[str], number: int) -> str:
    """Join the lines of a statement that begins at *number*, as far as its brackets are open."""
    parts: list[str] = []
    depth = 0
    for line in islice(lines, number - 1, number - 1 + STATEMENT_LINES):
        parts.append(line.strip())
        depth += sum(_DEPTH.get(letter, 0) for letter in _without_strings(line))
        if depth <= 0 or line.rstrip().endswith("{"):  # a block is no part of the statement
            break
    return " ".join(part for part in parts if part)


_DEPTH = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_STRING = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")


def _without_strings(line: str) -> str:
    return _STRING.sub("", line)


def _without_comment(line: str, mark: str) -> str:
    """Cut a comment off; a mark within quotes, a build tag or an attribute is none."""
    if mark == "//" and line.startswith(("//go:build", "// +build")):
        return line
    plain = _STRING.sub(lambda found: "x" * len(found[0]), line)
    for at in _places(plain, mark):
        if at == 0 or plain[at - 1] in " \t;":
            return line[:at]
    return line


def _places(text: str, mark: str) -> Iterator[int]:
    at = text.find(mark)
    while at >= 0:
        yield at
        at = text.find(mark, at + 1)
