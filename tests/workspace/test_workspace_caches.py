"""Which leftovers are a program's own caches, and which a reader must hear of."""

import pytest

from kimi_mcp.workspace.caches import is_cache


@pytest.mark.parametrize(
    "path",
    [
        "letters/__pycache__/__init__.cpython-312.pyc",
        "__pycache__",
        ".pytest_cache/v/cache/nodeids",
        "web/.eslintcache",
        ".coverage",
        "docs/.DS_Store",
        "web/tsconfig.tsbuildinfo",
    ],
)
def test_what_programs_write_for_themselves_is_a_cache(path: str) -> None:
    assert is_cache(path)


@pytest.mark.parametrize(
    "path",
    [
        "evil.pyc",  # a module without its source can be imported
        "node_modules/jest/index.js",
        "vend/.git/config",
        "build/out.bin",
        ".coveragerc",
        "__pycache__.py",
    ],
)
def test_what_could_sway_a_check_is_no_cache(path: str) -> None:
    assert not is_cache(path)
