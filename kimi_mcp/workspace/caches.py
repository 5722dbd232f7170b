"""Caches that programs make by themselves whenever they run: nobody's work, and no news. Pure.

They are set aside before a check like everything else that no commit holds; only a reader need not
hear of them. A folder of packages is none of these: a patched test runner lies in one.
"""

_FOLDERS = frozenset(
    {
        "__pycache__",
        ".pytest_cache",
        ".mypy_cache",
        ".pyright",
        ".ruff_cache",
        ".hypothesis",
        ".import_linter_cache",
        ".parcel-cache",
        ".turbo",
        ".gradle",
        ".dart_tool",
        ".phpunit.cache",
    }
)
_FILES = frozenset({".coverage", ".DS_Store", ".eslintcache", ".phpunit.result.cache"})
_TAILS = (".tsbuildinfo",)


def is_cache(path: str) -> bool:
    """Tell whether a file at *path* (relative, `/` between its parts) is such a cache."""
    *folders, name = path.split("/")
    return not _FOLDERS.isdisjoint((*folders, name)) or name in _FILES or name.endswith(_TAILS)
