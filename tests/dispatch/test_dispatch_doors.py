"""Plans, specs, folders and commits that a model names: what leads elsewhere is refused."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dispatching import bench_of, configure, spec_of
from kimi_mcp.dispatch.launch import LaunchWish, preview
from kimi_mcp.dispatch.planning.specs import PlanWish, write_spec
from kimi_mcp.errors import Refused
from sandbox import Sandbox

PLAN = "# Plan: work\n\n## Task 1: One\n\n**Files:**\n- Create: `one.py`\n"
SPEC = spec_of("One\nFiles:\n- CREATE one.py\n")

Make = Callable[[Sandbox, Path], str]
"""Arranges a repository and a folder beside it; returns what the model names."""


def outside(content: str) -> Make:
    def make(_: Sandbox, beside: Path) -> str:
        file = beside / "elsewhere.md"
        file.write_text(content, encoding="utf-8")
        return str(file)

    return make


def linked(place: str, content: str) -> Make:
    """Make a link in the repository to a file beside it."""

    def make(sandbox: Sandbox, beside: Path) -> str:
        (beside / "elsewhere.md").write_text(content, encoding="utf-8")
        link = sandbox.root / place
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(beside / "elsewhere.md")
        return str(link)

    return make


def linked_folder(content: str) -> Make:
    def make(sandbox: Sandbox, beside: Path) -> str:
        (beside / "001-work.md").write_text(content, encoding="utf-8")
        (sandbox.root / "specs").symlink_to(beside)
        return "specs/001-work.md"

    return make


def piped(place: str) -> Make:
    def make(sandbox: Sandbox, _: Path) -> str:
        file = sandbox.root / place
        file.parent.mkdir(exist_ok=True)
        os.mkfifo(file)
        return str(file)

    return make


def written(place: str, content: bytes) -> Make:
    def make(sandbox: Sandbox, _: Path) -> str:
        file = sandbox.root / place
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        return str(file)

    return make


def in_git(sandbox: Sandbox, _: Path) -> str:
    sandbox.write(".git/001-work.md", SPEC)
    return "specs/../.git/001-work.md"


def named(text: str) -> Make:
    return lambda _, __: text


PLANS: tuple[tuple[str, Make, str], ...] = (
    ("a file elsewhere", outside(PLAN), "add its folder to allow_read in kimi-mcp.toml"),
    ("a link to elsewhere", linked("plan.md", PLAN), "lies outside of what may be read"),
    ("a secret", named("/etc/passwd"), "lies outside of what may be read"),
    ("whether a secret is there", named("/etc/no-such-file"), "lies outside of what may be read"),
    ("a device", named("/dev/zero"), "lies outside of what may be read"),
    ("a pipe", piped("plan.md"), "no regular file; name a text file"),
    ("a folder", named("."), "lies outside of what may be read"),
    ("git's own", written(".git/plan.md", b"# Plan\n"), "in a .git folder; name a file of the"),
    ("too much", written("plan.md", b"x" * 1_000_001), "more than 1000000 bytes (limits.plan_by"),
    ("bytes", written("plan.md", b"# Plan\n\xff"), "is no UTF-8 text; save it as UTF-8"),
    ("a NUL", written("plan.md", b"# Plan\n\0"), "holds a NUL byte; save it as UTF-8"),
    ("a home of nobody", named("~nobody-here/plan.md"), "is no path; write it from the root"),
    ("a long name", named("/" + "x" * 5_000), "lies outside of what may be read"),
)
SPECS: tuple[tuple[str, Make, str], ...] = (
    ("a file elsewhere", outside(SPEC), "No git repository around"),
    ("a link to elsewhere", linked("specs/001-work.md", SPEC), "is outside the repository"),
    ("a folder elsewhere", linked_folder(SPEC), "is outside the repository; a spec is dispatched"),
    ("git's own", in_git, "specs stand in the checkout"),
    ("a pipe", piped("specs/001-work.md"), "no regular file; name"),
    ("too much", written("specs/001-x.md", b"x" * 1_000_001), "(limits.spec_bytes); shorten it"),
    ("bytes", written("specs/001-x.md", b"# Spec\n\xff"), "is no UTF-8 text; save it as UTF-8"),
    ("a NUL", written("specs/001-x.md", b"# Spec\n\0"), "holds a NUL byte; save it as UTF-8"),
    ("a home of nobody", named("~nobody-here/1.md"), "is no path; write it from the root"),
    ("a way up", named("../../etc/passwd"), "is outside the repository"),
    ("a long number", named("9" * 5_000), "No spec `9999"),
)
BASES = (
    "--upload-pack=touch x",
    "-h",
    "",
    "no-such-branch",
    "HEAD^{tree}",
    "HEAD:app.py",
    ":/no such words",
    "@{u}",
    "0" * 40,
    "refs/heads/../../config",
    "x" * 4_000,
)


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    folder = tmp_path / "beside"
    folder.mkdir()
    return folder


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("make", "said"), [row[1:] for row in PLANS], ids=[r[0] for r in PLANS])
def test_a_plan_that_a_model_names_lies_where_plans_lie(
    sandbox: Sandbox, beside: Path, make: Make, said: str
) -> None:
    path = make(sandbox, beside)

    with pytest.raises(Refused) as refusal:
        write_spec(bench_of(sandbox), PlanWish(plan_path=path))

    assert said in str(refusal.value)
    assert len(str(refusal.value)) < 1_000
    assert not (sandbox.root / "specs").exists()


@pytest.mark.parametrize(
    ("place", "settings"),
    [
        ("project/docs/plan.md", ""),
        ("machine/.claude/plans/brave-plan.md", ""),
        ("claude/plans/brave-plan.md", ""),
        ("plans/of/mine.md", "allow_read = ['PLACE/plans']"),
        ("mine.md", "allow_read = ['PLACE/mine.md']"),
        ("machine/notes/plan.md", "allow_read = ['~/notes']"),
    ],
)
def test_plans_are_read_where_the_contract_says(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, settings: str
) -> None:
    configure(settings.replace("PLACE", str(tmp_path)))
    if place.startswith("claude/"):
        monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    file = tmp_path / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(PLAN, encoding="utf-8")

    assert ": written, 1 task." in write_spec(bench_of(sandbox), PlanWish(plan_path=str(file)))


def test_a_person_may_name_a_plan_anywhere(sandbox: Sandbox, beside: Path) -> None:
    path = outside(PLAN)(sandbox, beside)

    text = write_spec(bench_of(sandbox), PlanWish(plan_path=path, is_persons=True))

    assert ": written, 1 task." in text


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("make", "said"), [row[1:] for row in SPECS], ids=[r[0] for r in SPECS])
def test_a_spec_that_leads_elsewhere_or_hurts_is_refused(
    sandbox: Sandbox, beside: Path, make: Make, said: str
) -> None:
    path = make(sandbox, beside)

    with pytest.raises(Refused) as refusal:
        preview(bench_of(sandbox), LaunchWish(spec=path))

    assert said in str(refusal.value)
    assert len(str(refusal.value)) < 1_000


@pytest.mark.timeout(60)
def test_a_spec_that_cannot_be_read_hinders_no_other(sandbox: Sandbox, beside: Path) -> None:
    piped("specs/001-pipe.md")(sandbox, beside)
    linked("specs/002-link.md", SPEC)(sandbox, beside)
    written("specs/003-bytes.md", b"\xff")(sandbox, beside)

    text = write_spec(bench_of(sandbox), PlanWish(plan=PLAN))

    assert text.startswith("specs/004-work.md: written, 1 task.")
    assert (beside / "elsewhere.md").read_text(encoding="utf-8") == SPEC


def test_nothing_is_written_through_a_specs_folder_that_leads_elsewhere(
    sandbox: Sandbox, beside: Path
) -> None:
    (sandbox.root / "specs").symlink_to(beside)

    with pytest.raises(Refused, match="outside the repository"):
        write_spec(bench_of(sandbox), PlanWish(plan=PLAN))
    assert list(beside.iterdir()) == []


@pytest.mark.parametrize("base", BASES)
def test_a_base_that_is_no_commit_is_refused_with_the_nearest(sandbox: Sandbox, base: str) -> None:
    sandbox.write("specs/001-work.md", SPEC)
    if not base:  # an empty one means HEAD
        assert preview(bench_of(sandbox), LaunchWish(spec="1", base=base))
        return

    with pytest.raises(Refused, match=r"No commit '.*' in .*\. Nearest: .*main") as refusal:
        preview(bench_of(sandbox), LaunchWish(spec="1", base=base))
    assert len(str(refusal.value)) < 1_000


@pytest.mark.parametrize(
    ("repo", "said"),
    [
        ("gone", "There is no folder .*/gone; repo names a folder of a repository"),
        ("/dev/null", "No git repository around /dev"),
        ("~nobody-here", "is no path; write it from the root"),
        ("x" * 5_000, "There is no folder .*; repo names a folder"),
        ("project/.git", "belongs to a bare repository or a .git folder"),
    ],
)
def test_a_folder_that_is_no_checkout_is_refused(
    sandbox: Sandbox, tmp_path: Path, repo: str, said: str
) -> None:
    place = str(tmp_path / repo) if repo.startswith("project") else repo

    with pytest.raises(Refused, match=said) as refusal:
        preview(bench_of(sandbox), LaunchWish(spec="1", repo=place))
    assert len(str(refusal.value)) < 1_000
