"""What history charges is what the model was asked, with the real Kimi Code."""

import signal
from collections.abc import Mapping, Sequence

import anyio
import psutil
import pytest

from dispatching import (
    Done,
    at_once,
    bench_of,
    configure,
    dispatched,
    followed,
    spec_of,
    specify,
)
from kimi_mcp.demo.script import Reply, bash, call, say, write
from kimi_mcp.demo.scripted_model import ScriptedModel
from kimi_mcp.dispatch.admission import LaunchWish
from kimi_mcp.dispatch.launch import launch
from kimi_mcp.dispatch.recovery.reconcile import reconcile
from kimi_mcp.dispatch.retake import resume
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.lifecycle import DispatchState, Outcome, TaskState
from living import until_gone
from sandbox import Sandbox, StartModel

FIRST = "2000-01-01T00:00:00.000Z"
BUSY = Reply(status=429, body={"error": {"message": "slow down", "type": "rate_limit"}})
QUOTA = Reply(
    status=403,
    body={"error": {"message": "You've reached your usage limit for this billing cycle."}},
)


def task(number: int, title: str = "Make") -> str:
    return (
        f"{title} ({number})\nFiles:\n- CREATE made-{number}.txt\n"
        f"Verification:\n- `test -s made-{number}.txt`\n"
    )


def makes(number: int) -> Reply:
    return write(f"made-{number}.txt", "made\n")


def charged(bench: Workbench, dispatch: DispatchId) -> tuple[int, int]:
    """Return what the ledger has, after making sure that the attempts say the same."""
    spent = bench.history.spent(bench.history.dispatch(dispatch).account, since=FIRST)
    tasks = bench.history.tasks(dispatch)
    assert spent.steps == sum(task.steps for task in tasks)
    assert spent.possible == sum(task.possible_steps for task in tasks)
    return spent.steps, spent.possible


def sometimes(*replies: Reply) -> "Turns":
    return Turns(replies)


class Turns(Sequence[Reply]):
    """Replies by how often the model was asked, not by what it said before."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        self._replies = replies
        self._asked = 0

    def __len__(self) -> int:
        return 1_000

    def __getitem__(self, index: object) -> Reply:  # pyright: ignore[reportIncompatibleMethodOverride]
        self._asked += 1
        return self._replies[min(self._asked, len(self._replies)) - 1]


async def test_a_mixed_campaign_is_charged_to_the_last_request(
    sandbox: Sandbox, start_model: StartModel
):
    swarm = call(
        "AgentSwarm",
        description="parts",
        prompt_template="Look at {{item}} now",
        items=["north", "south", "west"],
    )
    scripts: Mapping[str, Sequence[Reply]] = {
        "(1)": [at_once(bash("true"), makes(1)), say("Done.")],
        "(2)": sometimes(BUSY, makes(2), BUSY, BUSY, say("Done.")),
        "(3)": [bash("echo 1"), swarm, makes(3), say("Done.")],
        "Look at north": [bash("echo n"), say("Seen.")],
        "Look at south": [say("Seen.")],
        "Look at west": [bash("echo w"), BUSY],
        "(4)": [bash(f"echo {number}") for number in range(30)],
        "(5)": [Reply(status=400, body={"error": {"message": "no", "type": "invalid"}})],
        "(6)": [bash("kill -TERM $PPID; sleep 3")],
        "(7)": sometimes(makes(7), QUOTA, say("Done.")),
    }
    model = start_model(scripts)
    configure(
        'profile = "mine"\n[profiles.mine]\nsteps = 12\nsubagents = true\n[limits]\nattempts = 3\n'
    )
    specify(sandbox, spec_of(*(task(number) for number in range(1, 8))))

    done = await dispatched(sandbox, max_parallel=1)

    assert charged(done.bench, done.id) == (len(model.requests), 0)
    assert done.outcomes == {
        1: TaskState.DELIVERED,
        2: TaskState.DELIVERED,
        3: TaskState.DELIVERED,
        4: Outcome.STEP_LIMIT,
        5: Outcome.PROVIDER_ERROR,
        6: Outcome.CRASHED,
        7: Outcome.QUOTA_EXHAUSTED,
    }

    again = await followed(done.bench, await anyio.to_thread.run_sync(resume, done.bench, done.id))

    assert again.outcomes[7] is TaskState.DELIVERED
    assert charged(done.bench, done.id) == (len(model.requests), 0)


async def test_shortening_a_conversation_is_charged_as_the_requests_that_it_takes(
    sandbox: Sandbox, start_model: StartModel
):
    model = start_model({"(1)": [bash(f"seq {n} 4000") for n in range(9)], "": [say("A summary.")]})
    home = sandbox.root.parent / "kimi-home" / "config.toml"
    small = home.read_text(encoding="utf-8").replace("262144", "24000")
    home.write_text(f"{small}\n[loop_control]\nreserved_context_size = 2000\n", encoding="utf-8")
    configure("[profiles.moderato]\nsteps = 6\n")
    specify(sandbox, spec_of(task(1)))

    done = await dispatched(sandbox)

    assert any("shorten" in note for note in done.notes(1))
    assert charged(done.bench, done.id) == (len(model.requests), 0)
    assert len(model.requests) > 6


async def killed(sandbox: Sandbox, model: ScriptedModel, *, runner: bool) -> Done:
    """Dispatch, and kill Kimi or the runner while the model is being asked."""
    bench = bench_of(sandbox)
    launched = await anyio.to_thread.run_sync(
        launch, bench, LaunchWish(spec="specs/001-work.md", max_parallel=1)
    )
    assert await anyio.to_thread.run_sync(model.reached("Look at south", 0).wait, 60)
    head = bench.history.dispatch(launched.dispatch).runner_pid
    assert head is not None
    family = [psutil.Process(head), *psutil.Process(head).children(recursive=True)]
    kimi = next(one for one in family if "KIMI_LOOP_MAX_ATTEMPTS_PER_STEP" in one.environ())
    (family[0] if runner else kimi).send_signal(signal.SIGKILL)
    if runner:
        await until_gone(*(one.pid for one in family))
        reconcile(bench)
    return await followed(bench, launched)


@pytest.mark.parametrize("runner", [False, True])
async def test_after_a_kill_at_most_one_request_an_agent_is_uncertain_and_none_is_lost(
    sandbox: Sandbox, start_model: StartModel, *, runner: bool
):
    never = Reply(hang="headers")
    swarm = call(
        "AgentSwarm",
        description="parts",
        prompt_template="Look at {{item}} now",
        items=["north", "south"],
    )
    model = start_model(
        {
            "(1)": [bash("echo 1"), swarm],
            "Look at north": [bash("echo n"), never],
            "Look at south": [never],
        }
    )
    configure('profile = "mine"\n[profiles.mine]\nsubagents = true\n')
    specify(sandbox, spec_of(task(1)))

    done = await killed(sandbox, model, runner=runner)

    steps, possible = charged(done.bench, done.id)
    assert steps <= len(model.requests) <= steps + possible
    assert possible <= 3
    if runner:
        assert done.report.dispatch.state is DispatchState.LOST
