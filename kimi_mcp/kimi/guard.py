"""A script that Kimi runs before a tool call: it refuses pushes, releases and files outside.

A help for the model, which else wastes steps on what cannot work, and a second layer: no promise
rests on it. It knows the usual ways to write a command, not all: what a script or a program does,
what is put together from variables, what stands in a quoted substitution, or a link that leads out
of the clone is not seen here. What must hold is held by the fence and by a clone without a remote.

Kimi Code 2.1.0 and kimi-cli 1.51 take exit code 2 for a refusal, with standard error as what the
model reads, and let the call happen on every other exit, on time-out and on a failed start. Python
and sh themselves use 2 for "no such script", so a refusal is `REFUSED` here and `guarding`
translates it: a guard that is broken stands in nobody's way.

Run by itself, so it imports the standard library only, and little of that.
"""

import json
import os.path
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

REFUSED = 3
DEPTH = 4  # of shells within shells
_PUBLISHED_HERE = "This runs on a private clone; kimi-mcp publishes after its checks."
_TOKEN = re.compile(
    r"""(?P<word>(?:[^\s;&|()`'"\\#]|\\.|'[^']*'|"(?:[^"\\]|\\.)*"|(?<=\S)\#)+)"""
    r"""|(?P<comment>\#[^\n]*)|(?P<cut>[;&|\n()`])""",
    re.DOTALL,
)
_QUOTED = re.compile(
    r"""'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|\\(?P<bare>.)""", re.DOTALL
)
_ESCAPED = re.compile(r'\\(["\\$`])')
_HERE_DOCUMENT = re.compile(r"""(<<-?[ ]*["']?(\w+)["']?[^\n]*)\n.*?\n\s*\2(?=\n|$)""", re.DOTALL)
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh"})
#: Programs that run the command which follows, and their options that take a value.
_WRAPPERS = {
    "sudo": ("-u", "-g"), "env": ("-u", "-C", "-S"), "command": (), "exec": (), "nohup": (),
    "time": (), "nice": ("-n",), "timeout": ("-s", "-k"), "setsid": (), "xargs": ("-n", "-I", "-P"),
    "stdbuf": ("-o", "-e", "-i"), "npx": ("-p",), "pnpx": (), "bunx": (), "uvx": (), "corepack": (),
    "then": (), "do": (), "else": (), "if": (), "while": (), "until": (), "!": (), "{": (),
    "builtin": (),
}  # fmt: skip
#: Options before the subcommand that take a value.
_VALUED = {
    "git": ("-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--config-env"),
    "npm": ("--prefix", "-w", "--workspace", "--userconfig", "--registry"),
    "pnpm": ("-C", "--dir", "-F", "--filter"),
    "yarn": ("--cwd",),
    "cargo": ("-C", "--config", "-Z", "--color"),
    "docker": ("-H", "--host", "-c", "--context", "--config", "-l", "--log-level"),
    "podman": ("-c", "--connection", "--log-level"),
    "uv": ("--directory", "--project"),
    "poetry": ("-C", "--directory", "-P", "--project"),
    "gh": ("-R", "--repo"),
    "glab": ("-R", "--repo"),
}
#: What is refused of a program: the words that its command begins with.
_PUBLISHING = {
    "git": (("push",), ("send-pack",), ("remote", "add"), ("remote", "set-url"), ("send-email",),
            ("subtree", "push"), ("lfs", "push"), ("svn", "dcommit")),
    "npm": (("publish",), ("unpublish",), ("dist-tag", "add"), ("deprecate",)),
    "pnpm": (("publish",),),
    "yarn": (("publish",), ("npm", "publish")),
    "bun": (("publish",),),
    "deno": (("publish",),),
    "jsr": (("publish",),),
    "lerna": (("publish",),),
    "vsce": (("publish",),),
    "twine": (("upload",),),
    "uv": (("publish",),),
    "poetry": (("publish",),),
    "flit": (("publish",),),
    "hatch": (("publish",),),
    "pdm": (("publish",),),
    "python": (("setup.py", "upload"),),
    "gradle": (("publish",),),
    "gradlew": (("publish",),),
    "goreleaser": (("release",),),
    "changeset": (("publish",),),
    "cargo": (("publish",), ("yank",), ("release",)),
    "gem": (("push",), ("yank",)),
    "rake": (("release",),),
    "mvn": (("deploy",),),
    "dotnet": (("nuget", "push"),),
    "nuget": (("push",),),
    "mix": (("hex.publish",),),
    "helm": (("push",),),
    "docker": (("push",), ("image", "push"), ("compose", "push")),
    "podman": (("push",), ("image", "push")),
    "gh": (("release", "create"), ("release", "upload"), ("pr", "create"), ("pr", "merge"),
           ("repo", "create"), ("repo", "sync"), ("issue", "create"), ("gist", "create"),
           ("workflow", "run")),
    "glab": (("release", "create"), ("mr", "create"), ("mr", "merge"), ("repo", "create")),
    "hub": (("push",), ("pull-request",), ("release", "create")),
}  # fmt: skip
#: What the commands above have in common; a call without any of these words need not be read.
HINTS = (
    "create", "dcommit", "deploy", "deprecate", "dist-tag", "merge", "publish", "pull-request",
    "push", "release", "remote", "repo sync", "send-email", "send-pack", "upload",
    "workflow", "yank",
)  # fmt: skip
#: Programs whose first word, one of the second part, says that another program follows.
_RUNNERS = frozenset({"uv", "poetry", "pdm", "hatch", "pipx", "npm", "pnpm", "yarn", "bundle"})
_RUN = frozenset({"run", "exec", "dlx"})


