"""What became of a dispatch's work after its review, as a sentence. Pure."""

from collections.abc import Sequence

from kimi_mcp.history.landings import How, Landing

SHORT = 10


def settled_text(landings: Sequence[Landing]) -> str | None:
    """Say where all of the work went, when there is nothing left to land; None: there is."""
    whole = [landing for landing in landings if landing.is_whole]
    if not whole:
        return None
    newest = whole[-1]
    when = newest.at[:16].replace("T", " ")
    match newest.how:
        case How.DISCARD:
            return f"Discarded ({when}): its branches are gone. The spec can be dispatched anew."
        case How.SQUASH | How.MERGE:
            result = (newest.result or "")[:SHORT]
            return f"Landed on {newest.target} as {result} ({newest.how}, {when}); nothing is left."
        case How.APPLY:
            return (
                f"Applied to the user's checkout ({when}), uncommitted. Next: the user commits it; "
                "`kimi-mcp clean` then removes the branches."
            )
        case How.PULL_REQUEST:
            place = f" {newest.url}" if newest.url else ""
            return f"Pushed as {newest.target} ({when}).{place} Next: review it there."


def landing_line(landing: Landing) -> str:
    """Tell one landing, with the commits that it is about."""
    tasks = ", ".join(map(str, landing.tasks))
    head = f", commit {landing.head[:SHORT]}" if landing.head else ""
    target = f" to {landing.target}" if landing.target else ""
    result = f" as {landing.result[:SHORT]}" if landing.result else ""
    url = f", {landing.url}" if landing.url else ""
    when = landing.at[:16].replace("T", " ")
    return f"- {when}: {landing.how} of tasks {tasks}{head}{target}{result}{url}"
