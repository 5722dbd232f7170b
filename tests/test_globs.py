"""What a glob means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.globs import matches


@pytest.mark.parametrize(
    ("pattern", "path", "is_match"),
    [
        ("src/*.py", "src/a.py", True),
        ("src/*.py", "src/.py", True),
        ("src/*.py", "src/sub/a.py", False),
        ("src/**", "src/a", True),
        ("src/**", "src/a/b/c", True),
        ("src/**", "src", False),
        ("src/**/a.py", "src/a.py", True),
        ("src/**/a.py", "src/x/y/a.py", True),
        ("src/**/a.py", "srcx/a.py", False),
        ("**/a.py", "a.py", True),
        ("**/a.py", "x/y/a.py", True),
        ("a**b", "a/b", False),
        ("a**b", "axxb", True),
        ("?.py", "a.py", True),
        ("?.py", "/.py", False),
        ("?.py", "ab.py", False),
        ("a.py", "aXpy", False),
        ("*.py", "A.PY", False),
        ("*\n*", "a\nb", True),
        ("pages/[id].tsx", "pages/[id].tsx", True),
        ("pages/[id].tsx", "pages/i.tsx", False),
        ("app/**", "app/[id]/page.tsx", True),
        ("app/[id]/*", "app/[id]/page.tsx", True),
        ("[", "[", True),
    ],
)
def test_patterns_mean_what_the_docstring_says(pattern: str, path: str, is_match: bool) -> None:  # noqa: FBT001 - a table's column
    assert matches(pattern, path) is is_match


@given(st.text(), st.text())
def test_a_path_means_itself_and_without_pattern_characters_nothing_else(
    path: str, other: str
) -> None:
    assert matches(path, path)
    assert matches(path, other) is (path == other) or any(sign in path for sign in "*?")


@given(st.text(alphabet="ab*?[]!^-\\/.&~|(", max_size=12), st.text(alphabet="ab/.", max_size=8))
def test_any_pattern_can_be_asked(pattern: str, path: str) -> None:
    assert matches(pattern, path) in {True, False}
    if path:
        assert matches("**", path)
