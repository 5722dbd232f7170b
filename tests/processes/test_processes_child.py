import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import anyio
import psutil
import pytest
from anyio.abc import ByteReceiveStream

from kimi_mcp.processes import launching
from kimi_mcp.processes.child import Child, Exit, NotStarted, start
from living import ENV, IMPORTABLE, PYTHON, is_alive, pid_in, until, until_gone
from patience import PATIENCE_S

STUBBORN = "trap '' TERM; echo $$ > stubborn; echo ready; exec sleep 1001"
DAEMON = "env -i setsid sh -c '(sleep 1002 & echo $! > daemon; wait) &'"


def shell(
    text: str, cwd: Path, *, grace_s: float = 10.0, is_stderr_merged: bool = False
) -> AbstractAsyncContextManager[Child]:
    return start(
        ["sh", "-c", text],
        cwd=cwd,
        env=ENV,
        grace_s=grace_s,
        confinement=None,
        is_stderr_merged=is_stderr_merged,
    )


async def until_ready(child: Child) -> None:
    with anyio.fail_after(PATIENCE_S):
        assert await child.stdout.receive() == b"ready\n"


async def everything(stream: ByteReceiveStream) -> bytes:
    said = b""
    with anyio.fail_after(PATIENCE_S):
        async for chunk in stream:
            said += chunk
    return said


async def end_of(child: Child) -> Exit:
    with anyio.fail_after(PATIENCE_S):
        return await child.wait()


async def said_by(argv: Sequence[str], cwd: Path) -> bytes:
    async with start(argv, cwd=cwd, env=ENV, grace_s=1, confinement=None) as child:
        return await everything(child.stdout)


@pytest.mark.parametrize(
    ("text", "code", "number"),
    [("exit 0", 0, None), ("exit 7", 7, None), ("kill -SEGV $$", None, signal.SIGSEGV)],
)
async def test_the_end_is_told_as_it_was(
    tmp_path: Path, text: str, code: int | None, number: int | None
):
    async with shell(text, tmp_path) as child:
        ended = await end_of(child)

    assert ended == Exit(code=code, signal=number, swept=0)
    assert await child.wait() == ended


async def test_a_stopped_program_gets_one_term_and_may_end_by_itself(tmp_path: Path):
    text = "trap 'echo term; exit 3' TERM; echo ready; while :; do sleep 0.01; done"
    async with shell(text, tmp_path) as child:
        await until_ready(child)
        await child.stop()
        ended = await end_of(child)
        said = await everything(child.stdout)

    assert ended.code == 3
    assert said == b"term\n"


async def test_a_second_stop_sends_no_second_term(tmp_path: Path):
    text = "trap 'echo term' TERM; echo ready; while :; do sleep 0.01; done"
    async with shell(text, tmp_path, grace_s=0.5) as child:
        await until_ready(child)
        async with anyio.create_task_group() as group:
            group.start_soon(child.stop)
            assert await child.stdout.receive() == b"term\n"
            group.start_soon(child.stop)
        assert await everything(child.stdout) == b""

    assert (await child.wait()).signal == signal.SIGKILL


async def test_a_program_that_ignores_term_is_killed_after_the_grace(tmp_path: Path):
    async with shell(STUBBORN, tmp_path, grace_s=0.2) as child:
        await until_ready(child)
        began = anyio.current_time()
        await child.stop()

    assert await child.wait() == Exit(code=None, signal=9, swept=0)
    assert 0.2 <= anyio.current_time() - began < 5


async def test_a_frozen_program_is_killed_after_the_grace(tmp_path: Path):
    async with shell("echo $$ > it; kill -STOP $$", tmp_path, grace_s=0.2) as child:
        it = psutil.Process(await pid_in(tmp_path / "it"))
        await until(lambda: it.status() == psutil.STATUS_STOPPED)
        await child.stop()

    assert (await child.wait()).signal == signal.SIGKILL


@pytest.mark.parametrize(
    "text",
    [
        "sleep 1003 & echo $! > left",
        "setsid sleep 1003 & echo $! > left",
        "nohup setsid sh -c 'trap \"\" TERM; echo $$ > left; exec sleep 1003' &",
        "env -i setsid sh -c '(sleep 1003 & echo $! > left; wait) &'",
    ],
    ids=["background", "own group", "ignores TERM", "daemon with empty environment"],
)
@pytest.mark.parametrize("is_stopped", [True, False])
async def test_nothing_that_it_started_outlives_it(tmp_path: Path, text: str, *, is_stopped: bool):
    wait_for_it = "\nuntil [ -s left ]; do sleep 0.01; done\n"
    close = "exec sleep 1004" if is_stopped else "exit 0"
    async with shell(text + wait_for_it + close, tmp_path) as child:
        left = await pid_in(tmp_path / "left")
        if is_stopped:
            await child.stop()
        ended = await end_of(child)

    assert not is_alive(left)
    assert ended.swept >= 1


