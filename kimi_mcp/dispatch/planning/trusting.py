"""Whose commands a dispatch would run, and how a person trusts them: as they are, as direnv does.

Commands of strangers run inside the fence only: where they rest on it, it becomes a requirement of
the whole dispatch, so that no later attempt runs them without.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from kimi_mcp.dispatch.orders import FenceLevel
from kimi_mcp.dispatch.place import repository_for
from kimi_mcp.dispatch.planning.project import FILE_NAME, Project, project_from, project_text
from kimi_mcp.dispatch.planning.trust import (
    Demand,
    demands_of_project,
    demands_of_spec,
    hash_of,
    obstacles,
    strangers,
)
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused, Unready
from kimi_mcp.history.known_files import Origin
from kimi_mcp.processes.trial import try_fence
from kimi_mcp.quoting.quotes import inline
from kimi_mcp.reading import expanded, read_text
from kimi_mcp.spec.model import Task
from kimi_mcp.spec.parse import parse
from kimi_mcp.workspace.repository import Repository

HASH_DIGITS = 10
WHOLE = 20_000  # who trusts a command must have seen all of it


def trust(bench: Workbench, file: str | None = None) -> str:
    """Trust *file*, else the settings file of the repository around the caller, as it is now.

    Raises:
        Refused: there is no such file, or it is neither a repository's settings nor a spec.
    """
    place = _place(bench, file)
    demands, text = _demands(bench, place)
    bench.history.know(str(place), hash_of(text), origin=Origin.TRUSTED, at=bench.stamp())
    lines = [f"Trusted as it is now: {place} (sha256 {hash_of(text)[:HASH_DIGITS]}…)."]
    for demand in demands:
        lines += [
            f"It may use {demand.kind}:",
            *(f"- {inline(item, limit=WHOLE)}" for item in demand.items),
        ]
    if not demands:
        lines.append("It has no commands that would need it.")
    return "\n".join([*lines, "A change of the file ends this; so does --revoke."])


def revoke(bench: Workbench, file: str | None = None) -> str:
    """Forget that *file* is trusted, and that plan_to_spec wrote it; it need not exist any more."""
    place = _place(bench, file)
    if bench.history.forget(str(place)):
        return f"No longer trusted: {place}."
    return f"It was not trusted: {place}."


def trusted(bench: Workbench) -> str:
    """List the files that were trusted, each with whether that still holds."""
    lines = [
        f"{_standing(known.path, known.hash):<8} {known.hash[:HASH_DIGITS]} {known.path}"
        for known in bench.history.known_files()
        if known.origin is Origin.TRUSTED
    ]
    return "\n".join(lines or ["Nothing is trusted."])


def strange_demands(
    bench: Workbench,
    repository: Repository,
    project: Project,
    *,
    path: str,
    text: str,
    tasks: Iterable[Task],
) -> tuple[Demand, ...]:
    """Give what a dispatch would run of files that are neither written by us nor trusted.

    *path* is that of the spec, from the root, and *text* what was read there.
    """
    demands = demands_of_spec(_held(repository.root / path), text, tasks)
    if project.text is not None:
        file = _held(repository.root / FILE_NAME)
        demands += demands_of_project(file, project.text, setup=project.setup, bring=project.bring)
    return strangers(demands, is_known=bench.history.is_known)


def fence_for(
    bench: Workbench, level: FenceLevel, strange: tuple[Demand, ...]
) -> tuple[FenceLevel, tuple[str, ...]]:
    """Say which level of the fence a dispatch has, and what stands in its way for want of one."""
    if level == "off" or not (strange or level == "required"):
        return level, obstacles(strange, is_fenced=False)
    try:
        _, tried = try_fence(bench.environ)
        flaw = None if tried.holds else "it does not hold on this kernel"
    except Unready as problem:
        flaw = f"there is none here: {problem}"
    if flaw is None:
        return "required", ()
    missing = (f'fence = "required", and {flaw}',) if level == "required" else ()
    return level, (*missing, *obstacles(strange, is_fenced=False))


def note_written(bench: Workbench, file: Path, text: str) -> None:
    """Remember that we have written *text* to *file* for this user."""
    bench.history.know(str(_held(file)), hash_of(text), origin=Origin.WRITTEN, at=bench.stamp())


def is_known(bench: Workbench, file: Path, text: str) -> bool:
    """Tell whether *text* in *file* was written by us for this user, or trusted."""
    return bench.history.is_known(str(_held(file)), hash_of(text))


def _held(file: Path) -> Path:
    return Path(os.path.realpath(file))


def _demands(bench: Workbench, place: Path) -> tuple[tuple[Demand, ...], str]:
    if place.name == FILE_NAME:
        text = project_text(place, within=place.parent)
        project = project_from(text, users=bench.settings())
        return demands_of_project(place, text, setup=project.setup, bring=project.bring), text
    text = read_text(
        place,
        what="The spec",
        limit_bytes=bench.settings().limits.spec_bytes,
        limit_name="limits.spec_bytes",
    )
    return demands_of_spec(place, text, parse(text, name=str(place)).tasks), text


def _place(bench: Workbench, file: str | None) -> Path:
    if file is not None:
        return _held(bench.folder / expanded(file))
    place = repository_for(bench).root / FILE_NAME
    if not os.path.lexists(place):
        raise Refused(f"There is no {place}; name the file to trust.")
    return _held(place)


def _standing(path: str, content_hash: str) -> str:
    try:
        text = read_text(Path(path), what="", limit_bytes=10**8, limit_name="")
    except Refused:
        return "gone"
    return "holds" if hash_of(text) == content_hash else "changed"
