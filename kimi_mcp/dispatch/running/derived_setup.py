"""What a fresh clone needs before work can begin in it, told from its lock files. Pure.

For users who have configured no `setup`: a clone holds what git holds, so neither `node_modules`
nor a virtual environment. Looked for at the root and in the folders that the spec works in; an
example project somewhere else costs nothing. Each family of files is answered once a folder, by the
first row whose program is installed.

What is installed lands in `.venv` and `node_modules` of the clone, which `SEARCHED` puts on `PATH`.
"""

import shlex
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NamedTuple, cast

from kimi_mcp.spec.model import Task

#: Folders of the clone in which programs that setup installed are found first.
SEARCHED = (".venv/bin", "node_modules/.bin")
FOLDERS = 4  # beside the root; a repository with more packages configures its setup
_EXTRAS = ("dev", "develop", "test", "tests", "testing")
_PIP = "python3 -m venv .venv && .venv/bin/python -m pip install -q --disable-pip-version-check"


class _Row(NamedTuple):
    file: str
    program: str
    command: str


_NODE = (
    _Row("pnpm-lock.yaml", "pnpm", "pnpm install --frozen-lockfile"),
    _Row("yarn.lock", "yarn", "yarn install --frozen-lockfile"),
    _Row("bun.lock", "bun", "bun install --frozen-lockfile"),
    _Row("bun.lockb", "bun", "bun install --frozen-lockfile"),
    _Row("package-lock.json", "npm", "npm ci --no-audit --no-fund"),
    _Row("npm-shrinkwrap.json", "npm", "npm ci --no-audit --no-fund"),
)
_PYTHON = (
    _Row("uv.lock", "uv", "uv sync --frozen"),
    _Row(
        "poetry.lock",
        "poetry",
        "POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-interaction",
    ),
    _Row("pdm.lock", "pdm", "pdm sync"),
    _Row("Pipfile.lock", "pipenv", "PIPENV_VENV_IN_PROJECT=1 pipenv sync --dev"),
    _Row("pyproject.toml", "python3", ""),  # by its content
    _Row("setup.py", "python3", f"{_PIP} -e ."),
    _Row("requirements.txt", "python3", ""),  # and its companions
)
_OTHERS = (
    (_Row("Cargo.lock", "cargo", "cargo fetch --locked"),),
    (_Row("go.mod", "go", "go mod download"),),
    (
        _Row(
            "Gemfile.lock",
            "bundle",
            "bundle config set --local path vendor/bundle && bundle install",
        ),
    ),
    (_Row("composer.lock", "composer", "composer install --no-interaction --no-progress"),),
    (_Row("packages.lock.json", "dotnet", "dotnet restore --locked-mode"),),
)
_FAMILIES: tuple[tuple[_Row, ...], ...] = (_NODE, _PYTHON, *_OTHERS)
_COMPANIONS = ("requirements-dev.txt", "requirements-test.txt", "dev-requirements.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """The commands to run in a fresh clone, and what could not be answered."""

    commands: tuple[str, ...] = ()
    because: tuple[str, ...] = ()  # the files that they were told from
    without: tuple[str, ...] = ()  # files that no installed program can use


def derived(
    files: Collection[str],
    tasks: Iterable[Task],
    *,
    content: Callable[[str], str],
    is_installed: Callable[[str], bool],
) -> Derived:
    """Tell the setup of a repository from its files.

    Args:
        files: every file of the base commit.
        tasks: what will be worked on.
        content: reads a file of the base commit.
        is_installed: whether a program is on the user's `PATH`.
    """
    known = frozenset(files)
    commands: list[str] = []
    because: list[str] = []
    without: list[str] = []
    for folder in _folders(known, tasks):
        for family in _FAMILIES:
            there = [row for row in family if _within(folder, row.file) in known]
            asked = [row for row in there if is_installed(row.program)]
            found = [
                (row, command)
                for row in asked
                if (command := row.command or _by_content(folder, row.file, known, content))
            ]
            if found:
                row, command = found[0]
                commands.append(f"cd {shlex.quote(folder)} && {command}" if folder else command)
                because.append(_within(folder, row.file))
            elif there and not asked:
                without.append(f"{_within(folder, there[0].file)} ({there[0].program})")
    return Derived(commands=tuple(commands), because=tuple(because), without=tuple(without))


def _folders(known: frozenset[str], tasks: Iterable[Task]) -> Iterator[str]:
    """Yield the root and the folders above what the tasks write, as far as they hold a manifest."""
    yield ""
    names = {row.file for family in _FAMILIES for row in family}
    above = {
        str(parent)
        for task in tasks
        for path in (
            *(path for entry in task.files for path in entry.written_paths),
            *(f"{command.directory}/any" for command in task.commands if command.directory),
        )
        for parent in PurePosixPath(path).parents
    }
    nested = [
        folder
        for folder in sorted(above - {"."})
        if any(_within(folder, name) in known for name in names)
    ]
    yield from nested[:FOLDERS]


def _by_content(
    folder: str, file: str, known: frozenset[str], content: Callable[[str], str]
) -> str | None:
    if file == "pyproject.toml":
        return _of_project(content(_within(folder, file)))
    listed = [name for name in (file, *_COMPANIONS) if _within(folder, name) in known]
    return f"{_PIP} {' '.join(f'-r {name}' for name in listed)}"


def _of_project(text: str) -> str | None:
    """Tell how the project of a `pyproject.toml` is installed; nothing when it is none."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    project: Any = document.get("project")
    if not isinstance(project, dict) and "build-system" not in document:
        return None
    declared: Any = cast("dict[str, Any]", project or {}).get("optional-dependencies") or {}
    extras = [name for name in _EXTRAS if name in declared]
    groups = [name for name in _EXTRAS if name in (document.get("dependency-groups") or {})]
    wanted = [shlex.quote(f".[{','.join(extras)}]") if extras else "."]
    wanted += _of_groups(document, groups)
    # a project whose tests need pytest often says so nowhere but in its settings
    return f"{_PIP} -e {' '.join(wanted)}{' pytest' if 'pytest' in text else ''}"


def _of_groups(document: Mapping[str, Any], groups: Sequence[str]) -> list[str]:
    """Name the plain requirements of dependency groups: older pips know no groups."""
    return [
        shlex.quote(requirement)
        for group in groups
        for requirement in document["dependency-groups"][group]
        if isinstance(requirement, str)
    ]


def _within(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
