"""What a repository may say about the settings: narrow the user's, never widen them. Pure.

Of a number the stricter one of the two counts, so a repository states a bound that a more careful
user undercuts. A profile that a repository or a spec wishes is the user's own of that name, within
the bounds of the one that the user has chosen. What a wish could not get is noted, never silent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kimi_mcp.errors import Refused, nearest_sentence
from kimi_mcp.settings import Limits, Profile, Settings

_LEVELS = ("off", "auto", "required")
_TOP = ("profile", "max_parallel", "fence", "specs_dir", "setup", "bring")
_ALLOWED = f"{', '.join(_TOP)} and limits.*"
_RESERVES = frozenset({"free_bytes"})  # here the larger number is the stricter one
_OPEN = frozenset({"kimis"})  # here 0 leaves it to the program, which nothing may widen


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The profile that a dispatch goes by."""

    name: str
    profile: Profile
    notes: tuple[str, ...] = ()


def narrowed(
    user: Settings, values: Mapping[str, Any], *, source: str
) -> tuple[Settings, tuple[str, ...]]:
    """Put a repository's settings over the user's.

    Args:
        user: the user's own.
        values: what the repository's file holds, as TOML's values.
        source: the file, for refusals and notes.

    Returns:
        The settings that count, but for the profile, and a note on each wish that was not granted.

    Raises:
        Refused: a key that is not allowed there, or a value out of range.
    """
    _refuse_strange(values, source=source)
    known = {name: profile.model_dump() for name, profile in user.profiles.items()}
    asked = Settings.checked({**values, "profiles": known}, source=source)
    if values.get("fence") == "off":
        raise Refused(f"{source}: fence = 'off' is refused; allowed there: auto or required.")
    limits: dict[str, Any] = values.get("limits", {})
    notes: list[str] = []

    def stricter(name: str, mine: float, theirs: float) -> float:
        found = _stricter(name, mine, theirs)
        if found != theirs:
            notes.append(f"{source} wishes {name} = {theirs}; {found} counts, which is yours")
        return found

    bounds = {
        name: stricter(name, getattr(user.limits, name), getattr(asked.limits, name))
        for name in limits
    }
    found: dict[str, Any] = {"limits": user.limits.model_copy(update=bounds)}
    if "max_parallel" in values:
        found["max_parallel"] = stricter("max_parallel", user.max_parallel, asked.max_parallel)
    if "fence" in values:
        found["fence"] = max(user.fence, asked.fence, key=_LEVELS.index)
    if "specs_dir" in values:
        found["specs_dir"] = asked.specs_dir
    if "setup" in values:
        found["setup"] = (*(user.setup or ()), *(asked.setup or ()))
    if "bring" in values:
        found["bring"] = (*user.bring, *asked.bring)
    return user.model_copy(update=found), tuple(notes)


def chosen_profile(user: Settings, wishes: Sequence[tuple[str, str | None]]) -> Chosen:
    """Choose among the user's profiles as files *wish*, each within the bounds of what was before.

    A wish is who makes it and the profile's name, if any; the last one counts.

    Raises:
        Refused: the user has no profile of that name.
    """
    name, profile = user.profile, user.profile_named(user.profile)
    notes: list[str] = []
    for source, wish in wishes:
        if wish is None or wish == name:
            continue
        own = user.profile_named(wish)
        bounded = _bounded(own, by=profile)
        if bounded != own:
            notes.append(
                f"{source} wishes profile {wish}; it stays within {name}, which is yours. "
                f"profile={wish} grants all of it, when the user asks for that"
            )
        name, profile = wish, bounded
    return Chosen(name=name, profile=profile, notes=tuple(notes))


def _stricter(name: str, mine: float, theirs: float) -> float:
    if name in _OPEN and 0 in {mine, theirs}:
        return mine
    return max(mine, theirs) if name in _RESERVES else min(mine, theirs)


def _bounded(wished: Profile, *, by: Profile) -> Profile:
    return wished.model_copy(
        update={
            "steps": min((steps for steps in (wished.steps, by.steps) if steps), default=0),
            "tool_timeout_ms": min(wished.tool_timeout_ms, by.tool_timeout_ms),
            "subagents": wished.subagents and by.subagents,
            "fan_out": wished.fan_out if by.fan_out == "swarm" else by.fan_out,
            "task_s": _least(wished.task_s, by.task_s),
            "max_parallel": _least(wished.max_parallel, by.max_parallel),
            "weekly_steps": _least(wished.weekly_steps, by.weekly_steps),
            "five_hour_steps": _least(wished.five_hour_steps, by.five_hour_steps),
            "kimi": by.kimi,
        }
    )


def _least(*bounds: float | None) -> float | None:
    return min((bound for bound in bounds if bound is not None), default=None)


def _refuse_strange(values: Mapping[str, Any], *, source: str) -> None:
    for key in values:
        if key in _TOP or key == "limits":
            continue
        if key in Settings.model_fields:
            raise Refused(
                f"{source}: {key} is refused; only the user's own kimi-mcp.toml may set it. "
                f"Allowed there: {_ALLOWED}."
            )
        known = [*_TOP, *(f"limits.{name}" for name in Limits.model_fields)]
        raise Refused(
            f"{source}: unknown key {key!r}.{nearest_sentence(key, known)} "
            f"Allowed there: {_ALLOWED}."
        )
