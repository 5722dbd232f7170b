from pathlib import Path

import pytest

from kimi_mcp.kimi.guidance import LIMIT_BYTES, project_guidance


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def write(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def test_a_project_without_instructions_gives_none(root: Path):
    assert project_guidance(root) is None


@pytest.mark.parametrize("name", ["AGENTS.md", "agents.md", ".kimi-code/AGENTS.md"])
def test_what_kimi_reads_itself_is_not_said_twice(root: Path, name: str):
    write(root, "CLAUDE.md", "Be kind.")
    write(root, name, "Be quick.")

    assert project_guidance(root) is None


def test_imports_are_resolved_where_they_stand(root: Path):
    write(root, "CLAUDE.md", "# Rules\n\n@docs/style.md\n\n- @docs/git.md\n@docs/style.md\nEnd.\n")
    write(root, "docs/style.md", "Two spaces.\n@deep/more.md\n")
    write(root, "docs/deep/more.md", "Short lines.")
    write(root, "docs/git.md", "No force.")

    assert project_guidance(root) == ("# Rules\n\nTwo spaces.\nShort lines.\n\nNo force.\nEnd.\n")


@pytest.mark.parametrize(
    "line",
    [
        "@absent.md",
        "@../secret.md",
        "@{outside}/secret.md",
        "@linked.md",
        "@loop.md",
        "@folder",
        "@nul\0.md",
        "@" + "x" * 5000,
        "@~/secret.md",
        "    @property",
        "mail me@docs.md",
        "see @docs.md for more",
    ],
)
def test_what_is_no_import_of_this_repository_stays_as_it_is(root: Path, line: str):
    write(root.parent, "secret.md", "SECRET")
    write(root, "docs.md", "docs")
    (root / "folder").mkdir()
    (root / "linked.md").symlink_to("../secret.md")
    (root / "loop.md").symlink_to("loop.md")
    text = f"Before\n{line.format(outside=root.parent)}\nAfter\n"
    write(root, "CLAUDE.md", text)

    assert project_guidance(root) == text


def test_instructions_that_lead_out_of_the_repository_are_none(root: Path):
    write(root.parent, "secret.md", "SECRET")
    (root / "CLAUDE.md").symlink_to("../secret.md")

    assert project_guidance(root) is None


def test_a_circle_of_imports_ends(root: Path):
    write(root, "CLAUDE.md", "A\n@b.md\n")
    write(root, "b.md", "B\n@CLAUDE.md\n@b.md\n")

    assert project_guidance(root) == "A\nB\n"


def test_a_chain_of_imports_is_followed_five_deep(root: Path):
    write(root, "CLAUDE.md", "0\n@1.md\n")
    for number in range(1, 9):
        write(root, f"{number}.md", f"{number}\n@{number + 1}.md\n")

    assert project_guidance(root) == "0\n1\n2\n3\n4\n5\n@6.md\n"


@pytest.mark.timeout(60)
def test_imports_that_multiply_cost_nothing(root: Path):
    write(root, "CLAUDE.md", "@a.md\n@b.md\n" * 1000)
    write(root, "a.md", "@b.md\n@CLAUDE.md\n" * 1000)
    write(root, "b.md", "@a.md\n" * 1000)

    assert project_guidance(root) == ""


@pytest.mark.parametrize("letter", ["a", "ü"])
def test_no_more_than_kimi_reads_is_given(root: Path, letter: str):
    write(root, "CLAUDE.md", "x" + letter * 20_000 + "\n@b.md\n")
    write(root, "b.md", letter * 20_000)
    text = project_guidance(root)

    assert text is not None
    assert LIMIT_BYTES - 2 < len(text.encode()) <= LIMIT_BYTES
    assert "\ufffd" not in text
