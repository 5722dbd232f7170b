"""What program or script a command of a spec needs. Pure.

Only what a plain reading of the first words tells: shell scripts of any shape are commands, too,
and of those nothing is claimed.
"""

import posixpath
import re
import shlex
from enum import StrEnum
from typing import NamedTuple


class Needs(StrEnum):
    """What a command needs: a program, a `package.json` script, a `Makefile` target, or a file."""

    PROGRAM = "program"
    SCRIPT = "script"
    TARGET = "target"
    FILE = "file"


class Need(NamedTuple):
    """One thing that a command needs, by name, in a folder from the root."""

    kind: Needs
    name: str
    folder: str


_BUILTINS = frozenset(
    [
        ".",
        ":",
        "[",
        "[[",
        "alias",
        "bg",
        "break",
        "builtin",
        "cd",
        "command",
        "continue",
        "declare",
        "do",
        "done",
        "elif",
        "else",
        "esac",
        "fi",
        "then",
        "echo",
        "eval",
        "exec",
        "exit",
        "export",
        "false",
        "fg",
        "for",
        "function",
        "getopts",
        "hash",
        "if",
        "jobs",
        "kill",
        "let",
        "local",
        "printf",
        "pwd",
        "read",
        "readonly",
        "return",
        "set",
        "shift",
        "source",
        "test",
        "time",
        "times",
        "trap",
        "true",
        "type",
        "ulimit",
        "umask",
        "unalias",
        "unset",
        "until",
        "wait",
        "while",
        "{",
        "(",
        "!",
        "case",
    ]
)
_PLAIN = re.compile(r"[\w./@+~-]+")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_MANAGERS = frozenset({"npm", "pnpm", "yarn", "bun"})
_BY_NAME = frozenset({"test", "start", "stop", "restart"})
_OWN = frozenset(
    [
        "add",
        "audit",
        "ci",
        "config",
        "create",
        "dlx",
        "exec",
        "help",
        "i",
        "info",
        "init",
        "install",
        "link",
        "list",
        "ls",
        "outdated",
        "pack",
        "prune",
        "publish",
        "remove",
        "uninstall",
        "unlink",
        "up",
        "update",
        "upgrade",
        "version",
        "why",
        "x",
        "workspace",
        "workspaces",
    ]
)
_RUNNERS = {"python", "python3", "node", "bash", "sh", "zsh", "ruby", "deno", "tsx"}


def needs(command: str, *, folder: str = "") -> list[Need]:
    """Give what *command*, run in *folder*, plainly needs; nothing where it is not plain."""
    found: list[Need] = []
    for part in re.split(r"&&|\|\||;|\|", command):
        try:
            words = shlex.split(part, comments=True)
        except ValueError:
            return found
        while words and _ASSIGNMENT.fullmatch(words[0]):
            words.pop(0)
        if not words:
            continue
        if words[0] == "cd" and len(words) > 1 and _PLAIN.fullmatch(words[1]):
            folder = posixpath.normpath(posixpath.join(folder, words[1]))
        elif _PLAIN.fullmatch(words[0]) and words[0] not in _BUILTINS:
            found += _of(words, folder)
    return found


def _of(words: list[str], folder: str) -> list[Need]:
    program = words[0]
    if "/" in program:
        path = posixpath.normpath(posixpath.join(folder, program))
        return [] if program.startswith(("/", "~")) else [Need(Needs.FILE, path, folder)]
    found = [Need(Needs.PROGRAM, program, folder)]
    arguments = [word for word in words[1:] if not word.startswith("-")]
    is_plain = len(words) > 1 and words[1] == next(iter(arguments), None)
    if program in _MANAGERS and is_plain:
        script = _script(program, arguments)
        found += [Need(Needs.SCRIPT, script, folder)] if script else []
    elif program == "make" and is_plain and "=" not in arguments[0]:
        found.append(Need(Needs.TARGET, arguments[0], folder))
    elif program in _RUNNERS and is_plain and "." in arguments[0]:
        path = posixpath.normpath(posixpath.join(folder, arguments[0]))
        found += [] if arguments[0].startswith("/") else [Need(Needs.FILE, path, folder)]
    return found


def _script(program: str, arguments: list[str]) -> str | None:
    first = arguments[0]
    if first in {"run", "run-script"}:
        return arguments[1] if len(arguments) > 1 else None
    if first in _OWN or (program == "bun" and first == "test"):
        return None
    return first if program != "npm" or first in _BY_NAME else None
