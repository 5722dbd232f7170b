"""Which programs a check begins with, as far as its text tells. Pure.

Only what is sure is named: a check that decides for itself (`||`, `if`, a substitution) is left to
its own run. So nothing is refused that might have worked.
"""

import re
import shlex
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise
from pathlib import PurePosixPath

from kimi_mcp.globs import matches
from kimi_mcp.spec.model import Task

#: Commands that every shell has itself.
BUILT_IN = frozenset(
    {
        ".", ":", "[", "alias", "bg", "break", "cd", "command", "continue", "echo", "eval", "exec",
        "exit", "export", "false", "fg", "getopts", "hash", "jobs", "kill", "printf", "pwd", "read",
        "readonly", "return", "set", "shift", "test", "times", "trap", "true", "type", "ulimit",
        "umask", "unalias", "unset", "wait",
    }
)  # fmt: skip
_UNDECIDED = frozenset(
    {"||", "(", "{", "if", "while", "until", "for", "case", "[[", "function", "&"}
)
_JOINTS = frozenset({"&&", ";", "|"})
_REDIRECTIONS = frozenset({"<", ">", ">>"})
_PASSED = frozenset({"!", *_REDIRECTIONS})
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_INSTALLS = re.compile(r"\b(?:install|ci|sync|add|restore|fetch|venv|setup|bootstrap|download)\b")
_PLAIN = re.compile(r"[\w@%+./-]+")


def programs(commands: Iterable[str]) -> Mapping[str, str]:
    """Map each program that *commands*, run one after the other, need for sure to the command.

    A path is named only where nothing has run before that could have built it, and no program at
    all after something that may have installed it.
    """
    found: dict[str, str] = {}
    is_first = True
    for text in commands:
        words = _sure(text)
        may_install = _INSTALLS.search(text) is not None
        for word in words[:1] if may_install else words:
            if _PLAIN.fullmatch(word) and word not in BUILT_IN and (is_first or "/" not in word):
                found.setdefault(word, text)
            is_first = False
        if may_install:
            break
        is_first = False
    return found


def _sure(text: str) -> list[str]:
    """Return the commands that the shell runs for *text*; none where it decides for itself."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        tokens = list(lexer)
    except ValueError:  # an open quote: the shell will say so
        return []
    return _beginnings(tokens) if _UNDECIDED.isdisjoint(tokens) else []


def is_made(program: str, directory: str | None, task: Task) -> bool:
    """Whether *task* itself writes what would be run as *program* in *directory*."""
    name = PurePosixPath(directory or "", program)
    written = [path for entry in task.writes for path in entry.written_paths]
    return any(
        matches(path, str(name)) or PurePosixPath(path).name == name.name for path in written
    )


def _beginnings(tokens: Collection[str]) -> list[str]:
    """Return the first word of each simple command, past assignments and `!`."""
    words: list[str] = []
    is_due = True
    for before, word in pairwise(["", *tokens]):
        if word in _JOINTS:
            is_due = True
        elif is_due and not (word in _PASSED or before in _REDIRECTIONS or _ASSIGNMENT.match(word)):
            words.append(word)
            is_due = False
    return words
