"""One run of Kimi: start it under the launcher, watch every feed, end it, say what is known.

Both pipes are drained all the time (a full one makes Kimi Code 2.1.0 lose its last words); their
raw bytes are kept in bounded files.
"""

import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
from anyio.abc import ByteReceiveStream

from kimi_mcp import private
from kimi_mcp.kimi.dialect import Dialect
from kimi_mcp.kimi.failure import Witness
from kimi_mcp.kimi.journal import Journal
from kimi_mcp.kimi.outcome import RunFacts, StopReason
from kimi_mcp.kimi.records import LineSplitter
from kimi_mcp.kimi.watch import Bounds, Observe, Watch
from kimi_mcp.processes import child as children
from kimi_mcp.processes.confinement import Confinement, Standing
from kimi_mcp.pulse import beat

#: Between two looks at the journal; standard output has it looked at at once. Each is a multiple of
#: the next, so that a longer one falls in with it.
POLLS_S = 1.4, 0.7, 0.35, 0.175, 0.0875, 0.04375
QUIET_SHARE = 10  # a silence is heard to be over within a tenth of its length
STDERR_TAIL_BYTES = 16_384
RAW_OUTPUT = "stdout.jsonl"  # in the folder for the raw streams
RAW_BYTES = 50_000_000  # kept of each stream


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrder:
    """What to run, where, and within which bounds."""

    dialect: Dialect
    argv: Sequence[str]
    env: Mapping[str, str]
    clone: Path
    home: Path
    raw: Path  # folder for the raw streams
    bounds: Bounds
    grace_s: float
    confinement: Confinement | None
    free_bytes: int = 0  # to stay free on the clone's disk


async def run(
    order: RunOrder,
    *,
    observe: Observe,
    fenced: Callable[[Standing | None], Awaitable[None]],
    cancelled: anyio.Event,
    paused: anyio.Event,
) -> RunFacts:
    """Run Kimi until it ends, a bound is reached, or *cancelled* or *paused* is set.

    *fenced* is told first what stands around it.

    When this returns or raises, no process that Kimi started is left.

    Raises:
        NotStarted: Kimi's executable could not be started.
    """
    now = anyio.current_time()
    watch = Watch(
        journal=await anyio.to_thread.run_sync(Journal, order.home, order.dialect),
        dialect=order.dialect,
        observe=observe,
        bounds=order.bounds,
        began_at=now,
        last_sign_at=now,
    )
    stderr_tail = bytearray()
    async with (
        children.start(
            order.argv,
            cwd=order.clone,
            env=order.env,
            grace_s=order.grace_s,
            free_bytes=order.free_bytes,
            confinement=order.confinement,
        ) as kimi,
        anyio.create_task_group() as readers,
    ):
        out = partial(_read_stdout, kimi.stdout, raw=order.raw / RAW_OUTPUT, watch=watch)
        readers.start_soon(out)
        err = partial(_read_stderr, kimi.stderr, raw=order.raw / "stderr.txt", watch=watch)
        readers.start_soon(partial(err, tail=stderr_tail))
        await fenced(kimi.fence)
        stops = {StopReason.CANCELLED: cancelled, StopReason.PAUSED: paused}
        await _until_exit(kimi, watch=watch, stops=stops)
        readers.cancel_scope.deadline = anyio.current_time() + children.DRAIN_BOUND_S
    await watch.look_to_the_end()
    ended = await kimi.wait()
    return _facts(order.dialect, watch, ended, bytes(stderr_tail).decode(errors="replace"))


def _facts(dialect: Dialect, watch: Watch, ended: children.Exit, stderr_tail: str) -> RunFacts:
    out = watch.from_stdout
    witness = Witness(
        exit_code=ended.code,
        stderr_tail=stderr_tail,
        plain_words=out.plain_words,
        turn_ended=watch.turn_ended,
    )
    return RunFacts(
        exit_code=ended.code,
        signal=ended.signal,
        is_answer_complete=out.is_answered,
        is_answer_cut=watch.from_journal.is_cut,
        closing_words=out.last_words or watch.from_journal.last_words,
        stderr_tail=stderr_tail,
        failure=dialect.failure(witness),
        turn_ended=watch.turn_ended,
        stop_reason=StopReason.DISK_FULL if ended.was_starved else watch.stop_reason,
        stuck_tool=watch.stuck_tool,
        last_retry=watch.last_retry,
        unsure_agents=len(watch.at_work) if ended.signal == signal.SIGKILL else 0,
    )


async def _until_exit(
    kimi: children.Child, *, watch: Watch, stops: Mapping[StopReason, anyio.Event]
) -> None:
    async with anyio.create_task_group() as watchers:
        watchers.start_soon(_follow_journal, watch)
        for reason, event in stops.items():
            watchers.start_soon(_end_when, event, reason, watch)
        watchers.start_soon(_stop_when_asked, kimi, watch)
        await kimi.wait()
        watchers.cancel_scope.cancel()


async def _end_when(event: anyio.Event, reason: StopReason, watch: Watch) -> None:
    await event.wait()
    watch.end(reason)


async def _stop_when_asked(kimi: children.Child, watch: Watch) -> None:
    await watch.stop.wait()
    await kimi.stop()


async def _follow_journal(watch: Watch) -> None:
    heard_at = anyio.current_time()
    while True:
        has_news = not watch.journal.is_still() and await watch.look()
        now = anyio.current_time()
        heard_at = now if has_news else heard_at
        watch.judge(now=now)
        silence_s = now - heard_at
        await beat(next((p for p in POLLS_S if p * QUIET_SHARE <= silence_s), POLLS_S[-1]))


async def _read_stdout(source: ByteReceiveStream, *, raw: Path, watch: Watch) -> None:
    splitter = LineSplitter()
    async with aclosing(_kept(source, raw=raw, watch=watch)) as chunks:
        async for chunk in chunks:
            await _take(splitter.feed(chunk), watch)
    await _take(splitter.flush(), watch)


async def _take(lines: Iterable[bytes], watch: Watch) -> None:
    said = [seen for line in lines for seen in watch.dialect.decode_output(line)]
    if said:
        await watch.look()  # what the journal has on these lines goes first: it says more
    for seen in said:
        await watch.let_journal_first(seen)
        await watch.take(seen, feed=watch.from_stdout)


async def _read_stderr(
    source: ByteReceiveStream, *, raw: Path, watch: Watch, tail: bytearray
) -> None:
    async with aclosing(_kept(source, raw=raw, watch=watch)) as chunks:
        async for chunk in chunks:
            tail += chunk
            del tail[:-STDERR_TAIL_BYTES]


async def _kept(source: ByteReceiveStream, *, raw: Path, watch: Watch) -> AsyncGenerator[bytes]:
    """Yield what *source* brings, which is a sign of life, and keep it in the file *raw*."""
    kept = 0
    async with await anyio.open_file(raw, "ab", opener=private.opener) as file:
        async for chunk in source:
            watch.last_sign_at = anyio.current_time()
            if kept < RAW_BYTES:
                kept += len(chunk)
                await file.write(chunk)
                await file.flush()
            yield chunk
