"""The demo's story: a small program, a plan of three tasks, and what the scripted Kimi does."""

from collections.abc import Mapping, Sequence

from kimi_mcp.demo.script import Call, Reply, read, say

PROGRAM = {
    "README.md": "# Letters\n\nCounts what is in a text.\n",
    "letters/__init__.py": '"""Counting what is in a text."""\n',
    "letters/words.py": (
        '"""Words."""\n\n\ndef words(text: str) -> list[str]:\n'
        '    """Split a text into its words, in lower case."""\n    return text.lower().split()\n'
    ),
    "tests/__init__.py": "",
}

PLAN = """\
# Plan: a report on a text

The program can split a text into words. It should also count them, find the longest one, and print
both as a report.

## Task 1: Count the words

**Files:**
- Create: `letters/count.py`
- Create: `tests/test_count.py`

`count(text)` returns a dict from each word to how often it occurs, using `words` from
`letters/words.py`.

**Verification:**
- `python3 -m unittest tests.test_count`

## Task 2: Find the longest word

**Files:**
- Create: `letters/longest.py`
- Create: `tests/test_longest.py`

`longest(text)` returns the longest word, the first of several, and an empty string for no words.

**Verification:**
- `python3 -m unittest tests.test_longest`

## Task 3: Print the report

Depends on: Task 1, Task 2

**Files:**
- Create: `letters/report.py`
- Modify: `README.md`

`python3 -m letters.report FILE` prints the number of different words and the longest word. The
README says how to call it.

**Verification:**
- `python3 -m letters.report README.md`
"""

_COUNT = '''\
"""How often each word occurs."""

from collections import Counter

from letters.words import words


def count(text: str) -> dict[str, int]:
    """Return how often each word of a text occurs."""
    return dict(Counter(words(text)))
'''
_TEST_COUNT = """\
import unittest

from letters.count import count


class CountTest(unittest.TestCase):
    def test_words_are_counted_whatever_their_case(self):
        self.assertEqual(count("a B b"), {"a": 1, "b": 2})
"""
_LONGEST = '''\
"""The longest word."""

from letters.words import words


def longest(text: str) -> str:
    """Return the longest word of a text, or an empty string."""
    return max(words(text), key=len, default="")
'''
_TEST_LONGEST = """\
import unittest

from letters.longest import longest


class LongestTest(unittest.TestCase):
    def test_the_first_of_several_is_taken(self):
        self.assertEqual(longest("ab cde fgh"), "cde")

    def test_no_words_have_no_longest(self):
        self.assertEqual(longest(""), "")
"""
_REPORT = '''\
"""A report on a text: python3 -m letters.report FILE."""

import sys
from pathlib import Path

from letters.count import count
from letters.longest import longest


def report(text: str) -> str:
    """Say how many different words a text has, and which is the longest."""
    return f"{len(count(text))} different words, the longest is {longest(text)!r}"


if __name__ == "__main__":
    print(report(Path(sys.argv[1]).read_text(encoding="utf-8")))
'''


def scripts() -> Mapping[str, Sequence[Reply]]:
    """Return what the scripted model answers in each task, found by the brief's heading."""
    return {
        "# Your task (1)": (
            read("letters/words.py"),
            _write({"letters/count.py": _COUNT, "tests/test_count.py": _TEST_COUNT}),
            _check("python3 -m unittest tests.test_count"),
            say("count() uses words() and is covered by one test."),
        ),
        "# Your task (2)": (
            read("letters/words.py"),
            _write({"letters/longest.py": _LONGEST, "tests/test_longest.py": _TEST_LONGEST}),
            _check("python3 -m unittest tests.test_longest"),
            say("longest() takes the first of several; no words give an empty string."),
        ),
        "# Your task (3)": (
            read("README.md"),
            _write(
                {
                    "letters/report.py": _REPORT,
                    "README.md": PROGRAM["README.md"] + "\n    python3 -m letters.report FILE\n",
                }
            ),
            _check("python3 -m letters.report README.md"),
            say("The report prints both numbers; the README says how to call it."),
        ),
    }


def _write(files: Mapping[str, str]) -> Reply:
    calls = (Call("Write", {"path": path, "content": text}) for path, text in files.items())
    return Reply(calls=tuple(calls))


def _check(command: str) -> Reply:
    return Reply(calls=(Call("Bash", {"command": command}),))
