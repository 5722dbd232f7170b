"""Having Kimi work on a task in its clone: its home, its brief, its run."""

from pathlib import Path

import anyio

from kimi_mcp.dispatch.assignment import assignment
from kimi_mcp.dispatch.events import Noted
from kimi_mcp.dispatch.watching import Watching
from kimi_mcp.dispatch.work import Emit, TaskWork
from kimi_mcp.kimi import brief, command, guidance, home, run, watch
from kimi_mcp.kimi.dialects import DIALECTS
from kimi_mcp.kimi.observations import Observation
from kimi_mcp.kimi.outcome import RunFacts
from kimi_mcp.processes.environment import passed_on
from kimi_mcp.profiles.compose import compose_config
from kimi_mcp.profiles.source import read_config


def lay_home(work: TaskWork) -> None:
    """Lay the task's Kimi home: the composed configuration, the links to the credentials.

    Raises:
        Refused: the user's own configuration is malformed; file and line are named.
    """
    orders, user = work.orders, Path(work.orders.kimi_home)
    dialect = DIALECTS[orders.kimi_dialect]
    config = compose_config(
        read_config(user / "config.toml"),
        dialect=dialect.name,
        steps=work.step_budget,
        attempts=orders.attempts,
        tool_timeout_ms=orders.tool_timeout_ms,
        thinking=orders.thinking,
        model=orders.model,
        subagents=orders.subagents,
    )
    notes = guidance.project_guidance(work.folder.clone, read=dialect.guidance)
    files = dialect.home_files(guidance=notes, has_agents=orders.subagents)
    home.lay(work.folder.home, user=user, config=config, files=files, dialect=dialect)


async def employ(
    work: TaskWork, *, is_same_clone: bool, emit: Emit, cancelled: anyio.Event
) -> RunFacts:
    """Run Kimi on the task; when this returns, nothing that it started is left.

    In the clone of an earlier attempt Kimi's session goes on; a session belongs to its folder, so
    in a new clone it is a fresh one.

    Raises:
        NotStarted: Kimi's executable could not be started.
    """
    orders, folder = work.orders, work.folder
    session_id = work.earlier.session_id if work.earlier and is_same_clone else None
    text = _prompt(work, is_going_on=session_id is not None)
    if work.earlier is not None and session_id is None:
        await emit(Noted(text="A fresh Kimi session: the one of the earlier attempt is gone."))
    file = folder.home / "brief.md"
    prompt, is_in_file = command.prompt_for(text, file=file)
    if is_in_file:
        file.write_text(text, encoding="utf-8")
    watching = Watching()

    async def observe(seen: Observation) -> None:
        for event in watching.events(seen):
            await emit(event)

    dialect = DIALECTS[orders.kimi_dialect]
    turn = command.Turn(
        prompt=prompt,
        home=folder.home,
        steps=work.step_budget,
        attempts=orders.attempts,
        thinking=orders.thinking,
        session_id=session_id or dialect.new_session(),
    )
    env = dialect.environment(passed_on(work.host), work.host, turn)
    return await run.run(
        run.RunOrder(
            dialect=dialect,
            argv=dialect.arguments(orders.kimi_argv, turn),
            env={**env, "TMPDIR": str(folder.temporary)},
            clone=folder.clone,
            home=folder.home,
            raw=work.output,
            bounds=watch.Bounds(
                time_s=orders.task_s,
                silence_s=orders.silence_s,
                tool_s=orders.tool_s,
                retries=orders.retries,
                steps=work.step_budget,
            ),
            grace_s=orders.grace_s,
        ),
        observe=observe,
        cancelled=cancelled,
    )


def _prompt(work: TaskWork, *, is_going_on: bool) -> str:
    """Write what Kimi is told: the whole brief, or in a session that goes on what is new."""
    task = assignment(
        work.spec,
        work.task,
        step_budget=work.step_budget,
        dependency_changes=work.dependency_changes,
    )
    if is_going_on:
        return brief.go_on(task, feedback=work.feedback)
    return brief.compose(task, feedback=work.feedback if work.earlier else None)
