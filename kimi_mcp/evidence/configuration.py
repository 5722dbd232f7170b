"""What was changed in files that tell a test runner, a linter or a build what to do. Pure.

Files of a known form are compared setting by setting, others line by line. Of a file that says many
things (`package.json`, `pyproject.toml`) only what checks rest on counts.
"""

import configparser
import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, cast

from kimi_mcp.evidence.roles import Role
from kimi_mcp.quoting.quotes import quoted

VALUE_CHARS = 60
NAMED_LINES = 2

_MEASURES = (
    r"(?:threshold|fail[_-]?under|branches|functions|lines|statements|minimum|min[_-]?coverage)"
)
_THRESHOLD = re.compile(_MEASURES, re.IGNORECASE)
_MEASURE = re.compile(
    rf"(?P<name>[\w.-]*{_MEASURES}[\w.-]*)[\"']?\s*[:=,>]?\s*(?P<number>\d+(?:\.\d+)?)",
    re.IGNORECASE,
)
_ABOUT_CHECKS = re.compile(
    r"(?i)test|check|cover|lint|spec|skip|verify|ignore|exclude|filter|threshold|minimum|\|\| *true"
    r"|^\s*-\w|fail|enabled"
)
_SCRIPT = re.compile(
    r"(?:pre|post)?(?:test|lint|check|type-?check|e2e|cover|verify|validate|ci)(?:\b|:|$)"
)
_SECTIONS: Mapping[str, tuple[str, ...]] = {
    "package.json": ("jest.", "vitest.", "mocha.", "nyc.", "c8.", "ava.", "tap."),
    "pyproject.toml": (
        "tool.pytest.", "tool.coverage.", "tool.tox.", "tool.nox.", "tool.hatch.envs.", "tool.poe.",
        "tool.pdm.scripts.", "tool.taskipy.",
    ),
    "setup.cfg": ("tool:pytest.", "coverage:", "testenv", "tox.", "pytest."),
    "tox.ini": ("pytest.", "coverage:", "testenv", "tox."),
    "Cargo.toml": ("profile.test.", "lints.", "lib.test", "lib.doctest", "lib.harness"),
    "composer.json": (),
    "deno.json": ("test.", "lint."),
}  # fmt: skip
_SCRIPTS = {"package.json": "scripts.", "composer.json": "scripts.", "deno.json": "tasks."}


def changed(
    path: str, role: Role, before: str, after: str, *, commands: Sequence[str]
) -> list[str]:
    """Say, a phrase each, what of a file that checks rest on is no longer as it was."""
    name = PurePosixPath(path).name
    if role is Role.CI:
        return [f"CI changed: {_lines(before, after, lambda _: True)}"]
    is_relevant = _relevance(name, role, commands)
    old, new = _settings(name, before), _settings(name, after)
    if old is not None and new is not None:
        keys = [key for key in {**old, **new} if is_relevant(key) and old.get(key) != new.get(key)]
        told = [_setting(key, old.get(key), new.get(key)) for key in keys]
        return [phrase for phrase in told if phrase]
    measures = _lowered(before, after)
    rest = _lines(before, after, is_relevant)
    return [*measures, *([f"changed: {rest}"] if rest and not measures else [])]


def _relevance(name: str, role: Role, commands: Sequence[str]) -> Callable[[str], bool]:
    """Return what tells whether a setting, or a line, has to do with checks."""
    words = {word for command in commands for word in re.findall(r"[\w:.-]+", command)}
    sections = _SECTIONS.get(name)
    scripts = _SCRIPTS.get(name)
    if sections is not None:
        tools = tuple(f"tool.{word}." for word in words) + tuple(f"{word}." for word in words)
        wanted = (*sections, *tools)

        def is_of_checks(key: str) -> bool:
            if scripts is not None and key.startswith(scripts):
                script = key.removeprefix(scripts)
                return script in words or _SCRIPT.match(script) is not None
            return key.startswith(wanted)

        return is_of_checks
    if role is Role.RUNNER:
        return lambda _: True
    tool = re.split(r"[.\-_]|rc", name.lstrip("."))[0]
    if tool in {word.split(".")[0] for word in words} or (tool == "tsconfig" and "tsc" in words):
        return lambda _: True
    if tool in _TOOLS:  # of a tool that no check runs
        return lambda _: False
    return lambda line: _ABOUT_CHECKS.search(line) is not None


_TOOLS = frozenset(
    {
        "ruff", "flake8", "pylint", "mypy", "eslint", "golangci", "rubocop", "stylelint", "biome",
        "tsconfig", "pyrightconfig",
    }
)  # fmt: skip


def _setting(key: str, old: str | None, new: str | None) -> str | None:
    number, other = _number(old), _number(new)
    if number is not None and other is not None and _THRESHOLD.search(key):
        return f"threshold lowered: {_value(key)} {old} → {new}" if other < number else None
    if old is None:
        return f"added: {_value(key)} = {_value(new)}"
    return f"changed: {_value(key)} {_value(old)} → {'gone' if new is None else _value(new)}"


def _lowered(before: str, after: str) -> list[str]:
    """Name the measures whose numbers are lower now, in files without a form that we know."""
    old, new = _measures(before), _measures(after)
    return [
        f"threshold lowered: {_value(name)} {number:g} → {new[name]:g}"
        for name, number in old.items()
        if name in new and new[name] < number
    ]


def _measures(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for match in _MEASURE.finditer(text):
        found.setdefault(match["name"], float(match["number"]))
    return found


def _lines(before: str, after: str, is_relevant: Callable[[str], bool]) -> str:
    """Tell the relevant lines that are new or gone: how many, and the first of them."""
    old, new = Counter(_stripped(before)), Counter(_stripped(after))
    gone = [line for line in (old - new) if is_relevant(line)]
    come = [line for line in (new - old) if is_relevant(line)]
    if not gone and not come:
        return ""
    shown = [*(f"gone {_value(line)}" for line in gone), *(f"new {_value(line)}" for line in come)]
    return f"{len(come)} lines new, {len(gone)} gone: {', '.join(shown[:NAMED_LINES])}"


def _stripped(text: str) -> Iterator[str]:
    return (line.strip() for line in text.splitlines() if line.strip())


def _settings(name: str, text: str) -> dict[str, str] | None:
    """Read a file of a known form as dotted keys and values; None for any other."""
    try:
        if name.endswith((".json", ".jsonc", "rc")) and text.lstrip().startswith("{"):
            return dict(_flat("", json.loads(text)))
        if name.endswith(".toml"):
            return dict(_flat("", tomllib.loads(text)))
        if name.endswith((".ini", ".cfg", ".coveragerc", ".flake8", ".pylintrc")):
            return _ini(text)
    except (ValueError, RecursionError, configparser.Error):  # half a file, or a dialect of it
        return None
    return None


def _ini(text: str) -> dict[str, str]:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    parser.read_string(text)
    return {
        f"{section}.{key}": value or ""
        for section in parser
        for key, value in parser[section].items()
    }


def _flat(prefix: str, value: object) -> Iterable[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in cast("dict[str, Any]", value).items():
            yield from _flat(f"{prefix}.{key}" if prefix else key, inner)
    else:
        yield prefix, value if isinstance(value, str) else json.dumps(value, default=str)


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and re.fullmatch(r"\d+(?:\.\d+)?", text) else None


def _value(text: str | None) -> str:
    return quoted(text or "", limit=VALUE_CHARS)
