"""A repository's settings narrow the user's: of every number the stricter one counts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.dispatch.planning.narrowing import chosen_profile, narrowed
from kimi_mcp.errors import Refused
from kimi_mcp.settings import Limits, Profile, Settings, toml_of

SOURCE = ".kimi-mcp.toml"


def users(text: str = "") -> Settings:
    return Settings.checked(toml_of(text, source="kimi-mcp.toml"), source="kimi-mcp.toml")


def over(user: Settings, text: str) -> tuple[Settings, tuple[str, ...]]:
    return narrowed(user, toml_of(text, source=SOURCE), source=SOURCE)


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        ("max_parallel = 3", "max_parallel = 2", {"max_parallel": 2}),
        ("max_parallel = 1", "max_parallel = 2", {"max_parallel": 1}),
        ("", 'fence = "required"', {"fence": "required"}),
        ('fence = "off"', 'fence = "auto"', {"fence": "auto"}),
        ('fence = "required"', 'fence = "auto"', {"fence": "required"}),
        ("", 'specs_dir = "docs/specs"', {"specs_dir": "docs/specs"}),
        ("", 'setup = ["make"]', {"setup": ("make",)}),
        ('setup = ["a"]', 'setup = ["b"]', {"setup": ("a", "b")}),
        ('setup = ["a"]', "setup = []", {"setup": ("a",)}),
        ('setup = ["a"]', "", {"setup": ("a",)}),
        ("", "", {"setup": None}),
        ('bring = ["a"]', 'bring = ["b/*.local"]', {"bring": ("a", "b/*.local")}),
        ("", "[limits]\ntask_s = 60", {"limits": Limits(task_s=60)}),
        ("[limits]\ntask_s = 30", "[limits]\ntask_s = 60", {"limits": Limits(task_s=30)}),
        ("", "[limits]\nfree_bytes = 10", {"limits": Limits()}),
        ("", "[limits]\nfree_bytes = 900_000_000", {"limits": Limits(free_bytes=900_000_000)}),
    ],
)
def test_the_stricter_one_counts(mine: str, theirs: str, expected: dict[str, Any]) -> None:
    settings, _ = over(users(mine), theirs)

    assert settings == users(mine).model_copy(update=expected)


def test_a_wish_that_was_not_granted_is_noted() -> None:
    _, notes = over(users("max_parallel = 1\n[limits]\ncheck_s = 60\n"), "max_parallel = 9\n")
    assert notes == (".kimi-mcp.toml wishes max_parallel = 9; 1 counts, which is yours",)

    _, none = over(users(), "max_parallel = 2\n[limits]\ncheck_s = 60\n")
    assert none == ()


FORBIDDEN = (
    ('allow_read = ["/"]', "allow_read is refused; only the user's own kimi-mcp.toml may set it"),
    ('allow_write = ["/srv"]', "allow_write is refused"),
    ('branch_prefix = "evil"', "branch_prefix is refused"),
    ('check_network = "open"', "check_network is refused"),
    ("[profiles.swarm]\nsteps = 0", "profiles is refused"),
    ("nonsense = 1", "unknown key 'nonsense'"),
    ("[quota]\nlive = true", "quota is refused; only the user's own"),
    ('fence = "off"', "fence = 'off' is refused; allowed there: auto or required"),
    ('fence = "of"', "fence = 'of' is refused; allowed: required, auto or off"),
    ('profile = "mine"', "there is no profile 'mine'; allowed: moderato, swarm"),
    ("max_paralel = 2", "unknown key 'max_paralel'. Nearest: max_parallel"),
    ("max_parallel = 0", "max_parallel = 0 is refused; allowed: a whole number, 1 to 64"),
    ("max_parallel = true", "max_parallel = True is refused"),
    ("limits = 3", "limits = 3 is refused; allowed: a table"),
    ("[limits]\ntask = 3", "unknown key limits.task. Nearest: limits.task_s"),
    ("[limits]\ntask_s = inf", "limits.task_s = inf is refused"),
    ('setup = "make"', "setup = 'make' is refused; allowed: a list of commands"),
    ('setup = [" "]', "setup = [' '] is refused"),
    ('setup = ["a\\u0000b"]', "is refused; allowed: a list of commands"),
    ('bring = ["../secrets"]', "bring = ['../secrets'] is refused; allowed: a list of files"),
    ('bring = ["/etc/passwd"]', "is refused; allowed: a list of files inside"),
    ('bring = ["~/.ssh/id_rsa"]', "is refused; allowed: a list of files inside"),
    ('bring = [".git/config"]', "is refused; allowed: a list of files inside"),
    ('bring = ["a\\nb"]', "is refused; allowed: a list of files inside"),
    ('specs_dir = "../up"', "specs_dir = '../up' is refused; allowed: a folder inside"),
    ('specs_dir = ".GIT/x"', "is refused; allowed: a folder inside the repository"),
    ("x = [" + "[" * 30_000, "not valid TOML"),
    ("max_parallel = " + "9" * 5_000, "not valid TOML"),
)


@pytest.mark.parametrize(("text", "said"), FORBIDDEN, ids=[row[0][:40] for row in FORBIDDEN])
def test_what_would_widen_or_is_not_allowed_there_is_refused(text: str, said: str) -> None:
    with pytest.raises(Refused) as refusal:
        over(users(), text)

    assert str(refusal.value).startswith(".kimi-mcp.toml")
    assert said in str(refusal.value)


@given(
    mine=st.builds(Limits, task_s=st.floats(0.1, 86_400), retries=st.integers(0, 10_000)),
    theirs=st.builds(Limits, task_s=st.floats(0.1, 86_400), retries=st.integers(0, 10_000)),
)
def test_no_limit_is_ever_widened(mine: Limits, theirs: Limits) -> None:
    user = users().model_copy(update={"limits": mine})

    settings, _ = narrowed(user, {"limits": theirs.model_dump()}, source=SOURCE)

    for name in Limits.model_fields:
        before, after = getattr(user.limits, name), getattr(settings.limits, name)
        assert after >= before if name == "free_bytes" else after <= before


def test_a_wished_profile_stays_within_the_bounds_of_the_users() -> None:
    user = users('[profiles.tiny]\nsteps = 5\nmodel = "small"\n')

    wide = chosen_profile(user, [(SOURCE, "swarm")])
    small = chosen_profile(user, [(SOURCE, "swarm"), ("The spec", "tiny")])
    as_it_is = chosen_profile(user, [(SOURCE, None), ("The spec", None)])

    assert (wide.name, wide.profile) == ("swarm", Profile(steps=100, subagents=False))
    (note,) = wide.notes
    assert note == (
        ".kimi-mcp.toml wishes profile swarm; it stays within moderato, which is yours. "
        "profile=swarm grants all of it, when the user asks for that"
    )
    assert (small.name, small.profile) == ("tiny", Profile(steps=5, model="small"))
    assert (as_it_is.name, as_it_is.profile, as_it_is.notes) == ("moderato", Profile(), ())


def test_a_user_whose_profile_is_wide_grants_a_wide_wish() -> None:
    wished = chosen_profile(users('profile = "swarm"\n'), [("The spec", "moderato")])

    assert (wished.profile.steps, wished.notes) == (100, ())
