"""What lint wants to know of a repository beside which files there are; it reads the disk.

Read are only the files that a spec names, the manifests that its commands name, and of Python
files the imports. Imports in other languages have no exact reader at hand and are not guessed.
"""

import json
import posixpath
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from kimi_mcp import globs
from kimi_mcp.spec.files import Kind, Tree
from kimi_mcp.spec.model import FileEntry, Spec
from kimi_mcp.spec.programs import Need, Needs, needs

_MAX_BYTES = 2_000_000
_TARGET = re.compile(r"^([\w./%-]+(?:[ \t]+[\w./%-]+)*)[ \t]*::?(?!=)", re.MULTILINE)
_TOML_SCRIPT = re.compile(r"^\s*[\"']?([\w.-]+)[\"']?\s*=", re.MULTILINE)
_SOURCE = re.compile(r"\.(?:[cm]?[jt]sx?|go|rs|java|kt|swift|rb|php|cs|c|cc|cpp|h|hpp|vue|svelte)$")
_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was read.

    *lengths* are lines of the files that an entry names with line numbers; *lacking* what a command
    needs and does not find, with the names that there are; *imports* pairs of named files of which
    the first imports the second; *unread* named source files whose imports no reader reads;
    *changed* named files that changed after the plan was written.
    """

    lengths: Mapping[str, int]
    lacking: Mapping[Need, tuple[str, ...]]
    imports: frozenset[tuple[str, str]] = frozenset()
    unread: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()


NOTHING = Survey(lengths={}, lacking={})


def survey(
    root: Path, spec: Spec, tree: Tree, *, changed: Iterable[str] = (), path: str | None = None
) -> Survey:
    """Read what *spec* makes worth reading; *path* is the PATH that commands are looked up on."""
    entries = [entry for task in spec.tasks for entry in task.files]
    named = {p for entry in entries for p in entry.written_paths if not globs.is_glob(p)}
    there = {p for p in named if tree.place(p).kind is Kind.FILE}
    made = {p for entry in entries for p in entry.written_paths}
    later = set(changed)
    return Survey(
        lengths={p: _length(root / p) for p in _ranged(entries) if tree.place(p).kind is Kind.FILE},
        lacking=dict(_lacking(root, spec, made, search=path)),
        imports=frozenset(_imports(root, there)),
        unread=frozenset(p for p in named if _SOURCE.search(p)),
        changed=frozenset(p for p in there if p in later),
    )


def _ranged(entries: Iterable[FileEntry]) -> set[str]:
    return {entry.path for entry in entries if entry.lines}


def _length(file: Path) -> int:
    return len(_text(file).splitlines())


def _text(file: Path) -> str:
    try:
        if not file.is_file() or file.stat().st_size > _MAX_BYTES:
            return ""
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _lacking(
    root: Path, spec: Spec, made: set[str], *, search: str | None
) -> Iterator[tuple[Need, tuple[str, ...]]]:
    wanted = {
        need
        for task in spec.tasks
        for command in task.commands
        for need in needs(command.text, folder=_folder(command.directory))
    }
    for need in sorted(wanted):
        if need.folder.startswith("..") or any(globs.matches(p, need.name) for p in made):
            continue
        known = _known(root, need, made, search=search)
        if known is not None:
            yield need, known


def _folder(directory: str | None) -> str:
    return "" if directory in {None, "."} else posixpath.normpath(str(directory))


def _known(root: Path, need: Need, made: set[str], *, search: str | None) -> tuple[str, ...] | None:
    """Give the names that there are, where the one needed is not among them; else None."""
    folder = root / need.folder
    match need.kind:
        case Needs.FILE:
            return None if (root / need.name).exists() else ()
        case Needs.PROGRAM:
            return None if _finds(root, folder, need.name, search=search) else ()
        case Needs.SCRIPT:
            manifest = posixpath.join(need.folder, "package.json")
            return None if manifest in made else _absent(need.name, _scripts(folder))
        case Needs.TARGET:
            file = next((folder / n for n in _MAKEFILES if (folder / n).is_file()), None)
            manifests = {posixpath.join(need.folder, name) for name in _MAKEFILES}
            targets = _targets(_text(file)) if file else []
            if manifests & made or any("%" in target for target in targets):
                return None
            return _absent(need.name, targets)


def _absent(name: str, known: Iterable[str] | None) -> tuple[str, ...] | None:
    if known is None:
        return None
    names = tuple(known)
    return None if name in names else names


def _finds(root: Path, folder: Path, name: str, *, search: str | None) -> bool:
    if shutil.which(name, path=search):
        return True
    for base in dict.fromkeys([folder, root]):
        places = ("node_modules/.bin", ".venv/bin", "venv/bin", "vendor/bin")
        if any((base / place / name).exists() for place in places):
            return True
        if name in _declared(_text(base / "pyproject.toml")):
            return True
    return False


def _declared(text: str) -> set[str]:
    """Give the names in the script tables of a `pyproject.toml`, whoever runs them."""
    found: set[str] = set()
    is_scripts = False
    for line in text.split("\n"):
        if line.startswith("["):
            is_scripts = "scripts" in line or "tasks" in line
        elif is_scripts and (name := _TOML_SCRIPT.match(line)):
            found.add(name[1])
    return found


def _scripts(folder: Path) -> list[str] | None:
    """Give the scripts of the nearest manifest; None where a manifest cannot be read."""
    file = folder / "package.json"
    if not file.is_file():
        return []
    try:
        manifest: object = json.loads(_text(file))
    except (ValueError, RecursionError):
        return None
    scripts = _mapping(manifest).get("scripts")
    return list(_mapping(scripts))


def _mapping(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _targets(text: str) -> list[str]:
    return [name for line in _TARGET.findall(text) for name in line.split()]


def _imports(root: Path, there: set[str]) -> Iterator[tuple[str, str]]:
    modules = {_module(path): path for path in there if path.endswith(".py")}
    for path in sorted(there):
        if path.endswith(".py"):
            for name in _imported(_text(root / path), path):
                for known, other in modules.items():
                    if other != path and _is_module(name, known):
                        yield path, other


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _is_module(name: str, known: str) -> bool:
    """Tell whether *name*, as imported, is the file known as *known* from the root.

    A source folder before the package is not part of the name, so the end of the path decides.
    """
    return known == name or known.endswith(f".{name}")


def _imported(text: str, path: str) -> Iterator[str]:
    import ast  # noqa: PLC0415  # a few ms that a spec without Python files does not pay

    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    package = path.rpartition("/")[0].split("/") if "/" in path else []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            up = node.level - 1 if node.level else 0
            base = package[: len(package) - up] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            yield name
            yield from (f"{name}.{alias.name}" if name else alias.name for alias in node.names)
