import os
import select
from pathlib import Path

import pytest

from kimi_mcp.kimi import probe
from kimi_mcp.kimi.probe import Answer, ask


def test_both_streams_and_the_exit_code_are_answered(tmp_path: Path):
    answer = ask(["/bin/sh", "-c", "echo out; echo err >&2; exit 4"], cwd=tmp_path, env={})

    assert answer == Answer(text="out\nerr\n", exit_code=4)


def test_our_own_input_is_not_the_programs(tmp_path: Path):
    typed, keyboard = os.pipe()
    os.write(keyboard, b"secret\n")
    ours = os.dup(0)
    os.dup2(typed, 0)
    try:
        answer = ask(["/bin/sh", "-c", "read line; echo got:$line"], cwd=tmp_path, env={})
    finally:
        os.dup2(ours, 0)
        for end in (ours, typed, keyboard):
            os.close(end)

    assert answer.text == "got:\n"


def test_a_program_that_hangs_is_killed_with_what_it_started(tmp_path: Path):
    os.mkfifo(tmp_path / "held")
    reader = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    script = "exec 3> held; echo begun; /bin/sleep 1000 & wait"

    answer = ask(["/bin/sh", "-c", script], cwd=tmp_path, env={}, limit_s=0.5)

    assert answer == Answer(text="begun\n", exit_code=None)
    assert select.select([reader], [], [], 10)[0]  # nobody holds it open any more
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_endless_output_is_cut_long_before_the_time_is_up(tmp_path: Path):
    answer = ask(
        ["/bin/sh", "-c", "while :; do echo yyyyyyyy; done"], cwd=tmp_path, env={}, limit_s=3600
    )

    assert answer.exit_code is None
    assert len(answer.text) < 100_000


def test_a_child_left_with_the_output_does_not_make_the_program_hang(tmp_path: Path):
    script = "/bin/sleep 5 & echo 2.1.0"

    answer = ask(["/bin/sh", "-c", script], cwd=tmp_path, env={}, limit_s=0.5)

    assert answer == Answer(text="2.1.0\n", exit_code=0)


def test_a_program_that_has_said_enough_and_does_not_end_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(probe, "LINGER_S", 0.2)
    script = "echo 2.1.0; exec /bin/sleep 1000"

    answer = ask(
        ["/bin/sh", "-c", script], cwd=tmp_path, env={}, is_enough=lambda text: "2.1.0" in text
    )

    assert answer == Answer(text="2.1.0\n", exit_code=None)
