import signal
from pathlib import Path

import anyio
import pytest

from kimi_mcp.processes import command
from kimi_mcp.processes.command import CommandResult, run_command
from living import ENV, is_alive, pid_in
from patience import PATIENCE_S


async def run(
    text: str,
    cwd: Path,
    *,
    timeout_s: float = 10.0,
    grace_s: float = 5.0,
    free_bytes: int = 0,
) -> CommandResult:
    with anyio.fail_after(PATIENCE_S):
        return await run_command(
            text,
            cwd=cwd,
            env=ENV,
            timeout_s=timeout_s,
            grace_s=grace_s,
            confinement=None,
            free_bytes=free_bytes,
            output=cwd / "output.txt",
        )


def kept(folder: Path) -> bytes:
    return (folder / "output.txt").read_bytes()


async def test_both_streams_are_kept_in_order(tmp_path: Path):
    result = await run("echo a; echo b >&2; echo c", tmp_path)

    assert result.is_passed
    assert (result.exit_code, result.signal, result.tail) == (0, None, "a\nb\nc\n")
    assert kept(tmp_path) == b"a\nb\nc\n"


@pytest.mark.parametrize(
    ("text", "code", "number"),
    [("exit 3", 3, None), ("kill -9 $$", None, signal.SIGKILL), ("./absent", 127, None)],
)
async def test_a_failure_is_told_as_it_was(
    tmp_path: Path, text: str, code: int | None, number: int | None
):
    result = await run(text, tmp_path)

    assert (result.exit_code, result.signal, result.is_passed) == (code, number, False)


async def test_what_leaves_too_little_room_on_the_disk_is_ended_and_told_so(tmp_path: Path):
    result = await run("sleep 300", tmp_path, free_bytes=10**18)

    assert not result.is_passed
    assert "limits.free_bytes" in result.tail


async def test_a_missing_folder_is_a_result_and_no_exception(tmp_path: Path):
    result = await run_command(
        "true",
        cwd=tmp_path / "absent",
        env=ENV,
        timeout_s=5,
        grace_s=1,
        confinement=None,
        output=tmp_path / "output.txt",
    )

    assert (result.exit_code, result.is_passed) == (None, False)
    assert "No such file or directory" in str(result.obstacle)
    assert "absent" in result.tail


async def test_a_command_out_of_time_is_ended_with_all_it_started(tmp_path: Path):
    text = "trap 'echo last words' TERM; setsid sleep 3001 & echo $! > left; wait; sleep 3002"
    result = await run(text, tmp_path, timeout_s=0.3, grace_s=0.3)

    assert (result.exit_code, result.signal, result.is_timed_out) == (None, None, True)
    assert not result.is_passed
    assert result.duration_s >= 0.3
    assert result.tail == "last words\n"
    assert not is_alive(await pid_in(tmp_path / "left"))


async def test_a_success_that_comes_after_the_time_limit_is_none(tmp_path: Path):
    result = await run("trap 'exit 0' TERM; sleep 3003 & wait", tmp_path, timeout_s=0.2)

    assert (result.is_timed_out, result.is_passed) == (True, False)


async def test_a_left_over_process_holds_nothing_up(tmp_path: Path):
    result = await run("sleep 3004 & echo $! > left; echo done", tmp_path)

    assert (result.exit_code, result.tail) == (0, "done\n")
    assert not is_alive(await pid_in(tmp_path / "left"))


async def test_of_much_output_the_tail_stays_in_memory_and_the_head_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(command, "KEPT_BYTES", 100_000)
    result = await run("seq 1 200000; printf 'ü end'", tmp_path)

    assert result.exit_code == 0
    assert len(result.tail) <= command.TAIL_BYTES
    assert result.tail.endswith("\n200000\nü end")
    assert 100_000 <= len(kept(tmp_path)) < 200_000
    assert kept(tmp_path).startswith(b"1\n2\n3\n")


async def test_output_that_is_no_text_does_no_harm(tmp_path: Path):
    result = await run(r"printf '\377\000'", tmp_path)

    assert result.tail == "\ufffd\0"


async def test_cancelling_ends_the_command(tmp_path: Path):
    async with anyio.create_task_group() as group:
        group.start_soon(run, "echo $$ > it; exec sleep 3005", tmp_path)
        await pid_in(tmp_path / "it")
        group.cancel_scope.cancel()

    assert not is_alive(await pid_in(tmp_path / "it"))
