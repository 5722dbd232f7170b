"""Every way in which Kimi can end that a scripted provider can bring about, and its true name.

A scenario is a task of one dispatch: real Kimi, real runner, real commits. What the replies call is
written in the words of Kimi Code and translated for the legacy CLI. An end has another name there
only where that program does not tell the two apart.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast, overload

from dispatching import Done
from kimi_mcp.demo.script import Call, Reply, bash, say, write
from kimi_mcp.kimi.dialect import DialectName
from kimi_mcp.lifecycle import EXPLANATIONS, Outcome, TaskState
from kimi_mcp.review.report import TaskReport

DELIVERED = TaskState.DELIVERED
Name = Outcome | TaskState

SETTINGS = """
max_parallel = 2
[limits]
attempts = 2
[profiles.moderato]
subagents = true
"""


class Script(Sequence[Reply]):
    """Replies by place; those of a list in one place come one after another, the last for ever."""

    def __init__(self, *places: Reply | list[Reply]) -> None:
        self._places = [[*place] if isinstance(place, list) else [place] for place in places]

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Reply: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Reply]: ...
    def __getitem__(self, index: int | slice) -> Reply | Sequence[Reply]:
        if isinstance(index, slice):
            raise TypeError
        waiting = self._places[index]
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]


def work(number: int | str = "$") -> Reply:
    """Do what the task asks for."""
    return write(f"made-{number}.txt", "made\n")


def failing(status: int, message: str, kind: str = "error") -> Reply:
    """Answer with an HTTP error as Kimi's providers word it."""
    return Reply(status=status, body={"error": {"message": message, "type": kind}})


