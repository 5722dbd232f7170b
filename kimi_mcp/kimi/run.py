"""One run of Kimi: start it under the launcher, watch every feed, end it, say what is known.

Two feeds tell of one run. The journal is complete and mostly quicker, but an aid that the worker
could remove; standard output is enough. Both tell of the same things in the same order, so what
counts is whichever is ahead: its third step is new, the other's third step is not. Both pipes are
drained all the time (a full one makes Kimi Code 2.1.0 lose its last words), their raw bytes kept in
bounded files.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
from anyio.abc import ByteReceiveStream

from kimi_mcp.kimi import stream
from kimi_mcp.kimi.journal import Journal
from kimi_mcp.kimi.observations import (
    AnswerCompleted,
    Observation,
    StepBegan,
    TextSaid,
    ToolBegan,
    ToolEnded,
    TurnEnded,
)
from kimi_mcp.kimi.outcome import RunFacts, StopReason
from kimi_mcp.processes import child as children

POLL_S = 0.05  # between two looks at the journal
LINGER_S = 5.0  # after the complete answer, before we end Kimi ourselves
STDERR_TAIL_BYTES = 16_384
RAW_BYTES = 50_000_000  # kept of each stream

Observe = Callable[[Observation], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrder:
    """What to run, where, and within which bounds."""

    argv: Sequence[str]
    env: Mapping[str, str]
    clone: Path
    home: Path
    raw: Path  # folder for the raw streams
    step_limit: int  # 0: none; Kimi's own limit ends it first, this is the second net
    time_limit_s: float
    silence_limit_s: float
    grace_s: float


@dataclass(slots=True, kw_only=True)
class _Feed:
    """What one of the feeds has shown so far."""

    shown: Counter[object] = field(default_factory=Counter[object])
    last_words: str = ""


@dataclass(slots=True, kw_only=True)
class _Watch:
    """What one run has shown so far."""

    journal: Journal
    observe: Observe
    step_limit: int
    last_sign_at: float
    steps: int = 0
    from_journal: _Feed = field(default_factory=_Feed)
    from_stdout: _Feed = field(default_factory=_Feed)
    noted: Counter[object] = field(default_factory=Counter[object])
    is_answer_complete: bool = False
    turn_ended: TurnEnded | None = None
    stop_reason: StopReason | None = None
    stderr_tail: bytearray = field(default_factory=bytearray)
    open_tools: set[str] = field(default_factory=set[str])
    stop: anyio.Event = field(default_factory=anyio.Event)
    completed: anyio.Event = field(default_factory=anyio.Event)
    looking: anyio.Lock = field(default_factory=anyio.Lock)

    def end(self, reason: StopReason) -> None:
        """Have Kimi stopped, for the first reason given."""
        if self.stop_reason is None:
            self.stop_reason = reason
            self.stop.set()

    async def look(self) -> None:
        """Take in what the journal has got since the last look."""
        async with self.looking:
            seen = await anyio.to_thread.run_sync(self.journal.read)
            for observation in seen:
                await self.take(observation, feed=self.from_journal)

    async def take(self, seen: Observation, *, feed: _Feed) -> None:
        """Take in what a feed shows, unless the other one has shown it before."""
        kind = (type(seen), seen.agent if isinstance(seen, StepBegan) else None)
        feed.shown[kind] += 1
        if isinstance(seen, TextSaid):
            feed.last_words = seen.text
        if feed.shown[kind] > self.noted[kind]:
            self.noted[kind] = feed.shown[kind]
            await self._note(seen)

    async def _note(self, seen: Observation) -> None:
        self.last_sign_at = anyio.current_time()
        match seen:
            case StepBegan():
                self.steps += 1
                if self.step_limit and self.steps > self.step_limit:
                    self.end(StopReason.STEP_LIMIT)
            case ToolBegan():
                self.open_tools.add(seen.call_id)
            case ToolEnded():
                self.open_tools.discard(seen.call_id)
            case TurnEnded():
                self.turn_ended = seen
            case AnswerCompleted():
                self.is_answer_complete = True
                self.completed.set()
            case _:
                pass
        await self.observe(seen)


async def run(order: RunOrder, *, observe: Observe, cancelled: anyio.Event) -> RunFacts:
    """Run Kimi until it ends, a bound is reached or *cancelled* is set.

    When this returns or raises, no process that Kimi started is left.

    Raises:
        NotStarted: Kimi's executable could not be started.
    """
    watch = _Watch(
        journal=await anyio.to_thread.run_sync(Journal, order.home),
        observe=observe,
        step_limit=order.step_limit,
        last_sign_at=anyio.current_time(),
    )
    async with (
        children.start(order.argv, cwd=order.clone, env=order.env, grace_s=order.grace_s) as kimi,
        anyio.create_task_group() as readers,
    ):
        out = partial(_read_stdout, kimi.stdout, raw=order.raw / "stdout.jsonl", watch=watch)
        readers.start_soon(out)
        readers.start_soon(
            partial(_read_stderr, kimi.stderr, raw=order.raw / "stderr.txt", watch=watch)
        )
        await _until_exit(kimi, order=order, watch=watch, cancelled=cancelled)
        readers.cancel_scope.deadline = anyio.current_time() + children.DRAIN_BOUND_S
    await watch.look()
    ended = await kimi.wait()
    return RunFacts(
        exit_code=ended.code,
        signal=ended.signal,
        is_answer_complete=watch.is_answer_complete,
        closing_words=watch.from_stdout.last_words or watch.from_journal.last_words,
        stderr_tail=bytes(watch.stderr_tail).decode(errors="replace"),
        turn_ended=watch.turn_ended,
        stop_reason=watch.stop_reason,
    )


async def _until_exit(
    kimi: children.Child, *, order: RunOrder, watch: _Watch, cancelled: anyio.Event
) -> None:
    async with anyio.create_task_group() as watchers:
        watchers.start_soon(partial(_follow_journal, order=order, watch=watch))
        watchers.start_soon(_end_when, cancelled, 0.0, StopReason.CANCELLED, watch)
        watchers.start_soon(_end_when, watch.completed, LINGER_S, StopReason.LINGERING, watch)
        watchers.start_soon(_time_out, order.time_limit_s, watch)
        watchers.start_soon(_stop_when_asked, kimi, watch)
        await kimi.wait()
        watchers.cancel_scope.cancel()


async def _end_when(event: anyio.Event, grace_s: float, reason: StopReason, watch: _Watch) -> None:
    await event.wait()
    await anyio.sleep(grace_s)
    watch.end(reason)


async def _time_out(limit_s: float, watch: _Watch) -> None:
    await anyio.sleep(limit_s)
    watch.end(StopReason.TIMED_OUT)


async def _stop_when_asked(kimi: children.Child, watch: _Watch) -> None:
    await watch.stop.wait()
    await kimi.stop()


async def _follow_journal(*, order: RunOrder, watch: _Watch) -> None:
    while True:
        await watch.look()
        silent_s = anyio.current_time() - watch.last_sign_at
        if not watch.open_tools and silent_s > order.silence_limit_s:
            watch.end(StopReason.STALLED)
        await anyio.sleep(POLL_S)


async def _read_stdout(source: ByteReceiveStream, *, raw: Path, watch: _Watch) -> None:
    splitter = stream.LineSplitter()
    async with aclosing(_kept(source, raw=raw, watch=watch)) as chunks:
        async for chunk in chunks:
            await _take(splitter.feed(chunk), watch)
    await _take(splitter.flush(), watch)


async def _take(lines: Iterable[bytes], watch: _Watch) -> None:
    said = [seen for line in lines for seen in stream.decode(line)]
    if said:
        await watch.look()  # what the journal has on these lines goes first: it says more
    for seen in said:
        await watch.take(seen, feed=watch.from_stdout)


async def _read_stderr(source: ByteReceiveStream, *, raw: Path, watch: _Watch) -> None:
    async with aclosing(_kept(source, raw=raw, watch=watch)) as chunks:
        async for chunk in chunks:
            watch.stderr_tail += chunk
            del watch.stderr_tail[:-STDERR_TAIL_BYTES]


async def _kept(source: ByteReceiveStream, *, raw: Path, watch: _Watch) -> AsyncGenerator[bytes]:
    """Yield what *source* brings, which is a sign of life, and keep it in the file *raw*."""
    kept = 0
    async with await anyio.open_file(raw, "ab") as file:
        async for chunk in source:
            watch.last_sign_at = anyio.current_time()
            if kept < RAW_BYTES:
                kept += len(chunk)
                await file.write(chunk)
                await file.flush()
            yield chunk
