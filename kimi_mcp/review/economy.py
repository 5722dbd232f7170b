"""What the work has cost: by profile, and by how exact the specs were. Pure but for its reading.

That an exact spec saves steps is this program's thesis; here it is shown on the user's own tasks.
What Kimi's tokens would have cost on the orchestrator's model is an estimate at prices that the
user has set; the orchestrator's own tokens are estimated from the length of our replies.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from statistics import median

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.spending import Worked
from kimi_mcp.history.times import timestamp
from kimi_mcp.settings import Settings

DAYS = 90
MOST_TASKS = 10_000
CHARS_A_TOKEN = 4
MILLION = 1_000_000
FEW = 2  # findings
HEADS = ("tasks", "delivered", "steps each", "tokens in (cached) and out each", "minutes each")


def economy_report(bench: Workbench) -> str:
    """Tell what the tasks of the last 90 days have cost.

    Raises:
        Refused: the settings cannot be read.
    """
    since = _since(bench)
    worked = worked_tasks(bench)
    if not worked:
        return f"No task was worked on in {DAYS} days."
    replies, chars = bench.history.replied(since=since)
    lines = [
        f"# What {len(worked)} tasks of {DAYS} days have cost",
        "",
        *_table("profile", worked, lambda one: one.profile),
        "",
        "By the findings that the spec still had when it was dispatched (fewer is more exact):",
        "",
        *_table("findings", worked, _exactness),
        "",
    ]
    lines.append(
        f"Replies to Claude: {replies}, about {chars // CHARS_A_TOKEN:,} tokens (an "
        f"estimate), beside {sum(one.steps for one in worked):,} steps of Kimi's."
    )
    return "\n".join([*lines, _cost(worked, bench.settings())])


def worked_tasks(bench: Workbench) -> tuple[Worked, ...]:
    """Return the tasks that were worked on in the last 90 days, the newest `MOST_TASKS` at most."""
    return tuple(bench.history.worked(since=_since(bench), limit=MOST_TASKS))


def _since(bench: Workbench) -> str:
    return timestamp(bench.now() - timedelta(days=DAYS))


def _table(head: str, worked: Sequence[Worked], key: Callable[[Worked], str]) -> Iterable[str]:
    yield f"| {head} | {' | '.join(HEADS)} |"
    yield f"|{'---|' * (len(HEADS) + 1)}"
    for name in sorted({key(one) for one in worked}):
        yield _row(name, [one for one in worked if key(one) == name])


def _row(name: str, worked: Sequence[Worked]) -> str:
    delivered = [one for one in worked if one.is_delivered]
    cells = [name, str(len(worked)), f"{len(delivered) / len(worked):.0%}"]
    if delivered:
        tokens_in = _each(one.input_tokens for one in delivered)
        cached = _each(one.cached_tokens for one in delivered)
        tokens_out = _each(one.output_tokens for one in delivered)
        cells += [
            f"{median(one.steps for one in delivered):g}",
            f"{tokens_in} ({cached}) and {tokens_out}",
            f"{median(one.worked_s for one in delivered) / 60:.1f}",
        ]
    else:
        cells += ["-", "-", "-"]
    return f"| {' | '.join(cells)} |"


def _each(numbers: Iterable[int]) -> str:
    return f"{median(numbers):,.0f}"


def _exactness(one: Worked) -> str:
    if one.findings is None:
        return "not counted"
    return "none" if one.findings == 0 else "1 or 2" if one.findings <= FEW else "3 or more"


def _cost(worked: Sequence[Worked], settings: Settings) -> str:
    price = settings.quota.price
    if not (price.input or price.cached or price.output):
        return (
            "What the same tokens would have cost on Claude's model is told when "
            "quota.price is set."
        )
    cached = sum(one.cached_tokens for one in worked)
    fresh = sum(one.input_tokens for one in worked) - cached
    output = sum(one.output_tokens for one in worked)
    cost = (fresh * price.input + cached * price.cached + output * price.output) / MILLION
    return (
        f"The same tokens on Claude's model, at the prices set in quota.price: "
        f"{cost:,.2f} (an estimate: another model takes other steps)."
    )
