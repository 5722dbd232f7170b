"""Having Kimi work on a task in its clone: its home, its brief, its run."""

import os
from pathlib import Path

import anyio

from kimi_mcp.dispatch.events import Charged, Fenced, Noted
from kimi_mcp.dispatch.running.assignment import assignment
from kimi_mcp.dispatch.running.refused_access import explained
from kimi_mcp.dispatch.running.rivalry import instruction
from kimi_mcp.dispatch.running.watching import Watching
from kimi_mcp.dispatch.running.work import Emit, TaskWork
from kimi_mcp.kimi import brief, command, guarding, guidance, home, run, watch
from kimi_mcp.kimi.dialects import DIALECTS
from kimi_mcp.kimi.observations import Observation
from kimi_mcp.kimi.outcome import RunFacts
from kimi_mcp.processes.confinement import Standing
from kimi_mcp.profiles.compose import compose_config
from kimi_mcp.profiles.source import read_config

SAID_BYTES = 1_000_000  # of Kimi's output, searched for what the fence refused
UNFENCED = "No fence: it is off in kimi-mcp.toml."


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
        raw=orders.kimi_keys,
        hooks=guarding.hooks(dialect, writable=work.confines.written_by_kimi),
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
        if work.wave is not None:
            work.wave.saw(seen)
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
    env = dialect.environment(work.confines.kimis_environment, work.host, turn)
    confinement = work.confines.around_kimi()

    async def fenced(standing: Standing | None) -> None:
        await emit(Fenced(gaps=standing.gaps if standing else UNFENCED))

    facts = await run.run(
        run.RunOrder(
            dialect=dialect,
            argv=dialect.arguments(orders.kimi_argv, turn),
            env=env,
            confinement=confinement,
            clone=folder.clone,
            home=folder.home,
            raw=work.output,
            bounds=watch.Bounds(
                time_s=orders.task_s,
                silence_s=orders.silence_s,
                tool_s=orders.tool_s,
                retries=orders.retries,
                steps=work.step_budget if work.wave is None else work.wave.most_steps,
            ),
            grace_s=orders.grace_s,
            free_bytes=orders.free_bytes,
        ),
        observe=observe,
        fenced=fenced,
        cancelled=cancelled,
        paused=work.paused,
    )
    if facts.unsure_agents:
        await emit(Charged(steps=0, possible=facts.unsure_agents))
    said = await anyio.to_thread.run_sync(_raw_words, work.output / run.RAW_OUTPUT)
    if why := explained(said, confinement, work.host):
        await emit(Noted(text=f"While Kimi worked: {why}"))
    return facts


def _raw_words(output: Path) -> str:
    """Return the end of what Kimi printed: JSON records, their line ends as line ends."""
    with output.open("rb") as file:
        file.seek(-min(SAID_BYTES, output.stat().st_size), os.SEEK_END)
        return file.read().decode(errors="replace").replace("\\n", "\n")


def _prompt(work: TaskWork, *, is_going_on: bool) -> str:
    """Write what Kimi is told: the whole brief, or in a session that goes on what is new."""
    if work.wave is not None:
        return work.wave.brief
    task = assignment(
        work.spec,
        work.task,
        step_budget=work.step_budget,
        dependency_changes=work.dependency_changes,
    )
    if is_going_on:
        return brief.go_on(task, feedback=_feedback(work))
    return brief.compose(task, feedback=_feedback(work) if work.earlier else None)


def _feedback(work: TaskWork) -> str | None:
    if work.rival is None or work.feedback is None:
        return work.feedback
    return instruction(work.rival, work.feedback)
