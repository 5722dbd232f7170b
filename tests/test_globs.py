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
        ("**/**", "a/b", True),
        ("src/**/**", "src/a", True),
        ("src/**/**", "src", False),
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


def slowly(pattern: str, path: str) -> bool:
    """Match by the docstring's words alone, trying everything."""

    def folders(patterns: list[str], parts: list[str]) -> bool:
        if patterns == ["**"]:
            return "/".join(parts) != ""
        if not patterns or not parts:
            return patterns == [] and parts == []
        if patterns[0] == "**":
            rest = range(len(parts))
            return any(all(parts[:n]) and folders(patterns[1:], parts[n:]) for n in rest)
        return letters(patterns[0], parts[0]) and folders(patterns[1:], parts[1:])

    def letters(word: str, part: str) -> bool:
        if not word:
            return not part
        if word[0] == "*":
            return any(letters(word[1:], part[n:]) for n in range(len(part) + 1))
        return bool(part) and word[0] in {"?", part[0]} and letters(word[1:], part[1:])

    return pattern == path or folders(pattern.split("/"), path.split("/"))


PARTS = st.sampled_from(["a", "b", "ab", "aab", "*", "**", "?", "a*", "*b", "a*b", "*a*", "?*b"])


@given(
    st.lists(PARTS, min_size=1, max_size=5).map("/".join),
    st.lists(st.sampled_from(["a", "b", "ab", "aab", "abab"]), min_size=1, max_size=5).map(
        "/".join
    ),
)
def test_a_pattern_means_the_same_as_when_everything_is_tried(pattern: str, path: str) -> None:
    assert matches(pattern, path) is slowly(pattern, path)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 60 + "b", "a" * 250),
        ("?*" * 500, "a" * 4_000 + "/"),
        ("**/" * 40 + "x", "a/" * 200 + "y"),
        ("**/a/" * 40 + "x", "a/" * 200 + "y"),
        ("**/*/" * 40 + "x", "a/" * 200 + "y"),
        ("**/*a*a*a*/" * 20 + "x", "aaaaaaaaa/" * 200 + "y"),
    ],
)
def test_no_pattern_takes_long(pattern: str, path: str) -> None:
    assert not matches(pattern, path)


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
