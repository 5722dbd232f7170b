"""The real Claude Code in a terminal: work goes to the background, comes back, is stopped."""

import re
from pathlib import Path

import psutil
import pytest

from claude_code import StartClaude
from conversing import DISCARD, HANDED_OVER, READY, TASK, held_kimi, session, shown, tell
from kimi_mcp.demo.script import say as kimi_says
from kimi_mcp.demo.script import write
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.records import Dispatch
from kimi_mcp.lifecycle import DispatchState, TaskState
from living import until
from sandbox import Sandbox, StartModel
from scripted_claude import say, use
from survivors import happened, processes_of

README = Path(__file__).parents[2] / "README.md"
DISPATCH = use("mcp__kimi__dispatch_spec", spec="1")


async def test_steps_are_seen_then_a_task_and_the_result_wakes_the_model(
    start_claude: StartClaude, start_model: StartModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIMI_MCP_FOREGROUND_S", "4")
    _, held = held_kimi(start_model)
    claude = start_claude({"": [DISPATCH, say("Kimi is at work."), say("Kimi is back.")]})
    seen: list[str] = []
    async with session(claude) as terminal:
        await tell(terminal, "Let Kimi do it")
        seen.append(await terminal.shows(r"Calling kimi · \d+s…\s+⎿  step \d · task 1/1 · "))
        seen.append(await terminal.shows(r"1 MCP task · ↓ to manage"))
        note = await shown(claude, "<mcp-server-note>")
        (dispatch,) = Workbench.open().history.recent(limit=2)
        assert f"{dispatch.id} goes on in the background." in note
        assert "end your turn, the result will wake you" in note

        terminal.press("Down")
        terminal.press("Enter")
        seen.append(await terminal.shows(r"Status:\s+working · step 2 · task 1/1 · thinking"))
        terminal.press("Escape")
        held.set()

        await terminal.shows(rf"MCP task {dispatch.id} \(kimi/dispatch_spec\) completed")
        seen.append(await terminal.shows(r"Kimi is back\."))
        result = await shown(claude, "<task-notification>")
    assert f"{dispatch.id}: 1 of 1 delivered" in result
    assert "+ONE = 1" in result
    assert captured_in_the_readme() - lines_of("\n".join(seen)) == set()


async def test_a_session_that_was_left_in_the_middle_gets_the_result_when_it_continues(
    start_claude: StartClaude, start_model: StartModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIMI_MCP_FOREGROUND_S", "1")
    _, held = held_kimi(start_model)
    claude = start_claude({"": [DISPATCH, say("Kimi is at work."), say("Kimi is back.")]})
    async with session(claude) as terminal:
        await tell(terminal, "Let Kimi do it")
        await terminal.shows(HANDED_OVER)
        await tell(terminal, "/exit")
        await terminal.shows("1. Exit and stop tasks")
        terminal.press("Enter")
        await terminal.is_over()
    (dispatch,) = Workbench.open().history.live()
    held.set()

    async with session(claude, "--continue") as terminal:
        result = await shown(claude, "<task-notification>")
        await terminal.shows(r"Kimi is back\.")
    assert f"{dispatch.id}: 1 of 1 delivered" in result


async def test_stop_in_the_list_of_tasks_ends_kimi_and_keeps_the_work(
    one_task: Sandbox,
    start_claude: StartClaude,
    start_model: StartModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KIMI_MCP_FOREGROUND_S", "1")
    model, _ = held_kimi(start_model)
    claude = start_claude({"": [DISPATCH, say("Kimi is at work.")]})
    async with session(claude) as terminal:
        await tell(terminal, "Let Kimi do it")
        await terminal.shows(HANDED_OVER)
        await happened(model.reached(TASK, 1))
        terminal.press("Down")
        terminal.press("Enter")
        await terminal.shows("x to stop")
        terminal.press("x")

        dispatch = await over()
    assert dispatch.state is DispatchState.CANCELLED
    assert dispatch.cancel_reason == "the user stopped the task"
    assert one_task.show(f"refs/kimi/{dispatch.id}/task-1.a1", "one.py") == "ONE = 1"


async def test_escape_cancels_the_running_call_with_the_work_kept(
    one_task: Sandbox, start_claude: StartClaude, start_model: StartModel
) -> None:
    model, _ = held_kimi(start_model)
    claude = start_claude({"": [DISPATCH]})
    async with session(claude) as terminal:
        await tell(terminal, "Let Kimi do it")
        await happened(model.reached(TASK, 1))
        await terminal.shows(r"⎿  step \d · task 1/1 · ")
        terminal.press("Escape")

        dispatch = await over()
    assert dispatch.state is DispatchState.CANCELLED
    assert dispatch.cancel_reason == "the user cancelled the call"
    assert one_task.show(f"refs/kimi/{dispatch.id}/task-1.a1", "one.py") == "ONE = 1"


async def test_a_revision_after_the_end_is_a_task_of_its_own(
    start_claude: StartClaude, start_model: StartModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIMI_MCP_FOREGROUND_S", "0")
    start_model(
        {
            TASK: (write("one.py", "ONE = 1\n"), kimi_says("done")),
            "Once more": (write("one.py", "ONE = 11\n"), kimi_says("done")),
        }
    )
    revise = use(
        "mcp__kimi__revise_task",
        lambda _: {"dispatch": newest().id, "task": 1, "feedback": "Once more"},
    )
    find = use("ToolSearch", query="select:mcp__kimi__revise_task", max_results=5)
    turns = [DISPATCH, say("Kimi is at work."), find, revise, say("Again."), say("Twice back.")]
    claude = start_claude({"": turns})
    async with session(claude) as terminal:
        await tell(terminal, "Let Kimi do it")
        await shown(claude, "+ONE = 1\n")
        revised = f"{newest().id}.t1.a2"
        await terminal.shows(r"Twice back\.")

        result = await shown(claude, f"MCP task {revised} (kimi/revise_task) completed")
    assert "+ONE = 11" in result


async def test_a_subagents_call_is_answered_inline(
    start_claude: StartClaude, start_model: StartModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIMI_MCP_FOREGROUND_S", "0")
    start_model({TASK: (write("one.py", "ONE = 1\n"), kimi_says("done"))})
    errand = "Errand: dispatch spec 1"
    agent = use("Agent", description="Dispatch", prompt=errand, subagent_type="general-purpose")
    claude = start_claude(
        {"": [agent, say("An agent does."), say("The agent did.")], errand: [DISPATCH, say("Did.")]}
    )
    async with session(claude) as terminal:
        await tell(terminal, "Let an agent do it")

        result = await shown(claude, "1 of 1 delivered")

        await terminal.shows(r"The agent did\.")
    assert "<task-notification>" not in result
    assert "server-side task" not in result


async def test_a_server_that_is_killed_in_the_middle_loses_nothing(
    start_claude: StartClaude, start_model: StartModel
) -> None:
    model, held = held_kimi(start_model)
    look = use("mcp__kimi__get_result", wait_s=60)
    find = use("ToolSearch", query="select:mcp__kimi__get_result", max_results=5)
    claude = start_claude({"": [find, DISPATCH, look, say("It is all there.")]})
    async with session(claude) as terminal:
        await tell(terminal, "Let Kimi do it")
        await happened(model.reached(TASK, 1))
        (server,) = servers()
        server.kill()
        await shown(claude, "Connection closed")
        held.set()

        result = await shown(claude, "1 of 1 delivered")
        await terminal.shows(r"It is all there\.")
    assert result.count("+ONE = 1") == 1


async def test_a_dispatch_can_be_mentioned(
    start_claude: StartClaude, start_model: StartModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIMI_MCP_FOREGROUND_S", "0")
    start_model({TASK: (write("one.py", "ONE = 1\n"), kimi_says("done"))})
    claude = start_claude(
        {"": [DISPATCH, say("Kimi is at work."), say("Kimi is back."), say("I see.")]}
    )
    async with session(claude) as terminal:
        await tell(terminal, "Let Kimi do it")
        await terminal.shows(r"Kimi is back\.")
        uri = f"kimi://dispatches/{newest().id}"

        terminal.type(f"What of @kimi:{uri} ")
        await terminal.shows(READY)
        terminal.press("Enter")

        page = await shown(claude, "The spec as it was dispatched:")
    assert f"# {newest().id}: 1 of 1 delivered" in page


def captured_in_the_readme() -> set[str]:
    """Return the lines of the README's capture of a session."""
    (capture,) = re.findall(r"(?ms)^```\n(. Let Kimi do it.*?)^```$", README.read_text("utf-8"))
    return lines_of(capture)


def lines_of(screen: str) -> set[str]:
    """Return the lines of a screen, without what differs from one session to the next."""
    lines = (line.strip("● ") for line in screen.splitlines())
    varying = (r"-[a-z0-9]{4}\b", r"\d+s", r"(?<=⎿  step )\d .*")
    return {re.sub("|".join(varying), "…", line) for line in lines if line}


async def test_a_person_is_asked_before_work_is_discarded(
    one_task: Sandbox,
    start_claude: StartClaude,
    start_model: StartModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KIMI_MCP_FOREGROUND_S", "300")
    start_model({TASK: (write("one.py", "ONE = 1\n"), kimi_says("done"))})
    find = use("ToolSearch", query="select:mcp__kimi__land_result", max_results=5)
    claude = start_claude({"": [find, DISPATCH, DISCARD, say("It is gone.")]})
    async with session(claude) as terminal:
        await tell(terminal, "Let Kimi do it, then discard it")
        await terminal.shows(r"Discard the work of 001-one-part-\w{4}\?")
        assert one_task.git("for-each-ref", "refs/heads/kimi")
        await terminal.press_until("Space", "Yes, do it: ☒")
        await terminal.press_until("Down", r"\S Accept +Decline")
        await terminal.press_until("Enter", r"It is gone\.")
    assert not one_task.git("for-each-ref", "refs/heads/kimi")


def newest() -> Dispatch:
    """Return the newest dispatch."""
    return Workbench.open().history.recent(limit=1)[0]


async def over() -> Dispatch:
    """Wait until nothing runs any more, and return the only dispatch."""
    history = Workbench.open().history
    await until(lambda: bool(history.recent(limit=1)) and not history.live(), within_s=90)
    (dispatch,) = history.recent(limit=2)
    await until(lambda: not processes_of(dispatch.id))
    assert history.task(dispatch.id, 1).state is TaskState.CANCELLED
    return dispatch


def servers() -> list[psutil.Process]:
    """Find the servers that Claude Code has started for this test."""
    home = Workbench.open().environ["KIMI_MCP_HOME"]
    found: list[psutil.Process] = []
    for one in psutil.process_iter(["cmdline", "environ"]):  # of those that may be read
        argv: list[str] = one.info["cmdline"] or []
        environ: dict[str, str] = one.info["environ"] or {}
        if argv[-2:] == ["-m", "kimi_mcp"] and environ.get("KIMI_MCP_HOME") == home:
            found.append(one)
    return found
