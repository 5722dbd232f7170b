"""What one run has shown so far, and when it must be ended.

Two feeds tell of one run. The journal is complete and mostly quicker, but an aid that the worker
could remove; standard output is enough. Both tell of the same things in the same order, so what
counts is whichever is ahead: its third step is new, the other's third step is not.

How many agents may just have asked their model is known from the journal too: when Kimi is killed,
each of them may have made one request more than was written down.

What runs is known from the journal alone. A tool may be silent, but not for ever; an agent that
Kimi has started is no tool, for it shows steps of its own.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio

from kimi_mcp.kimi.dialect import Dialect
from kimi_mcp.kimi.journal import Journal
from kimi_mcp.kimi.observations import (
    AgentEnded,
    AnswerCompleted,
    AnswerCut,
    Compacting,
    Observation,
    PlainSaid,
    Retrying,
    StepBegan,
    TextSaid,
    ToolBegan,
    ToolEnded,
    TurnEnded,
)
from kimi_mcp.kimi.outcome import StopReason

CATCH_UP_S = 0.5  # for the journal, after standard output has told of a step
CATCH_UP_POLL_S = 0.02
LINGER_S = 5.0  # after the complete answer, before we end Kimi ourselves
PLAIN_CHARS = 4_000

Observe = Callable[[Observation], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """When a run is ended, whatever it does. Durations are seconds."""

    time_s: float
    silence_s: float  # while no tool runs
    tool_s: float  # one tool call
    retries: int  # of all requests together
    steps: int  # 0: none; Kimi's own limit ends it first, this is the second net


@dataclass(slots=True, kw_only=True)
class Feed:
    """What one of the feeds has shown so far."""

    shown: Counter[object] = field(default_factory=Counter[object])
    last_words: str = ""
    plain_words: str = ""  # after the last record
    is_cut: bool = False  # the last answer
    is_answered: bool = False  # by what stands last

    def take(self, seen: Observation) -> None:
        """Keep what counts only if nothing else follows it."""
        match seen:
            case AnswerCompleted():
                self.is_answered = True
            case PlainSaid():
                self.is_answered = False
                self.plain_words = f"{self.plain_words} {seen.text}".strip()[-PLAIN_CHARS:]
            case StepBegan(agent="main"):
                self.is_answered = self.is_cut = False
                self.plain_words = ""
            case AnswerCut():
                self.is_cut = True
            case TextSaid():
                self.last_words = seen.text
            case _:
                pass


@dataclass(slots=True, kw_only=True)
class Watch:
    """Takes in what both feeds show, passes on what is new, and says when it is enough."""

    journal: Journal
    dialect: Dialect
    observe: Observe
    bounds: Bounds
    began_at: float
    last_sign_at: float
    steps: int = 0
    retries: int = 0
    from_journal: Feed = field(default_factory=Feed)
    from_stdout: Feed = field(default_factory=Feed)
    turn_ended: TurnEnded | None = None
    last_retry: Retrying | None = None
    answered_at: float | None = None
    stop_reason: StopReason | None = None
    stuck_tool: str = ""
    stop: anyio.Event = field(default_factory=anyio.Event)
    _at_work: set[str] = field(default_factory=lambda: {"main"})
    _ended: set[str] = field(default_factory=set[str])
    _earlier: set[str] = field(default_factory=set[str])
    _noted: Counter[object] = field(default_factory=Counter[object])
    _running: dict[str, tuple[float, ToolBegan]] = field(
        default_factory=dict[str, tuple[float, ToolBegan]]
    )
    _looking: anyio.Lock = field(default_factory=anyio.Lock)
    _is_journal_speaking: bool = False

    def __post_init__(self) -> None:
        self._earlier = self.journal.agents

    @property
    def at_work(self) -> set[str]:
        """The agents that may ask their model.

        They have a journal before their first request, and it is written down after that only.
        """
        return self._at_work | (self.journal.agents - self._earlier - self._ended)

    def end(self, reason: StopReason) -> None:
        """Have Kimi stopped, for the first reason given."""
        if self.stop_reason is None:
            self.stop_reason = reason
            self.stop.set()

    def judge(self, *, now: float) -> None:
        """End the run if a bound is passed."""
        bounds = self.bounds
        if self.answered_at is not None and now - self.answered_at > LINGER_S:
            self.end(StopReason.LINGERING)
        if now - self.began_at > bounds.time_s:
            self.end(StopReason.TIMED_OUT)
        if not self._running and now - self.last_sign_at > bounds.silence_s:
            self.end(StopReason.STALLED)
        for began_at, tool in self._running.values():
            if now - began_at > bounds.tool_s:
                self.stuck_tool = f"{tool.tool} {tool.target}".strip()
                self.end(StopReason.TOOL_STUCK)
        if self.retries > bounds.retries:
            self.end(StopReason.RETRIES)
        if bounds.steps and self.steps > bounds.steps:
            self.end(StopReason.STEP_LIMIT)

    async def look_to_the_end(self) -> None:
        """Take in all that the journal still holds, once nobody adds to it."""
        while await self.look():
            pass

    async def look(self) -> bool:
        """Take in what the journal has got since the last look; tell whether there was anything."""
        # the journal hands each record out once: a look that is cancelled must not lose any
        found: list[Observation] = []
        async with self._looking:
            with anyio.CancelScope(shield=True):
                found = await anyio.to_thread.run_sync(self.journal.read)
                for observation in found:
                    await self.take(observation, feed=self.from_journal)
        return bool(found)

    async def let_journal_first(self, seen: Observation) -> None:
        """Give the journal a moment to show the step that standard output tells of.

        It is written some 50 ms later, but shows the tools of the step before as well; told in the
        other order, they would seem to belong to the next step. A journal that has fallen silent
        is not waited for again.
        """
        kind = _kind(seen)
        until = anyio.current_time() + CATCH_UP_S
        while (
            self._is_journal_speaking
            and isinstance(seen, StepBegan)
            and self.from_journal.shown[kind] <= self.from_stdout.shown[kind]
        ):
            self._is_journal_speaking = anyio.current_time() < until
            await anyio.sleep(CATCH_UP_POLL_S)
            await self.look()

    async def take(self, seen: Observation, *, feed: Feed) -> None:
        """Take in what a feed shows, unless the other one has shown it before."""
        feed.take(seen)
        kind = _kind(seen)
        feed.shown[kind] += 1
        self._is_journal_speaking |= feed is self.from_journal and feed.shown[kind] == 1
        if feed.shown[kind] > self._noted[kind]:
            self._noted[kind] = feed.shown[kind]
            await self._note(seen)

    async def _note(self, seen: Observation) -> None:
        now = self.last_sign_at = anyio.current_time()
        match seen:
            case StepBegan():
                self.steps += 1
                self._at_work.add(seen.agent)
            case Compacting():
                self._at_work.add(seen.agent)
            case AgentEnded():
                self._at_work.discard(seen.agent)
                self._ended.add(seen.agent)
            case Retrying():
                self.retries += 1
                self.last_retry = seen
            case ToolBegan() if seen.tool not in self.dialect.agent_tools:
                self._running[seen.call_id] = (now, seen)
            case ToolEnded():
                self._running.pop(seen.call_id, None)
            case TurnEnded():
                self.turn_ended = seen
            case AnswerCompleted() if self.dialect.is_hint_final:
                self.answered_at = now
            case _:
                pass
        self.judge(now=now)
        await self.observe(seen)


def _kind(seen: Observation) -> object:
    return type(seen), seen.agent if isinstance(seen, StepBegan) else None
