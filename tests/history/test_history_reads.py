from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.errors import Refused
from kimi_mcp.history import DispatchId, History, dispatch_id, new_dispatch_id
from kimi_mcp.history.records import Dispatch
from kimi_mcp.history.times import moment, timestamp
from kimi_mcp.lifecycle import DispatchState

NOON = "2026-01-02T12:00:00.000Z"
ONE = "2026-01-02T13:00:00.000Z"


def ids(dispatches: tuple[Dispatch, ...]) -> list[str]:
    return [dispatch.id[-4:] for dispatch in dispatches]


@pytest.fixture
def five(history: History, add: Callable[..., DispatchId]) -> list[DispatchId]:
    """Five dispatches: of two repositories, two sessions and two specs."""
    return [
        add(history, token="aaaa", repository="/one", spec_hash="1", session="s"),
        add(history, token="bbbb", repository="/one", spec_hash="2"),
        add(history, token="cccc", repository="/two", spec_hash="1", session="s"),
        add(history, token="dddd", repository="/one", spec_hash="3", session="t"),
        add(history, token="eeee", repository="/two", spec_hash="2"),
    ]


@pytest.mark.usefixtures("five")
def test_recent_dispatches_come_newest_first_and_by_the_page(history: History):
    first = history.recent(limit=2)
    second = history.recent(limit=2, before=first[-1].id)
    third = history.recent(limit=2, before=second[-1].id)

    assert [ids(page) for page in (first, second, third)] == [
        ["eeee", "dddd"],
        ["cccc", "bbbb"],
        ["aaaa"],
    ]


@pytest.mark.usefixtures("five")
def test_recent_dispatches_can_be_those_of_a_repository(history: History):
    first = history.recent(repository="/one", limit=2)

    assert ids(first) == ["dddd", "bbbb"]
    assert ids(history.recent(repository="/one", before=first[-1].id, limit=2)) == ["aaaa"]


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize(("repository", "expected"), [("/one", "dddd"), (None, "eeee")])
def test_the_latest_is_the_repositorys(history: History, repository: str | None, expected: str):
    latest = history.latest(repository=repository)

    assert latest is not None
    assert latest.id.endswith(expected)


@pytest.mark.usefixtures("five")
def test_the_latest_of_a_session_is_its_own_whatever_the_repository(history: History):
    latest = history.latest_of_session("s")

    assert latest is not None
    assert latest.id.endswith("cccc")
    assert history.latest_of_session("unknown") is None


def test_an_empty_history_has_no_latest(history: History):
    assert history.latest(repository="/one") is None


def test_a_snapshot_answers_from_one_moment(history: History, five: list[DispatchId]):
    with history.snapshot() as then:
        before = then.dispatch(five[1])
        history.claim(five[1], at=ONE, runner_pid=1)

        assert then.dispatch(five[1]) == before
    assert history.dispatch(five[1]).state is DispatchState.RUNNING


def test_live_dispatches_are_those_that_are_not_over(history: History, five: list[DispatchId]):
    history.lose(five[0], source=DispatchState.QUEUED, at=ONE, note="Lost.")
    history.claim(five[1], at=ONE, runner_pid=1)

    assert ids(history.live("/one")) == ["bbbb", "dddd"]
    assert ids(history.live()) == ["bbbb", "cccc", "dddd", "eeee"]


@pytest.mark.usefixtures("five")
def test_the_latest_dispatch_of_a_spec_is_found_by_path_text_or_both(history: History):
    path = "specs/001-add-login.md"

    by_path = history.latest_of_spec("/one", spec_path=path)
    by_text = history.latest_of_spec("/one", spec_hash="1")
    by_both = history.latest_of_spec("/one", spec_path=path, spec_hash="2")

    assert [found.id[-4:] for found in (by_path, by_text, by_both) if found] == [
        "dddd",
        "aaaa",
        "bbbb",
    ]
    assert history.latest_of_spec("/one", spec_path="specs/other.md", spec_hash="1") is None


@pytest.mark.usefixtures("five")
def test_ids_are_found_by_a_part_of_them(history: History):
    assert history.ids_like("cc") == ("001-add-login-cccc",)
    assert len(history.ids_like("add-login", limit=3)) == 3
    assert history.ids_like("%") == ()


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize("read", ["dispatch", "spec_text", "cancel_requests"])
def test_an_unknown_dispatch_is_refused_with_the_nearest(history: History, read: str):
    with pytest.raises(Refused, match=r"No dispatch '001-add-logn-cccc'.*001-add-login-cccc"):
        getattr(history, read)(dispatch_id("001-add-logn-cccc"))


def test_an_unknown_task_is_refused_with_those_there_are(history: History, queued: DispatchId):
    with pytest.raises(Refused, match=r"no task 4. Its tasks: 1, 2, 3"):
        history.task(queued, 4)


def test_a_task_of_an_unknown_dispatch_is_refused_for_the_dispatch(history: History):
    with pytest.raises(Refused, match="No dispatch"):
        history.task(dispatch_id("001-add-login-zzzz"), 1)


@pytest.mark.parametrize("text", ["001-add-login-7k3f", "1234-x-0000", "001-a-b-c-7k3f"])
def test_a_dispatch_id_passes_the_door(text: str):
    assert dispatch_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1-a-7k3f",
        "001-7k3f",
        "001-A-7k3f",
        "001-a--b-7k3f",
        "001-a-7k3",
        "001-a-7k3f\n",
        "../x",
        "\u0660\u0660\u0661-a-7k3f",
    ],
)
def test_what_is_no_dispatch_id_is_refused(text: str):
    with pytest.raises(Refused, match="look like 001-add-login-7k3f"):
        dispatch_id(text)


def test_a_new_id_is_composed_of_number_slug_and_token():
    assert new_dispatch_id(1, "add-login", "7k3f") == "001-add-login-7k3f"
    assert new_dispatch_id(1234, "x", "7k3f") == "1234-x-7k3f"
    with pytest.raises(Refused):
        new_dispatch_id(1, "Add Login", "7k3f")


_zones = st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours)))
_moments = st.builds(
    datetime.fromtimestamp,
    st.floats(0, 32_000_000_000),  # until the year 2984
    _zones,
)


@given(_moments, _moments)
def test_text_order_is_time_order(one: datetime, other: datetime):
    first, second = sorted((one, other))

    assert timestamp(first) <= timestamp(second)
    assert len(timestamp(one)) == 24
    assert timedelta() <= one - moment(timestamp(one)) < timedelta(milliseconds=1)


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        timestamp(datetime(2026, 1, 2))  # noqa: DTZ001 (wrong on purpose)
    assert timestamp(datetime(2026, 1, 2, tzinfo=UTC)) == "2026-01-02T00:00:00.000Z"
