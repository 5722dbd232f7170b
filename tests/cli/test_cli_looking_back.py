"""`history` and `show` for scripts: filters, pages, JSON."""

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harvest import Work, harvested
from kimi_mcp.cli.looking_back import since
from kimi_mcp.errors import Refused
from kimi_mcp.lifecycle import Outcome
from sandbox import Sandbox

Run = Callable[..., subprocess.CompletedProcess[str]]
ONE = Work(files={"one.py": "1\n"})
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def ids(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert (done.returncode, done.stderr) == (0, "")
    return [line.split("|")[1].strip() for line in done.stdout.splitlines() if "| 0" in line]


def test_the_history_is_filtered_and_read_page_by_page(
    kimi_mcp: Run, sandbox: Sandbox, tmp_path: Path
) -> None:
    first, second, third = (harvested(sandbox, ONE, token=t).id for t in ("aaaa", "bbbb", "cccc"))
    other = tmp_path / "other"
    other.mkdir()
    elsewhere = Sandbox(other)
    elsewhere.git("init", "-q")
    elsewhere.write("a", "a")
    elsewhere.commit()
    there = harvested(elsewhere, ONE, token="dddd").id

    assert ids(kimi_mcp("history")) == [there, third, second, first]
    assert ids(kimi_mcp("history", "--repo", ".")) == [third, second, first]
    assert ids(kimi_mcp("history", "--repo", str(other))) == [there]
    assert ids(kimi_mcp("history", "--since", "1h", "--state", "finished")) == [
        there, third, second, first,
    ]  # fmt: skip
    page = kimi_mcp("history", "--limit", "2", "--repo", ".")
    assert ids(page) == [third, second]
    assert page.stdout.endswith(f"Older: add --before {second}\n")
    assert ids(kimi_mcp("history", "--limit", "2", "--repo", ".", "--before", second)) == [first]
    for nothing in (("--state", "running"), ("--since", "2999-01-01")):
        assert kimi_mcp("history", *nothing).stdout == "No dispatch fits.\n"
    values = json.loads(kimi_mcp("history", "--json").stdout)
    assert [one["id"] for one in values] == [there, third, second, first]
    assert values[1]["delivered"] == values[1]["tasks"] == 1
    assert values[1]["repository"] == str(sandbox.root)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12h", "2026-01-15T00:00:00+00:00"),
        ("7d", "2026-01-08T12:00:00+00:00"),
        ("2w", "2026-01-01T12:00:00+00:00"),
        ("2026-01-03", "2026-01-03T00:00:00+00:00"),
        ("2026-01-03T10:00+02:00", "2026-01-03T10:00:00+02:00"),
    ],
)
def test_a_time_is_a_date_or_an_age(text: str, expected: str):
    assert since(text, now=NOW) == datetime.fromisoformat(expected)


@pytest.mark.parametrize("text", ["yesterday", "7", "7m", "-1d", ""])
def test_anything_else_is_refused_with_what_a_time_looks_like(text: str):
    with pytest.raises(Refused, match=r"2026-11-01 or an age like 12h, 7d, 2w"):
        since(text, now=NOW)


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "many", "999999999999999999999"])
def test_a_page_has_a_size_that_makes_sense(kimi_mcp: Run, limit: str) -> None:
    done = kimi_mcp("history", "--limit", limit)

    assert done.returncode == 2
    assert "from 1 to 1000" in done.stderr


def test_show_tells_all_of_it_to_a_script(kimi_mcp: Run, sandbox: Sandbox) -> None:
    works = ONE, Work(files={"two.py": "2\n"}, needs=(1,), outcome=Outcome.CHECKS_FAILED)
    harvest = harvested(sandbox, *works)

    done = kimi_mcp("show", harvest.id, "--json")
    values = json.loads(done.stdout)

    assert (done.returncode, done.stderr) == (0, "")
    assert (values["id"], values["state"], values["delivered"]) == (harvest.id, "finished", 1)
    one, two = values["tasks"]
    assert (one["state"], one["commit_id"]) == ("delivered", harvest.commits[1])
    assert [change["path"] for change in one["changes"]] == ["one.py"]
    assert [(check["command"], check["is_passed"]) for check in one["checks"]] == [
        ("pytest -q", True)
    ]
    assert (two["outcome"], two["depends_on"]) == ("checks_failed", [1])
    assert [attempt["steps"] for attempt in two["attempts"]] == [6]
    assert values["timeline"][0]["number"] == 1
    assert values["landings"] == []
    assert "orders" not in values


def test_one_task_alone_is_shown_in_every_view(kimi_mcp: Run, sandbox: Sandbox) -> None:
    works = Work(files={"uno.py": "1\n"}), Work(files={"due.py": "2\n"}), ONE
    harvest = harvested(sandbox, *works)

    for view in ("summary", "diff", "checks", "transcript", "timeline"):
        done = kimi_mcp("show", "--task", "2", "--view", view)
        assert (done.returncode, done.stderr) == (0, "")
        first, rest = done.stdout.split("\n", 1)
        assert first.startswith(f"{harvest.id}: 3 of 3 delivered")
        about = rest.rpartition("Next: ")[0] or rest
        assert ("2" in about, "uno" in about, "Part 1" in about) == (True, False, False), view
    values = json.loads(kimi_mcp("show", "--task", "2", "--json").stdout)
    assert [one["number"] for one in values["tasks"]] == [2]
    assert {lane["task"] for run in values["timeline"] for lane in run["lanes"]} == {2}
    assert values["delivered"] == 3
    unknown = kimi_mcp("show", "--task", "4")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "has no task 4. Its tasks: 1, 2, 3." in unknown.stderr


def test_a_page_is_of_all_tasks(kimi_mcp: Run, sandbox: Sandbox, tmp_path: Path) -> None:
    harvested(sandbox, ONE)

    done = kimi_mcp("show", "--task", "1", "--html", str(tmp_path / "page.html"))

    assert done.returncode == 2
    assert "leave --task out" in done.stderr
    assert not (tmp_path / "page.html").exists()


def test_secrets_are_in_no_value(kimi_mcp: Run, sandbox: Sandbox) -> None:
    secret = "AKIA" + "ABCDEFGHIJKLMNOP"
    harvest = harvested(sandbox, Work(files={f"{secret}.txt": "x\n"}))

    for words in (("show", harvest.id, "--json"), ("show", harvest.id, "--view", "timeline")):
        done = kimi_mcp(*words)
        assert done.returncode == 0
        assert secret not in done.stdout


def test_the_timeline_is_a_view(kimi_mcp: Run, sandbox: Sandbox) -> None:
    harvest = harvested(sandbox, ONE)

    done = kimi_mcp("show", "--view", "timeline")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{harvest.id}: 1 of 1 delivered")
    assert "run 1 · " in done.stdout
