"""The spec's commands, run by us on exactly the commit, with the real CLI before them."""

from pathlib import Path

from dispatching import at_once, branches, carried_out, configure, pinned, spec_of
from kimi_mcp.demo.script import bash, say, write
from kimi_mcp.lifecycle import Outcome, TaskState
from kimi_mcp.review.view import View
from sandbox import Sandbox, StartModel


async def test_what_kimi_left_outside_the_commit_helps_no_check(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    sandbox.write(".gitignore", "local*\ndist/\n__pycache__/\n")
    sandbox.commit()
    start_model(
        {
            "# Your task (1)": (
                at_once(write("one.py", "import local_helper\n"), write("local_helper.py", "")),
                bash("python3 -c 'import one' && echo all green"),
                say("`import one` passes."),
            ),
            "# Your task (2)": (
                at_once(write("two.py", ""), bash("mkdir dist && touch dist/report.txt")),
                say("The report is there."),
            ),
            "# Your task (3)": (
                at_once(write("three.py", ""), bash("git config alias.proof '!true'")),
                say("`git proof` passes."),
            ),
        }
    )

    done = await carried_out(
        sandbox,
        spec_of(
            'One\nFiles:\n- CREATE one.py\nVerification:\n- `python3 -c "import one"`',
            "Two\nFiles:\n- CREATE two.py\nVerification:\n- `test -e dist/report.txt`",
            "Three\nFiles:\n- CREATE three.py\nVerification:\n- `git proof`",
        ),
    )

    assert set(done.outcomes.values()) == {Outcome.CHECKS_FAILED}
    assert branches(sandbox) == []
    assert "ModuleNotFoundError" in done.task(1).checks[0].output_tail
    assert any("local_helper.py" in note for note in done.notes(1))
    assert not any("__pycache__" in note for note in done.notes(1))  # no news to anybody
    assert any("dist/report.txt" in note for note in done.notes(2))


async def test_a_missing_program_or_module_is_told_from_work_that_was_left_out(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    start_model(
        {
            "# Your task (1)": (write("one.py", ""), say("done")),
            "# Your task (2)": (write("two.py", "import no_such_library\n"), say("done")),
            "# Your task (3)": (write("three.py", ""), say("both made")),
        }
    )

    done = await carried_out(
        sandbox,
        spec_of(
            "One\nFiles:\n- CREATE one.py\nVerification:\n- `no-such-program one.py`",
            'Two\nFiles:\n- CREATE two.py\nVerification:\n- `python3 -c "import two"`',
            "Three\nFiles:\n- CREATE three.py\n- CREATE promised.py\n"
            'Verification:\n- `python3 -c "import promised"`',
        ),
    )

    assert done.outcomes == {
        1: Outcome.SETUP_FAILED,
        2: Outcome.SETUP_FAILED,
        3: Outcome.CHECKS_FAILED,
    }
    assert 'program "no-such-program" is missing' in str(done.task(1).task.sentence)
    assert done.task(1).task.steps == 0
    assert "no_such_library" in str(done.task(2).task.sentence)
    assert branches(sandbox) == []


async def test_what_setup_made_is_there_for_kimi_and_for_the_checks_unpatched(
    sandbox: Sandbox, start_model: StartModel, tmp_path: Path
) -> None:
    log = tmp_path / "logs/setup.log"
    log.parent.mkdir()
    configure(
        f"""allow_write = ['{log.parent}']
        setup = ["echo ran >> '{log}'", "mkdir -p vendor && echo 'WORD = 1' > vendor/lib.py"]"""
    )
    sandbox.write(".gitignore", "vendor/\n__pycache__/\n")
    sandbox.commit()
    check = "`PYTHONPATH=vendor python3 -c 'import lib, {0}; assert lib.WORD == {0}.WORD'`"
    start_model(
        {
            "# Your task (1)": (
                bash("grep -q 'WORD = 1' vendor/lib.py && echo 'WORD = 1' > one.py"),
                say("done"),
            ),
            "# Your task (2)": (
                at_once(
                    write("two.py", "WORD = 2\n"),
                    bash("echo 'WORD = 2' > vendor/lib.py && touch vendor/extra.py"),
                ),
                say("all checks pass"),
            ),
        }
    )

    done = await carried_out(
        sandbox,
        spec_of(
            f"One\nFiles:\n- CREATE one.py\nVerification:\n- {check.format('one')}",
            f"Two\nFiles:\n- CREATE two.py\nVerification:\n- {check.format('two')}",
        ),
    )

    assert done.outcomes == {1: TaskState.DELIVERED, 2: Outcome.CHECKS_FAILED}
    assert done.notes(1) == []
    assert any("setup ran again" in note for note in done.notes(2))
    clone = done.bench.state.run(done.id).task(2).clone
    assert (clone / "vendor/lib.py").read_text(encoding="utf-8") == "WORD = 1\n"
    assert not (clone / "vendor/extra.py").exists()
    assert log.read_text(encoding="utf-8") == "ran\n" * 4  # task 2: again, and on the base


async def test_a_setup_that_fails_costs_no_step(sandbox: Sandbox, start_model: StartModel) -> None:
    configure('setup = ["true", "echo no registry today; exit 3"]')
    model = start_model({"": (write("one.py", ""), say("done"))})

    done = await carried_out(
        sandbox, spec_of("One\nFiles:\n- CREATE one.py\nVerification:\n- `true`")
    )

    assert done.outcomes == {1: Outcome.SETUP_FAILED}
    assert done.report.steps == 0
    assert model.requests == ()
    assert pinned(sandbox) == [f"refs/kimi/{done.id}/base"]
    assert "no registry today" in done.view(View.SUMMARY)


async def test_a_setup_that_changes_the_project_is_not_taken_for_kimis_work(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    configure('setup = ["echo >> app.py"]')
    model = start_model({"": (write("one.py", ""), say("done"))})

    done = await carried_out(
        sandbox, spec_of("One\nFiles:\n- MODIFY app.py\nVerification:\n- `true`")
    )

    assert done.outcomes == {1: Outcome.SETUP_FAILED}
    assert "app.py" in str(done.task(1).task.sentence)
    assert model.requests == ()
    assert branches(sandbox) == []
