"""`kimi-mcp show --html`: a page that a real browser shows, and that can do nothing."""

import re
import subprocess
from collections.abc import Callable
from html import escape
from pathlib import Path

import pytest

from browser import photographed, seen
from harvest import Work, harvested
from kimi_mcp.lifecycle import Outcome
from sandbox import Sandbox

Run = Callable[..., subprocess.CompletedProcess[str]]
EVIL = (
    "<script>document.title='owned'</script><img src=x onerror=document.title='owned'>\u202e\x1b[2J"
)
SECRET = "AKIA" + "ABCDEFGHIJKLMNOP"
WORKS = (
    Work(files={"one.py": f"# {EVIL}\nkey = '{SECRET}'\n"}),
    Work(files={"two.py": "2\n", "README.md": None}, needs=(1,), is_checked=False),
    Work(files={"app.py": "broken\n"}, outcome=Outcome.CHECKS_FAILED),
)


@pytest.fixture
def page(kimi_mcp: Run, sandbox: Sandbox, tmp_path: Path) -> Path:
    harvest = harvested(sandbox, *WORKS)
    done = kimi_mcp("show", harvest.id, "--html", "../report.html")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Written: {sandbox.root}/../report.html\n"
    return tmp_path / "report.html"


def test_a_browser_shows_tasks_checks_diffs_and_the_timeline(page: Path, tmp_path: Path) -> None:
    found = seen(page, folder=tmp_path / "browser")

    assert found.complaints == ()
    dom = found.dom
    assert "<title>001-add-login-7k3f: 2 of 3 delivered, 1 of them UNCHECKED" in dom
    assert len(re.findall(r'<h2 id="task-\d">', dom)) == 3
    for text in ("delivered, UNCHECKED", "checks_failed", "pytest -q", "1 passed", "+broken"):
        assert text in dom
    (drawn,) = re.findall(r"<svg[^>]*>.*?</svg>", dom, re.DOTALL)
    assert "1 Part 1" in drawn
    assert "Kimi" in drawn
    assert str(page.parent) not in dom  # nothing of this machine


def test_the_page_can_run_and_load_nothing(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    dom = seen(page, folder=tmp_path / "browser").dom

    assert "default-src 'none'" in text
    assert "owned'</title>" not in dom
    assert "<title>owned" not in dom
    assert "<img" not in dom
    assert "<script" not in dom
    assert escape("<script>", quote=False) in text
    assert not re.search(r"""(?:src|href)="(?!#)""", text)
    assert not re.search("[\u202e\x1b]", text)
    assert SECRET not in text
    assert "[redacted: AWS key]" in text


def test_what_a_page_must_not_do_would_be_seen_here(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("</body>", "<script>alert(1)</script></body>"), encoding="utf-8")

    found = seen(page, folder=tmp_path / "browser")

    assert any("Content Security Policy" in line for line in found.complaints)


def test_the_page_has_colours_from_its_own_style(page: Path, tmp_path: Path) -> None:
    image, bare = tmp_path / "page.png", tmp_path / "bare.html"
    text = page.read_text(encoding="utf-8")
    bare.write_text(re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL), encoding="utf-8")

    photographed(page, image, folder=tmp_path / "browser")
    photographed(bare, tmp_path / "bare.png", folder=tmp_path / "browser")

    data = image.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert data != (tmp_path / "bare.png").read_bytes()


def test_a_page_replaces_an_earlier_page_and_nothing_else(
    kimi_mcp: Run, page: Path, sandbox: Sandbox
) -> None:
    again = kimi_mcp("show", "--html", str(page))
    other = kimi_mcp("show", "--html", "app.py")
    nowhere = kimi_mcp("show", "--html", "no/such/folder.html")

    assert again.returncode == 0
    assert (other.returncode, other.stdout) == (2, "")
    assert "app.py is there and is no report of kimi-mcp" in other.stderr
    assert sandbox.git("status", "--porcelain", "app.py") == ""
    assert nowhere.returncode == 2
    assert "No such file or directory" in nowhere.stderr
