"""What two tasks share, so that they should not run side by side. Pure.

Beside files that both write: the lock file behind manifests of one kind, a folder of numbered
migrations, and a Python file of one that imports a file of the other. Imports in other languages
are not known here, and nothing is claimed of them.
"""

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from kimi_mcp import globs
from kimi_mcp.spec import paths
from kimi_mcp.spec.model import Operation, Task

Imports = frozenset[tuple[str, str]]

_MANIFESTS = {
    "package.json": "npm",
    "package-lock.json": "npm",
    "pnpm-lock.yaml": "npm",
    "yarn.lock": "npm",
    "bun.lock": "npm",
    "pyproject.toml": "python",
    "poetry.lock": "python",
    "uv.lock": "python",
    "requirements.txt": "python",
    "Cargo.toml": "cargo",
    "Cargo.lock": "cargo",
    "go.mod": "go",
    "go.sum": "go",
    "Gemfile": "ruby",
    "Gemfile.lock": "ruby",
    "composer.json": "php",
    "composer.lock": "php",
}
_MIGRATIONS = re.compile(r"(?:^|/)(?:migrations?|migrate|changelog|versions)$", re.IGNORECASE)


class Shared(NamedTuple):
    """What is shared: a code and a sentence's end."""

    code: str
    what: str


def shared(one: Task, other: Task, imports: Imports = frozenset()) -> Shared | None:
    """Say what two tasks share, the gravest first."""
    mine, theirs = _written(one), _written(other)
    for path in mine:
        if any(paths.overlap(path, their) for their in theirs):
            return Shared("shared_file", f"both change `{path}`")
    kinds = _kinds(mine) & _kinds(theirs)
    if kinds:
        return Shared("shared_lock", f"both change {min(kinds)} dependencies and their lock file")
    folders = set(_migrations(one)) & set(_migrations(other))
    if folders:
        return Shared("shared_migrations", f"both add a migration to `{min(folders)}`")
    for importer, imported in sorted(imports):
        pair = {importer, imported}
        if pair & set(mine) and pair & set(theirs):
            return Shared("import_edge", f"`{importer}` imports `{imported}`")
    return None


def _written(task: Task) -> list[str]:
    return [path for entry in task.writes for path in entry.written_paths]


def _kinds(written: list[str]) -> set[str]:
    return {_MANIFESTS[name] for p in written if (name := posixpath.basename(p)) in _MANIFESTS}


def _migrations(task: Task) -> Iterator[str]:
    for entry in task.writes:
        folder = posixpath.dirname(entry.path)
        is_new = entry.operation is Operation.CREATE and not globs.is_glob(folder)
        if is_new and _MIGRATIONS.search(folder):
            yield folder
