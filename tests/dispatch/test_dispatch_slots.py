"""How many tasks work at once on a machine, and the ports that each of them has."""

from pathlib import Path

import anyio
import anyio.lowlevel
import psutil
import pytest

from dispatching import carried_out, spec_of
from kimi_mcp.demo.script import bash, say
from kimi_mcp.dispatch.running.slots import KIMI_BYTES, MOST_SLOTS, PORTS, Slots
from kimi_mcp.lifecycle import TaskState
from kimi_mcp.review.view import View
from patience import PATIENCE_S
from sandbox import Sandbox, StartModel


async def test_no_more_than_the_slots_are_taken_whoever_asks(tmp_path: Path) -> None:
    mine, theirs = Slots(tmp_path, count=2), Slots(tmp_path, count=2)
    never = anyio.Event()
    async with mine.taken(never) as one:
        async with theirs.taken(never) as two:
            assert one is not None
            assert two is not None
            assert abs(one.port - two.port) >= PORTS
            with anyio.move_on_after(0.5) as patience:
                async with mine.taken(never):
                    pytest.fail("a third slot of two")
            assert patience.cancelled_caught
        async with mine.taken(never) as again:
            assert again == two


async def test_who_waits_for_a_slot_can_be_cancelled(tmp_path: Path) -> None:
    slots, cancelled = Slots(tmp_path, count=1), anyio.Event()
    with anyio.fail_after(PATIENCE_S):
        async with slots.taken(anyio.Event()), anyio.create_task_group() as group:
            group.start_soon(_set, cancelled)
            async with slots.taken(cancelled) as slot:
                assert slot is None


async def _set(event: anyio.Event) -> None:
    event.set()


async def test_who_is_cancelled_before_gets_no_slot_and_holds_none(tmp_path: Path) -> None:
    slots, cancelled = Slots(tmp_path, count=1), anyio.Event()
    cancelled.set()

    async with slots.taken(cancelled) as slot:
        assert slot is None
        async with slots.taken(anyio.Event()) as free:
            assert free is not None


async def test_one_at_a_time_works_even_without_any_memory(tmp_path: Path) -> None:
    slots = Slots(tmp_path, count=2, free_bytes=lambda: 0)
    async with slots.taken(anyio.Event()) as one:
        assert one is not None
        with anyio.move_on_after(0.5) as patience:
            async with slots.taken(anyio.Event()):
                pytest.fail("a second one without memory")
        assert patience.cancelled_caught


@pytest.mark.parametrize(("room", "most"), [(2, 2), (5, 5), (100, 64)])
async def test_64_tasks_are_begun_as_fast_as_memory_allows_and_no_faster(
    tmp_path: Path, room: int, most: int
) -> None:
    working: set[int] = set()
    seen: list[int] = []

    def free_bytes() -> int:
        return (room - len(working)) * KIMI_BYTES

    async def work(slots: Slots) -> None:
        async with slots.taken(anyio.Event()) as slot:
            assert slot is not None
            assert slot.number not in working
            working.add(slot.number)
            seen.append(len(working))
            while len(seen) < most:  # so that as many as may work do
                await anyio.lowlevel.checkpoint()
            working.remove(slot.number)

    runners = [Slots(tmp_path, count=MOST_SLOTS, free_bytes=free_bytes) for _ in range(4)]
    with anyio.fail_after(PATIENCE_S):
        async with anyio.create_task_group() as group:
            for number in range(64):
                group.start_soon(work, runners[number % len(runners)])

    assert len(seen) == 64
    assert max(seen) == most


def test_without_a_number_half_of_the_memory_is_for_kimis(tmp_path: Path) -> None:
    count = Slots(tmp_path, count=0).count

    assert 1 <= count <= MOST_SLOTS
    assert count == MOST_SLOTS or (count + 1) * KIMI_BYTES > psutil.virtual_memory().total // 2


async def test_tasks_of_a_dispatch_wait_for_each_other_and_each_has_its_port(
    sandbox: Sandbox, start_model: StartModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIMI_MCP_LIMITS_KIMIS", "1")
    start_model(
        {
            f"# Your task ({number})": (bash(f"echo $PORT > made-{number}.txt"), say("done"))
            for number in (1, 2)
        }
    )
    done = await carried_out(
        sandbox,
        spec_of(
            *(
                f"Number {n}\nFiles:\n- CREATE made-{n}.txt\nVerification:\n"
                f"- `test $PORT = $(cat made-{n}.txt)`"
                for n in (1, 2)
            )
        ),
    )

    assert set(done.outcomes.values()) == {TaskState.DELIVERED}, done.view(View.CHECKS)
    told = [(event.task, event.kind) for event in done.events if event.task]
    first_end = told.index((told[0][0], "task.ended"))
    assert {task for task, _ in told[: first_end + 1]} == {told[0][0]}
    ports = {
        sandbox.show(f"kimi/{done.id}/task-{number}", f"made-{number}.txt") for number in (1, 2)
    }
    assert ports == {"20000"}