async def test_a_dead_daemon_is_collected_while_the_program_runs(tmp_path: Path):
    text = """
    sh -c 'sleep 0.2 & echo $! > daemon'
    while kill -0 $(cat daemon); do sleep 0.02; done
    """
    async with shell(text, tmp_path, is_stderr_merged=True) as child:
        ended = await end_of(child)

    assert (ended.code, ended.swept) == (0, 0)


async def test_a_program_may_close_its_output_and_go_on(tmp_path: Path):
    text = "exec >&- 2>&-; until [ -e go ]; do sleep 0.01; done; exit 5"
    async with shell(text, tmp_path) as child:
        assert await everything(child.stdout) == b""
        (tmp_path / "go").touch()
        ended = await end_of(child)

    assert ended.code == 5


async def test_output_ends_though_a_grandchild_holds_it_open(tmp_path: Path):
    async with shell("sleep 1005 & echo all", tmp_path) as child:
        assert await everything(child.stdout) == b"all\n"


async def test_words_said_after_term_are_not_held_up_by_a_full_pipe(tmp_path: Path):
    text = """
    trap 'head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; exit 3' TERM
    echo ready
    while :; do sleep 0.01; done
    """
    async with shell(text, tmp_path, grace_s=20) as child:
        await until_ready(child)
        began = anyio.current_time()

    assert (await child.wait()).code == 3
    assert anyio.current_time() - began < 10


async def test_cancelling_the_caller_ends_everything(tmp_path: Path):
    async def run() -> None:
        async with shell(f"{DAEMON}\n{STUBBORN}", tmp_path, grace_s=0.2) as child:
            await child.wait()

    pids: list[int] = []
    async with anyio.create_task_group() as group:
        group.start_soon(run)
        pids += [await pid_in(tmp_path / name) for name in ("daemon", "stubborn")]
        assert all(is_alive(pid) for pid in pids)
        group.cancel_scope.cancel()

    assert len(pids) == 2
    assert not any(is_alive(pid) for pid in pids)


async def test_an_error_of_the_caller_ends_everything(tmp_path: Path):
    async def fail() -> None:
        async with shell("echo $$ > it; exec sleep 1006", tmp_path):
            await pid_in(tmp_path / "it")
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert not is_alive(await pid_in(tmp_path / "it"))


async def test_a_cancelled_wait_can_be_repeated(tmp_path: Path):
    async with shell("until [ -e go ]; do sleep 0.01; done; exit 4", tmp_path) as child:
        with anyio.move_on_after(0.05):
            await child.wait()
        (tmp_path / "go").touch()
        assert (await end_of(child)).code == 4


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["./absent"], "absent"),
        (["./no-program"], "ermission"),
        (["echo", "a\0b"], "null byte"),
    ],
)
async def test_what_cannot_be_started_is_said(tmp_path: Path, argv: list[str], why: str):
    (tmp_path / "no-program").write_text("text", encoding="utf-8")
    with pytest.raises(NotStarted, match=why):
        async with start(argv, cwd=tmp_path, env=ENV, grace_s=1, confinement=None):
            pass


async def test_a_missing_folder_is_said(tmp_path: Path):
    with pytest.raises(NotStarted, match="absent"):
        async with shell("true", tmp_path / "absent"):
            pass


async def test_a_failed_start_leaves_no_descriptor_open(tmp_path: Path):
    async def fail() -> None:
        with pytest.raises(NotStarted):
            async with start(["./absent"], cwd=tmp_path, env=ENV, grace_s=1, confinement=None):
                pass

    await fail()  # the event loop opens its own at the first process
    before = os.listdir("/proc/self/fd")  # noqa: PTH208  strings compare
    await fail()

    assert os.listdir("/proc/self/fd") == before  # noqa: PTH208


@pytest.mark.usefixtures("no_fork_server")
async def test_a_missing_interpreter_is_said_and_leaves_no_descriptor_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    monkeypatch.setattr("sys.executable", str(tmp_path / "gone"))
    with pytest.raises(NotStarted, match="gone"):
        async with shell("true", tmp_path):
            pass

    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


