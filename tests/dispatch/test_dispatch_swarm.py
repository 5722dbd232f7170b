"""A wave that one real Kimi Code hands to its agents."""

import anyio

from dispatching import (
    SPEC_PATH,
    Done,
    bench_of,
    branches,
    configure,
    dispatched,
    followed,
    spec_of,
    specify,
)
from kimi_mcp.demo.script import Reply, bash, call, say, write
from kimi_mcp.demo.scripted_model import ScriptedModel
from kimi_mcp.dispatch.admission import LaunchWish
from kimi_mcp.dispatch.launch import Launched, launch
from kimi_mcp.dispatch.recovery.reconcile import reconcile
from kimi_mcp.dispatch.retake import resume
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.lifecycle import DispatchState, Outcome, TaskState
from living import until, until_gone
from sandbox import Sandbox, StartModel
from survivors import family_of

FIRST = "2000-01-01T00:00:00.000Z"
LEAD = "You lead a swarm"
SETTINGS = 'profile = "swarm"\n'


def task(number: int, *, budget: int | None = None) -> str:
    wish = f"Budget: {budget} steps\n" if budget else ""
    return (
        f"Make part {number}\nFiles:\n- CREATE made-{number}.txt\n{wish}"
        f"Verification:\n- `grep -q part-{number} made-{number}.txt`\n"
    )


def makes(number: int) -> Reply:
    return write(f"made-{number}.txt", f"part-{number}\n")


def fan_out(count: int) -> Reply:
    return call(
        "AgentSwarm",
        description="parts",
        prompt_template="Read task-{{item}}.md: it is your whole task. Do exactly that.",
        items=[str(number) for number in range(1, count + 1)],
    )


def asks(number: int) -> str:
    """Name what an agent is asked, as the key of its script."""
    return f"task-{number}.md"


async def done_by(
    sandbox: Sandbox,
    start_model: StartModel,
    scripts: dict[str, list[Reply]],
    *tasks: str,
    settings: str = SETTINGS,
) -> tuple[Done, ScriptedModel]:
    model = start_model({LEAD: [fan_out(len(tasks)), say("All done.")], **scripts})
    configure(settings)
    specify(sandbox, spec_of(*tasks))
    return await dispatched(sandbox), model


def charged(done: Done) -> tuple[int, int]:
    spent = done.bench.history.spent(done.report.dispatch.account, since=FIRST)
    assert spent.steps == done.report.steps
    return spent.steps, spent.possible


async def test_eight_tasks_of_one_kimi_become_eight_commits_and_every_request_is_charged(
    sandbox: Sandbox, start_model: StartModel
):
    scripts = {asks(n): [makes(n), say("Done.")] for n in range(1, 9)}
    done, model = await done_by(
        sandbox, start_model, scripts, *(task(number) for number in range(1, 9))
    )

    assert done.outcomes == dict.fromkeys(range(1, 9), TaskState.DELIVERED)
    assert charged(done) == (len(model.requests), 0)
    assert len(model.requests) == 2 + 8 * 2
    assert [done.task(n).task.steps for n in range(1, 9)] == [4, 2, 2, 2, 2, 2, 2, 2]
    for number in range(1, 9):
        branch = f"kimi/{done.id}/task-{number}"
        changed = sandbox.git("diff", "--name-only", f"{branch}^", branch)
        assert changed == f"made-{number}.txt"
        assert sandbox.show(branch, f"made-{number}.txt") == f"part-{number}"
    assert f"kimi/{done.id}/merged" in branches(sandbox)


async def test_a_file_that_no_task_lists_goes_to_the_agent_that_wrote_it(
    sandbox: Sandbox, start_model: StartModel
):
    scripts = {
        asks(1): [makes(1), say("Done.")],
        asks(2): [makes(2), write("stray.txt", "oops\n"), say("Done.")],
        asks(3): [makes(3), say("Done.")],
    }
    done, _ = await done_by(sandbox, start_model, scripts, *(task(n) for n in (1, 2, 3)))

    assert done.outcomes == {
        1: TaskState.DELIVERED,
        2: Outcome.OUT_OF_SCOPE,
        3: TaskState.DELIVERED,
    }
    assert [stray.path for stray in done.task(2).strays] == ["stray.txt"]