PLAN_USED_UP = failing(
    403,
    "You've reached your usage limit for this billing cycle. Your quota will be refreshed later.",
    "access_terminated_error",
)
TOO_MANY = failing(429, "We're receiving too many requests at the moment.", "rate_limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What the provider does, and what must be said of it."""

    name: str
    replies: tuple[Reply | list[Reply], ...]
    code: Name
    legacy: Name | None = None  # None: the same
    says: str = ""  # a pattern: sentence and next action
    legacy_says: str | None = None
    quotes: str = ""  # a pattern: the provider's own words
    notes: str = ""  # a pattern: what Kimi Code lets us note
    leaves_work: bool = False
    budget: int | None = None
    others: Mapping[str, tuple[Reply, ...]] = field(default_factory=dict[str, tuple[Reply, ...]])

    def expected(self, dialect: DialectName) -> Name:
        """Give the true name of this end."""
        return self.legacy if dialect == "legacy" and self.legacy is not None else self.code


PROVIDER: tuple[Scenario, ...] = (
    Scenario(name="success", replies=(work(), say("Done.")), code=DELIVERED, leaves_work=True),
    Scenario(
        name="steps used up",
        replies=(work(), bash("echo $RANDOM")),
        code=Outcome.STEP_LIMIT,
        says="budget.*Split",
        leaves_work=True,
        budget=3,
    ),
    Scenario(
        name="401",
        replies=(failing(401, "Invalid Authentication"),),
        code=Outcome.NOT_LOGGED_IN,
        says="does not accept.*kimi login",
        quotes="Invalid Authentication",
    ),
    Scenario(
        name="401 after some work",
        replies=(work(), failing(401, "Invalid Authentication")),
        code=Outcome.NOT_LOGGED_IN,
        says="kimi login",
        leaves_work=True,
    ),
    Scenario(
        name="plan used up after some work",
        replies=(work(), PLAN_USED_UP),
        code=Outcome.QUOTA_EXHAUSTED,
        says="does not say until when.*wait.*Logging in again does not help",
        quotes="usage limit for this billing cycle",
        leaves_work=True,
    ),
    Scenario(
        name="weekly limit reached",
        replies=(failing(403, "You've reached your weekly usage limit."),),
        code=Outcome.QUOTA_EXHAUSTED,
        says="Logging in again does not help",
    ),
    Scenario(
        name="403",
        replies=(failing(403, "Forbidden"),),
        code=Outcome.NOT_LOGGED_IN,
        says="forbids it this model.*Log in with an account",
    ),
    Scenario(
        name="402",
        replies=(failing(402, "Payment required"),),
        code=Outcome.QUOTA_EXHAUSTED,
        says="balance.*Top the account up",
    ),
    Scenario(
        name="404 of the model",
        replies=(failing(404, "Not found the model k9 or Permission denied"),),
        code=Outcome.CONFIG_INVALID,
        says="does not know the configured model.*config.toml",
        quotes="k9",
    ),
    Scenario(
        name="429",
        replies=(TOO_MANY,),
        code=Outcome.RATE_LIMITED,
        says="too many requests.*less in parallel",
    ),
    Scenario(
        name="429 of an empty account",
        replies=(failing(429, "You exceeded your current token quota", "exceeded_current_quota"),),
        code=Outcome.QUOTA_EXHAUSTED,
        says="Top the account up",
    ),
    Scenario(
        name="500",
        replies=(failing(500, "internal server error"),),
        code=Outcome.PROVIDER_ERROR,
        says="failed by itself",
        quotes="internal server error",
    ),
    Scenario(
        name="503",
        replies=(failing(503, "busy"),),
        code=Outcome.PROVIDER_ERROR,
        says="overloaded.*Wait",
    ),
    Scenario(
        name="500 once, then well",
        replies=([failing(500, "internal server error"), work()], say("Done.")),
        code=DELIVERED,
        notes="provider failed.*500",
        leaves_work=True,
    ),
    Scenario(
        name="stream cut",
        replies=(Reply(text="This will be", drop=True),),
        code=Outcome.PROVIDER_ERROR,
        says="broke in the middle",
    ),
    Scenario(
        name="web page instead of an answer",
        replies=(Reply(raw="<html><body>Log in to the hotel's network</body></html>"),),
        code=Outcome.PROVIDER_ERROR,
        says="web page.*Check network",
    ),
    Scenario(
        name="empty answer",
        replies=(Reply(),),
        code=Outcome.PROVIDER_ERROR,
        says="empty, again",
        legacy_says="empty or withheld",
    ),
    Scenario(
        name="thoughts only",
        replies=(Reply(think="I wonder."),),
        code=Outcome.PROVIDER_ERROR,
        says="only thought",
    ),
    Scenario(
        name="filtered",
        replies=(work(), Reply(finish="content_filter")),
        code=Outcome.MODEL_REFUSED,
        says="content policy.*Rephrase",
        legacy=Outcome.PROVIDER_ERROR,  # it calls this an empty answer too
        legacy_says="empty or withheld",
        leaves_work=True,
    ),
    Scenario(
        name="cut at the output limit, work done",
        replies=(work(), Reply(text="All is do", finish="length")),
        code=DELIVERED,
        notes="cut off at its output limit",
        leaves_work=True,
    ),
    Scenario(
        name="cut at the output limit, nothing done",
        replies=(Reply(text="I will now", finish="length"),),
        code=Outcome.PROVIDER_ERROR,
        says="cut off at its output limit.*max_output_size",
        legacy=Outcome.NO_CHANGE,  # nothing tells the cut there
        legacy_says="without changing any file",
    ),
    Scenario(
        name="context overflow",
        replies=(work(), failing(400, "Your request exceeded model token limit: 262144")),
        code=Outcome.CONTEXT_OVERFLOW,
        says="outgrew.*Split",
        leaves_work=True,
    ),
    Scenario(
        name="agent fails",
        replies=(
            Reply(
                calls=(
                    Call(
                        "Agent",
                        {"description": "help", "prompt": "[[lost]]", "subagent_type": "coder"},
                    ),
                )
            ),
            work(),
            say("Done without it."),
        ),
        code=DELIVERED,
        notes="agent that Kimi had started failed.*500",
        leaves_work=True,
        others={"[[lost]]": (failing(500, "internal server error"),)},
    ),
    Scenario(
        name="background command without end",
        replies=(
            Reply(
                calls=(
                    Call(
                        "Bash",
                        {"command": "sleep 5021", "run_in_background": True, "description": "w"},
                    ),
                )
            ),
            work(),
            say("Done."),
        ),
        code=DELIVERED,
        leaves_work=True,
    ),
    Scenario(
        name="killed from outside",
        replies=(work(), bash("kill -KILL $PPID; sleep 3")),
        code=Outcome.CRASHED,
        says="signal that did not come from us",
        leaves_work=True,
    ),
    Scenario(
        name="terminated from outside",
        replies=(work(), bash("kill -TERM $PPID; sleep 3")),
        code=Outcome.CRASHED,
        says="signal that did not come from us",
        leaves_work=True,
    ),
    Scenario(
        name="interrupted from outside",
        replies=(work(), bash("kill -INT $PPID; sleep 3")),
        code=Outcome.CRASHED,
        says="signal that did not come from us",
        legacy_says="not a known success",
        leaves_work=True,
    ),
)

WATCHED_SETTINGS = """
max_parallel = 2
[limits]
attempts = 6
retries = 1
silence_s = 12
tool_s = 4
"""

WATCHED: tuple[Scenario, ...] = (
    Scenario(
        name="silent provider",
        replies=(work(), Reply(hang="headers")),
        code=Outcome.STALLED,
        says="no sign of life",
        leaves_work=True,
    ),
    Scenario(
        name="tool without end",
        replies=(work(), bash("while :; do echo busy; sleep 0.2; done", timeout_s=60)),
        code=Outcome.STALLED,
        says="tool_s.*raise",
        quotes="while :",
        leaves_work=True,
    ),
    Scenario(
        name="retries without end",
        replies=(work(), TOO_MANY),
        code=Outcome.RATE_LIMITED,
        says="limits.retries.*less in parallel",
        leaves_work=True,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A configuration of Kimi's that cannot work, and what must be said of it."""

    name: str
    config: str  # of the user; URL stands for a provider where nobody listens
    code: Outcome
    says: str
    legacy: Outcome | None = None
    legacy_says: str | None = None
    quotes: str = ""
    model: str | None = None  # of the profile


_PROVIDER = """
[providers.p]
type = "kimi"
base_url = "URL"
api_key = "sk-scripted"
"""
_MODEL = """
[models.m]
provider = "p"
model = "k2"
max_context_size = 262144
"""

MISSET: tuple[Setting, ...] = (
    Setting(
        name="nobody listens",
        config='default_model = "m"\n' + _PROVIDER + _MODEL,
        code=Outcome.PROVIDER_ERROR,
        says="cannot be reached.*base_url",
        quotes="Connection error",
    ),
    Setting(
        name="no model",
        config="",
        code=Outcome.CONFIG_INVALID,
        says="names no model.*kimi login",
    ),
    Setting(
        name="unknown model",
        config='default_model = "m"\n' + _PROVIDER + _MODEL,
        model="k9",
        code=Outcome.CONFIG_INVALID,
        says="no model of the name.*models",
        quotes="k9",
        legacy_says="refuses its own configuration",
    ),
    Setting(
        name="no credential",
        config='default_model = "m"\n' + _PROVIDER.replace("sk-scripted", "") + _MODEL,
        code=Outcome.NOT_LOGGED_IN,
        says="neither an API key nor a login.*kimi login",
        legacy=Outcome.PROVIDER_ERROR,  # it asks with an empty key, and here nobody hears it
        legacy_says="cannot be reached",
    ),
    Setting(
        name="no TOML",
        config='default_model = "m"\n[providers.p\n',
        code=Outcome.CONFIG_INVALID,
        says="config.toml is not valid TOML.*line 2",
    ),
    Setting(
        name="bad value",
        config='default_model = "m"\n' + _PROVIDER + _MODEL.replace("262144", '"much"'),
        code=Outcome.CONFIG_INVALID,
        says="no model of the name|refuses its own",
        legacy_says="refuses its own",
    ),
)

_TOOLS = {"Read": "ReadFile", "Write": "WriteFile", "Edit": "StrReplaceFile", "Bash": "Shell"}


def spec_of(scenarios: Sequence[Scenario]) -> str:
    """Write the spec that has one task for each scenario."""
    parts = ["# Spec: 001 -- Work\n\n## Tasks\n"]
    for number, scenario in enumerate(scenarios, start=1):
        budget = f"Budget: {scenario.budget} steps\n\n" if scenario.budget else ""
        parts.append(
            f"### Task {number}: See to {scenario.name}\n\n"
            f"Files:\n- CREATE made-{number}.txt\n\n"
            f"Requirements:\n- Make it.\n\n{budget}"
            f"Verification:\n- `test -s made-{number}.txt`\n"
        )
    return "\n".join(parts)


def scripts_of(scenarios: Sequence[Scenario], dialect: DialectName) -> dict[str, Sequence[Reply]]:
    """Write the scripts that the tasks of `spec_of` are answered from."""
    scripts: dict[str, Sequence[Reply]] = {}
    for number, scenario in enumerate(scenarios, start=1):
        places = [_spoken(place, number, dialect) for place in scenario.replies]
        scripts[f"({number})"] = Script(*places)
        scripts.update(scenario.others)
    return scripts


def row(scenario: Scenario, done: Done, number: int, dialect: DialectName) -> str:
    """Tell what came of a scenario on one line of the campaign's table."""
    item = done.task(number)
    name = item.task.outcome or item.task.state
    is_error = item.task.state is not DELIVERED
    kept = "work kept" if item.head else "no work"
    return f"{dialect} | {scenario.name} | {name} | isError {is_error} | {kept} | {told(item)}"


def faults(scenario: Scenario, done: Done, number: int, dialect: DialectName) -> Iterator[str]:
    """Say everything that is untrue, or missing, in what was said of a scenario's task."""
    item = done.task(number)
    name = item.task.outcome or item.task.state
    if name != scenario.expected(dialect):
        yield f"named {name}"
    says = scenario.says
    if dialect == "legacy" and scenario.legacy_says is not None:
        says = scenario.legacy_says
    if not re.search(says, told(item), re.DOTALL):
        yield f"says {told(item)!r}"
    quote = (item.latest.quote if item.latest else None) or ""
    if not re.search(scenario.quotes, quote):
        yield f"quotes {quote!r}"
    notes = " ".join(done.notes(number))
    if dialect == "code" and not re.search(scenario.notes, notes):
        yield f"notes {notes!r}"
    order = [event.kind for event in done.events if event.task == number]
    if (order[0], order[-1]) != ("task.started", "task.ended") or order.count("task.ended") != 1:
        yield f"tells its events in the order {order}"
    if bool(item.head) != scenario.leaves_work:
        yield f"keeps its work as {item.head}"


def misnamed(setting: Setting, done: Done, dialect: DialectName) -> Iterator[str]:
    """Say everything that is untrue in what was said of a configuration that cannot work."""
    item = done.task(1)
    is_legacy = dialect == "legacy"
    if item.task.outcome is not ((is_legacy and setting.legacy) or setting.code):
        yield f"named {item.task.outcome}"
    says = (is_legacy and setting.legacy_says) or setting.says
    if not re.search(says, told(item), re.DOTALL):
        yield f"says {told(item)!r}"
    quote = (item.latest.quote if item.latest else None) or ""
    if not re.search(setting.quotes, quote):
        yield f"quotes {quote!r}"


def in_legacy(reply: Reply) -> Reply:
    """Translate the tool calls of a reply for the legacy CLI."""
    return cast("Reply", _spoken(reply, 0, "legacy"))


def told(item: TaskReport) -> str:
    """Return sentence and next action as a reader gets them."""
    outcome = item.task.outcome
    general = " ".join(EXPLANATIONS[outcome]) if outcome is not None else ""
    return f"{item.task.sentence} {general}"


def _spoken(place: Reply | list[Reply], number: int, dialect: DialectName) -> Reply | list[Reply]:
    if isinstance(place, list):
        return [cast("Reply", _spoken(one, number, dialect)) for one in place]
    return replace(place, calls=tuple(_called(one, number, dialect) for one in place.calls))


def _called(one: Call, number: int, dialect: DialectName) -> Call:
    given: dict[str, Any] = {
        key: value.replace("made-$", f"made-{number}") if isinstance(value, str) else value
        for key, value in cast("Mapping[str, Any]", one.arguments).items()
    }
    return Call(_TOOLS.get(one.name, one.name) if dialect == "legacy" else one.name, given)