def complaint(call: Mapping[str, Any], *, writable: Sequence[str]) -> str | None:
    """Say why a tool call is refused, for the model to read; nothing: it may happen.

    Args:
        call: what Kimi tells a hook: `tool_input` with `command` or `path`, and `cwd`.
        writable: absolute folders in which files may be written; the first one is the clone.
    """
    given: Mapping[str, Any] = call.get("tool_input") or {}
    if isinstance(command := given.get("command"), str):
        way = published_by(command)
        return way and f"`{way}` is refused. {_PUBLISHED_HERE} Go on without it."
    if isinstance(path := given.get("path"), str):
        return _outside(path, folder=str(call.get("cwd") or writable[0]), writable=writable)
    return None


def published_by(command: str, *, depth: int = DEPTH) -> str | None:
    """Name what in a shell command would publish; nothing where nothing is seen."""
    for words in simple_commands(command):
        program, rest = _unwrapped(words)
        if program in _SHELLS | {"eval"} and depth:
            within = _script_of(program, rest)
            if within and (way := published_by(within, depth=depth - 1)):
                return way
        named = _positional(rest, _VALUED.get(program, ()))
        if program in _RUNNERS and named[:1] and named[0] in _RUN:
            program, named = _unwrapped(named[1:])
        for way in _PUBLISHING.get(program, ()):
            if named[: len(way)] == way:
                return " ".join((program, *way))
    return None


def simple_commands(command: str) -> Iterator[tuple[str, ...]]:
    """Split a shell command into its simple ones, and each into its words, without quotes."""
    text = _HERE_DOCUMENT.sub(r"\1\n", command.replace("\\\n", " "))
    words: list[str] = []
    for token in _TOKEN.finditer(text):
        if token["word"]:
            words.append(_QUOTED.sub(_unquoted, token["word"]))
        elif token["cut"] and words:
            yield tuple(words)
            words = []
    if words:
        yield tuple(words)


def _unquoted(part: re.Match[str]) -> str:
    within = part["double"]
    return part["single"] or part["bare"] or (_ESCAPED.sub(r"\1", within) if within else "")


def _unwrapped(words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Find the program that is really run, past assignments and programs that run others."""
    rest = list(words)
    while rest:
        first = rest.pop(0)
        name, assigned, _ = first.partition("=")
        if assigned and name.isidentifier():
            continue
        program = first.rsplit("/", 1)[-1]
        if program.startswith("python"):
            if rest[:1] != ["-m"]:
                return "python", tuple(rest)
            rest.pop(0)
        elif program in _WRAPPERS:
            valued = _WRAPPERS[program]
            while rest and (rest[0].startswith("-") or rest[0][:1].isdigit()):
                if rest.pop(0) in valued and rest:
                    rest.pop(0)
        else:
            return program, tuple(rest)
    return "", ()


def _positional(words: Sequence[str], valued: Sequence[str]) -> tuple[str, ...]:
    found: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in valued:
            next(rest, None)
        elif not word.startswith(("-", "+")):
            found.append(word)
    return tuple(found)


def _script_of(program: str, words: Sequence[str]) -> str:
    """Return the text that a shell is told to run."""
    if program == "eval":
        return " ".join(words)
    for number, word in enumerate(words):
        if word.startswith("-") and not word.startswith("--") and word.endswith("c"):
            return " ".join(words[number + 1 : number + 2])
    return ""


def _outside(path: str, *, folder: str, writable: Sequence[str]) -> str | None:
    place = os.path.normpath(os.path.join(folder, os.path.expanduser(path)))  # noqa: PTH111, PTH118  pathlib costs a third of the start
    if any(place == root or place.startswith(root.rstrip("/") + "/") for root in writable):
        return None
    return (
        f"{path} lies outside of this clone, where nothing may be written. Write inside of "
        f"{writable[0]}, or in $TMPDIR what is temporary. If the task needs that file, stop and "
        f"answer: BLOCKED: {path} lies outside of the repository."
    )


def main(writable: Sequence[str]) -> int:
    """Judge the call on standard input."""
    said = complaint(json.load(sys.stdin), writable=writable)
    if said is None:
        return 0
    sys.stderr.write(said + "\n")
    return REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