async def test_a_file_of_nobody_makes_the_whole_wave_out_of_scope(
    sandbox: Sandbox, start_model: StartModel
):
    scripts = {
        asks(1): [makes(1), say("Done.")],
        asks(2): [makes(2), bash("echo oops > nobodys.txt"), say("Done.")],
    }
    done, _ = await done_by(sandbox, start_model, scripts, task(1), task(2))

    assert done.outcomes == dict.fromkeys((1, 2), Outcome.OUT_OF_SCOPE)
    assert [stray.path for stray in done.task(1).strays] == ["nobodys.txt"]


async def test_the_wave_is_ended_when_it_reaches_the_sum_of_its_budgets(
    sandbox: Sandbox, start_model: StartModel
):
    scripts = {
        asks(1): [makes(1), say("Done.")],
        asks(2): [bash(f"echo {number}; sleep 0.3") for number in range(90)],
    }
    done, model = await done_by(sandbox, start_model, scripts, task(1, budget=3), task(2, budget=7))

    assert done.outcomes[2] is Outcome.STEP_LIMIT
    steps, possible = charged(done)
    assert steps <= len(model.requests) <= steps + possible
    assert 9 <= len(model.requests) <= 12
    assert done.task(1).head is not None


async def test_without_the_swarm_no_agents_are_offered_and_each_task_has_a_kimi_of_its_own(
    sandbox: Sandbox, start_model: StartModel
):
    model = start_model({f"({n})": [makes(n), say("Done.")] for n in (1, 2)})
    configure('profile = "swarm"\n[profiles.swarm]\nfan_out = "processes"\nsubagents = false\n')
    specify(sandbox, spec_of(task(1), task(2)))

    done = await dispatched(sandbox)

    assert done.outcomes == dict.fromkeys((1, 2), TaskState.DELIVERED)
    assert all("AgentSwarm" not in str(one.body["tools"]) for one in model.requests)


async def begun(sandbox: Sandbox, model: ScriptedModel) -> tuple[Workbench, Launched]:
    """Dispatch two tasks, and wait until one is written and both agents ask for more."""
    configure(SETTINGS)
    specify(sandbox, spec_of(task(1), task(2)))
    bench = bench_of(sandbox)
    launched = await anyio.to_thread.run_sync(launch, bench, LaunchWish(spec=SPEC_PATH))
    for number, place in ((1, 1), (2, 0)):
        assert await anyio.to_thread.run_sync(model.reached(asks(number), place).wait, 90)
    return bench, launched


def endless() -> dict[str, list[Reply]]:
    never = Reply(hang="headers")
    return {LEAD: [fan_out(2)], asks(1): [makes(1), never], asks(2): [never]}


async def test_what_a_cancelled_wave_has_done_is_kept_task_by_task(
    sandbox: Sandbox, start_model: StartModel
):
    bench, launched = await begun(sandbox, start_model(endless()))

    bench.history.request_cancel(launched.dispatch, at=bench.stamp(), reason="enough")
    done = await followed(bench, launched)

    assert done.report.dispatch.state is DispatchState.CANCELLED
    assert done.outcomes == dict.fromkeys((1, 2), TaskState.CANCELLED)
    head = done.task(1).head
    assert head is not None
    assert sandbox.show(head, "made-1.txt") == "part-1"


async def test_a_wave_whose_runner_was_killed_is_charged_whole_and_resumed_task_by_task(
    sandbox: Sandbox, start_model: StartModel
):
    scripts = endless()
    for number in (1, 2):
        scripts[f"# Your task ({number})"] = [makes(number), say("Done.")]
    model = start_model(scripts)
    bench, launched = await begun(sandbox, model)
    pid = bench.history.dispatch(launched.dispatch).runner_pid
    assert pid is not None
    family = family_of(pid)
    family[0].kill()
    await until_gone(*(one.pid for one in family))

    def is_lost() -> bool:
        reconcile(bench)
        return bench.history.dispatch(launched.dispatch).state is DispatchState.LOST

    await until(is_lost)
    asked = len(model.requests)
    spent = bench.history.spent(bench.history.dispatch(launched.dispatch).account, since=FIRST)
    assert spent.steps <= asked <= spent.steps + spent.possible
    assert spent.possible <= 3

    again = await anyio.to_thread.run_sync(resume, bench, launched.dispatch)
    done = await followed(bench, again)

    assert done.outcomes == dict.fromkeys((1, 2), TaskState.DELIVERED)
    steps, possible = charged(done)
    assert steps <= len(model.requests) <= steps + possible
