"""What a check's exit code does not tell: a second run, the base, no test at all, no program."""

from pathlib import Path

from dispatching import branches, carried_out, spec_of
from kimi_mcp.demo.script import bash, say, write
from kimi_mcp.history.records import Rerun
from kimi_mcp.lifecycle import Outcome, TaskState
from sandbox import Sandbox, StartModel


async def test_a_failed_check_is_run_once_more_on_the_same_commit(
    sandbox: Sandbox, start_model: StartModel, noticeboard: Path
) -> None:
    start_model(
        {
            "# Your task (1)": (write("one.txt", "one\n"), say("done")),
            "# Your task (2)": (write("two.txt", "two\n"), say("done")),
        }
    )
    seen = noticeboard / "seen"

    done = await carried_out(
        sandbox,
        spec_of(
            f"""One
Files:
- CREATE one.txt
Verification:
- `test -e {seen} || {{ touch {seen}; echo unlucky; exit 3; }}; grep -q one one.txt`
""",
            """Two
Files:
- CREATE two.txt
Verification:
- `test -e seen || { echo three > two.txt; touch seen $TMPDIR/seen; exit 3; }`
""",
        ),
    )

    assert done.outcomes == {1: TaskState.DELIVERED, 2: Outcome.CHECKS_FAILED}
    (lucky,) = done.task(1).checks
    assert (lucky.exit_code, lucky.again) == (3, Rerun.PASSED)
    assert "unlucky" in lucky.output_tail
    assert "failed first and passed when run again" in str(done.task(1).task.sentence)
    (unlucky,) = done.task(2).checks
    assert (unlucky.exit_code, unlucky.again) == (3, Rerun.FAILED)
    assert "failed with exit code 3, twice" in str(done.task(2).task.sentence)
    clone = done.bench.state.run(done.id).task(2).clone
    assert (clone / "two.txt").read_text(encoding="utf-8") == "three\n"  # of the second run


async def test_the_base_tells_whose_fault_it_is_and_what_a_check_proves(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    sandbox.write("broken.txt", "it was so before\n")
    sandbox.commit()
    start_model(
        {
            f"# Your task ({number})": (write(f"made-{number}.txt", "x\n"), say("done"))
            for number in range(1, 5)
        }
    )

    done = await carried_out(
        sandbox,
        spec_of(
            "Broken before\nFiles:\n- CREATE made-1.txt\nVerification:\n- `! test -e broken.txt`",
            "Proves nothing\nFiles:\n- CREATE made-2.txt\nVerification:\n- `test -e app.py`",
            "Names it\nFiles:\n- CREATE made-3.txt\nVerification:\n- `test -e made-3.txt`",
            "Breaks it\nFiles:\n- CREATE made-4.txt\nVerification:\n- `! ls | grep made`",
        ),
    )

    assert {n: [c.on_base for c in done.task(n).checks] for n in range(1, 5)} == {
        1: [Rerun.FAILED],
        2: [Rerun.PASSED],
        3: [None],
        4: [Rerun.PASSED],
    }
    assert "it fails on the base too" in str(done.task(1).task.sentence)
    assert "passed on the base already" in str(done.task(2).task.sentence)
    assert done.task(3).task.sentence == "1 of 1 checks passed."
    assert "base" not in str(done.task(4).task.sentence)
    run = done.bench.state.run(done.id)
    assert not [n for n in range(1, 5) if run.task(n).base.root.exists()]


async def test_a_test_run_that_finds_nothing_to_run_does_not_pass(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    start_model({"": (write("one.py", ""), say("all tests pass"))})

    done = await carried_out(
        sandbox,
        spec_of(
            "One\nFiles:\n- CREATE one.py\nVerification:\n- `python3 -m unittest discover || true`"
        ),
    )

    assert done.outcomes == {1: Outcome.CHECKS_FAILED}
    assert "no test ran (unittest)" in str(done.task(1).task.sentence)
    assert branches(sandbox) == []


async def test_a_missing_program_is_named_before_any_step_unless_the_task_makes_it(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    model = start_model(
        {
            "# Your task (1)": (say("never asked"),),
            "# Your task (2)": (
                bash("mkdir bin; printf '#!/bin/sh\\nexit 0\\n' > bin/verify; chmod +x bin/verify"),
                say("done"),
            ),
        }
    )

    done = await carried_out(
        sandbox,
        spec_of(
            "One\nFiles:\n- CREATE one.py\nVerification:\n- `true`\n- `cd . && no-such-linter .`",
            "Two\nFiles:\n- CREATE bin/verify\nVerification:\n- `./bin/verify`\n- `:`\n- `local=1`",
        ),
    )

    assert done.outcomes == {1: Outcome.SETUP_FAILED, 2: TaskState.DELIVERED}
    assert 'the program "no-such-linter" is missing' in str(done.task(1).task.sentence)
    assert done.task(1).task.steps == 0
    assert {request.place.marker for request in model.requests if request.place} == {
        "# Your task (2)"
    }