@pytest.mark.usefixtures("no_fork_server")
async def test_a_dead_launcher_is_said_before_anything_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sys.executable", "/bin/false")
    job = "x" * 5_000_000  # more than the pipe holds
    with pytest.raises(NotStarted, match="launcher"):
        async with start(["true", job], cwd=tmp_path, env=ENV, grace_s=1, confinement=None):
            pass


async def test_the_environment_is_exactly_the_given_one(tmp_path: Path):
    async with start(
        ["/usr/bin/env"], cwd=tmp_path, env={"ONLY": "ü"}, grace_s=1, confinement=None
    ) as child:
        assert await everything(child.stdout) == "ONLY=ü\n".encode()


async def test_it_has_an_empty_input_and_a_session_of_its_own(tmp_path: Path):
    code = "import os, sys; print(sys.stdin.read() == '', os.getsid(0) == os.getpid())"
    assert await said_by([PYTHON, "-c", code], tmp_path) == b"True True\n"


async def test_no_descriptor_is_inherited(tmp_path: Path):
    ours = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(ours, True)
    code = """
import os
def is_open(fd):
    try: os.fstat(fd)
    except OSError: return False
    return True
print([fd for fd in range(1000) if is_open(fd)])
"""
    try:
        assert await said_by([PYTHON, "-c", code], tmp_path) == b"[0, 1, 2]\n"
    finally:
        os.close(ours)


async def test_both_streams_can_be_one(tmp_path: Path):
    async with shell("echo a; echo b >&2; echo c", tmp_path, is_stderr_merged=True) as child:
        assert await everything(child.stdout) == b"a\nb\nc\n"
        assert await everything(child.stderr) == b""


async def test_a_term_to_the_launcher_stops_the_program(tmp_path: Path):
    async with shell("echo $PPID > launcher; exec sleep 1007", tmp_path) as child:
        os.kill(await pid_in(tmp_path / "launcher"), signal.SIGTERM)
        ended = await end_of(child)

    assert ended.signal == signal.SIGTERM


async def test_a_killed_launcher_takes_the_program_with_it(tmp_path: Path):
    async with shell("echo $$ > it; kill -9 $PPID; exec sleep 1008", tmp_path) as child:
        it = await pid_in(tmp_path / "it")
        ended = await end_of(child)

    assert (ended.code, ended.signal) == (None, None)
    await until_gone(it)


async def test_a_frozen_launcher_cannot_hold_up_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(launching, "STOP_ALLOWANCE_S", 0.2)
    text = "echo $$ > it; until [ -e go ]; do sleep 0.01; done; kill -STOP $PPID; echo ready"
    with anyio.fail_after(PATIENCE_S):
        async with shell(text + "; exec sleep 1009", tmp_path, grace_s=0.1) as child:
            (tmp_path / "go").touch()
            await until_ready(child)

    assert (await child.wait()).code is None
    await until_gone(await pid_in(tmp_path / "it"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_program_that_ends_or_freezes_the_fork_server_hurts_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
):
    monkeypatch.setattr(launching, "START_BOUND_S", 1.0)
    async with shell("echo $$ > first; exec sleep 1010", tmp_path) as first:
        pid = await pid_in(tmp_path / "first")
        server = launching.FORK_SERVER.pid
        assert server is not None
        os.kill(server, number)

        async with shell("echo more", tmp_path) as second:
            assert await everything(second.stdout) == b"more\n"

        assert is_alive(pid)
        await until_gone(server)
        await first.stop()
        assert (await first.wait()).signal == signal.SIGTERM


async def test_jobs_at_once_survive_a_fork_server_that_dies_again_and_again(tmp_path: Path):
    async def one(number: int) -> None:
        async with shell(f"echo {number}", tmp_path) as child:
            said[number] = await everything(child.stdout)
        if server := launching.FORK_SERVER.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(server, signal.SIGKILL)

    said: dict[int, bytes] = {}
    for begin in range(0, 12, 3):
        async with anyio.create_task_group() as group:
            for number in range(begin, begin + 3):
                group.start_soon(one, number)

    assert said == {number: f"{number}\n".encode() for number in range(12)}


def test_the_fork_server_ends_with_the_process_that_it_serves(tmp_path: Path):
    program = """
import anyio, sys
from kimi_mcp.processes.launching import FORK_SERVER
FORK_SERVER.warm()
print(FORK_SERVER.pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [PYTHON, "-c", program],
        cwd=tmp_path,
        env=IMPORTABLE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as user:
        assert user.stdout is not None
        server = int(user.stdout.readline())
        assert is_alive(server)
        user.kill()
        anyio.run(until_gone, server)
