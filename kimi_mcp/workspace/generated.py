"""Files that a tool writes because another file was changed: lock files and test snapshots. Pure.

A spec names the manifest or the test; what follows from it by rule needs no line of its own. A lock
file follows a manifest that was changed beneath its folder. A snapshot follows the test that it
belongs to. Both must be the spec's: what nobody asked for does not bring its lock file along.
"""

import re
from collections.abc import Callable, Collection
from posixpath import basename, dirname

_NODE = r"package\.json|pnpm-workspace\.yaml"
_PYTHON = r"pyproject\.toml|setup\.cfg|setup\.py"
#: Lock file: the names of the manifests that it follows.
_LOCKS = {
    "package-lock.json": _NODE,
    "npm-shrinkwrap.json": _NODE,
    "yarn.lock": _NODE,
    "pnpm-lock.yaml": _NODE,
    "bun.lock": _NODE,
    "bun.lockb": _NODE,
    "deno.lock": r"deno\.jsonc?|package\.json",
    "uv.lock": _PYTHON,
    "poetry.lock": _PYTHON,
    "pdm.lock": _PYTHON,
    "pylock.toml": _PYTHON,
    "Pipfile.lock": r"Pipfile",
    "Cargo.lock": r"Cargo\.toml",
    "go.sum": r"go\.mod",
    "go.work.sum": r"go\.(?:mod|work)",
    "Gemfile.lock": r"Gemfile|.+\.gemspec",
    "composer.lock": r"composer\.json",
    "packages.lock.json": r".+\.(?:cs|fs|vb)proj|Directory\.Packages\.props",
    "mix.lock": r"mix\.exs",
    "pubspec.lock": r"pubspec\.yaml",
    "Package.resolved": r"Package\.swift",
    "Podfile.lock": r"Podfile",
    "gradle.lockfile": r"build\.gradle(?:\.kts)?|libs\.versions\.toml",
    "flake.lock": r"flake\.nix",
    ".terraform.lock.hcl": r".+\.tf",
    "Chart.lock": r"Chart\.yaml",
}
_SNAPSHOTS = (
    # Jest and Vitest; syrupy; Playwright; insta
    (re.compile(r"(?P<dir>(?:.*/)?)__snapshots__/(?P<test>[^/]+)\.snap"), "{dir}{test}"),
    (re.compile(r"(?P<dir>(?:.*/)?)__snapshots__/(?P<test>[^/]+)\.ambr"), "{dir}{test}.py"),
    (re.compile(r"(?P<dir>(?:.*/)?)(?P<test>[^/]+)-snapshots/[^/]+"), "{dir}{test}"),
)
_INSTA = re.compile(r"(?P<dir>(?:.*/)?)snapshots/[^/]+\.snap")


def is_generated(path: str, *, changed: Collection[str], is_allowed: Callable[[str], bool]) -> bool:
    """Tell whether *path* follows by rule from files that may be written.

    Args:
        path: what was changed and is not in the spec.
        changed: all changed paths, deleted ones too.
        is_allowed: whether the spec lets a path be created or changed.
    """
    manifest = _LOCKS.get(basename(path))
    if manifest is not None:
        return any(
            re.fullmatch(manifest, basename(other)) and _is_beneath(dirname(path), other)
            for other in changed
            if is_allowed(other)
        )
    for form, test in _SNAPSHOTS:
        if found := form.fullmatch(path):
            return is_allowed(test.format(**found.groupdict()))
    if found := _INSTA.fullmatch(path):
        return any(
            other.endswith(".rs") and _is_beneath(found["dir"].rstrip("/"), other)
            for other in changed
            if is_allowed(other)
        )
    return False


def _is_beneath(folder: str, path: str) -> bool:
    return not folder or path.startswith(f"{folder}/")
