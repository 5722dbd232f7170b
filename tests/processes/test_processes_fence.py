"""The fence, tried on real programs under the launcher."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from kimi_mcp.processes import namespaces, toolchains
from kimi_mcp.processes.child import NotStarted, start
from kimi_mcp.processes.confinement import Confinement, Standing
from kimi_mcp.processes.trial import try_fence
from patience import PATIENCE_S

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tried with Landlock only")

PATH = os.environ["PATH"]


class Yard:
    """A folder that a fenced program may write, and one beside it that it may not."""

    def __init__(self, root: Path) -> None:
        self.inside, self.outside = root / "inside", root / "outside"
        self.inside.mkdir()
        self.outside.mkdir()
        (self.outside / "file").write_text("mine\n", encoding="utf-8")

    async def run(
        self, text: str, *, cut_network: bool = False, read: tuple[str, ...] = ()
    ) -> tuple[int | None, str]:
        """Run a shell command within the fence; return its exit code and what it printed."""
        confinement = Confinement(
            read=(*toolchains.readable({"PATH": PATH}), *read),
            write=(str(self.inside),),
            hidden=toolchains.hidden({}),
            cut_network=cut_network,
            is_required=True,
        )
        with anyio.fail_after(PATIENCE_S):
            async with start(
                ["sh", "-c", text],
                cwd=self.inside,
                env={"PATH": PATH, "HOME": str(self.inside), "OUT": str(self.outside)},
                grace_s=1,
                confinement=confinement,
                is_stderr_merged=True,
            ) as child:
                said = b"".join([chunk async for chunk in child.stdout])
                ended = await child.wait()
        assert child.fence == Standing(
            is_active=True, is_sealed=True, is_network_cut=cut_network, why=""
        )
        return ended.code, said.decode()


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    made = Yard(tmp_path)
    before = state_of(made.outside)
    yield made
    assert state_of(made.outside) == before


def state_of(folder: Path) -> dict[str, tuple[int, int, int, str]]:
    """Everything about the files of a folder that a program could have changed."""
    return {
        path.name: (info.st_mode, info.st_mtime_ns, info.st_size, path.read_text("utf-8"))
        for path in folder.iterdir()
        if (info := path.lstat())
    }


@pytest.mark.parametrize(
    "attempt",
    [
        "echo x > $OUT/new",
        "echo x >> $OUT/file",
        "rm $OUT/file",
        "mv $OUT/file taken",
        "truncate -s 0 $OUT/file",
        "ln $OUT/file hard && echo x >> hard",
        "ln -s $OUT/file soft && echo x >> soft",
        "touch $OUT/file",
        "chmod 000 $OUT/file",
        "chown 1:1 $OUT/file",
        "cat $OUT/file",
        "ls $OUT",
        "cp /bin/sh evil && cd / && echo x > $OUT/../other",
        "mount --bind $PWD $OUT",
        "unshare -r -m mount -t tmpfs none $OUT",
        "cat /proc/$PPID/environ",
        "cat /proc/$PPID/root$OUT/file",
        "kill -0 $PPID",
        "kill -9 $PPID",
        "echo x > /proc/$PPID/oom_score_adj",
        "echo 0 > /proc/sys/kernel/randomize_va_space",
        "cat /etc/shadow | grep .",
        "mknod disk b 8 0 && head -c 1 disk",
    ],
)
async def test_what_lies_outside_can_be_neither_read_nor_changed(yard: Yard, attempt: str):
    code, said = await yard.run(attempt)

    assert code != 0, said
    assert "mine" not in said


def test_a_socket_that_vanishes_meanwhile_leaves_the_fence_whole(yard: Yard):
    gone = str(yard.outside / "tmux-1")

    assert namespaces.possible(writable=[str(yard.inside)], hidden=[gone], cut_network=False)


async def test_work_inside_goes_on(yard: Yard):
    code, said = await yard.run(
        "mkdir -p a/b && echo 1 > a/b/c && ln a/b/c d && ln -s d e && mv e a/ && mkfifo f && rm f"
        " && chmod 755 d && echo hello > /dev/null && head -c 4 /dev/urandom | wc -c"
        " && python3 -c 'import multiprocessing; multiprocessing.Lock(); print(\"lock\")'"
        " && script -qc 'echo pty' /dev/null"
    )

    assert code == 0, said
    assert said.split() == ["4", "lock", "pty"]


async def test_only_loopback_is_left_when_the_network_is_cut(yard: Yard):
    with socket.create_server(("127.0.0.1", 0)) as ours:
        port = ours.getsockname()[1]
        text = f"""python3 -c '
import socket
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
print([name for _, name in socket.if_nameindex()], flush=True)
socket.create_connection(("127.0.0.1", {port}))
'"""
        cut_code, cut = await yard.run(text, cut_network=True)
        code, _ = await yard.run(text)

    assert cut_code != 0
    assert cut.startswith("['lo']")
    assert "Connection refused" in cut
    assert code == 0


async def test_sockets_of_services_outside_cannot_be_reached(yard: Yard, tmp_path: Path):
    with socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(f"\0{tmp_path}")
        abstract.listen()
        code, said = await yard.run(
            f"""python3 -c 'import socket; s = socket.socket(socket.AF_UNIX)
s.connect("\\0{tmp_path}")'"""
        )

    assert code != 0
    assert "Operation not permitted" in said


async def test_a_set_user_id_program_gains_nothing(yard: Yard):
    code, said = await yard.run("cp /bin/sh s && chmod u+s s; grep NoNewPrivs /proc/self/status")

    assert code == 0
    assert said.split()[-1] == "1"


async def test_a_program_that_does_not_exist_is_told_as_without_a_fence(tmp_path: Path):
    confinement = Confinement(read=("/usr",), write=(str(tmp_path),))
    with pytest.raises(NotStarted, match=r"absent"):
        async with start(["./absent"], cwd=tmp_path, env={}, grace_s=1, confinement=confinement):
            pass


@pytest.mark.usefixtures("no_fork_server")
async def test_without_the_library_a_required_fence_starts_nothing_and_a_wished_one_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # an interpreter that has this package and lacks nono
    venv = tmp_path / "venv"
    await anyio.run_process([sys.executable, "-m", "venv", "--without-pip", str(venv)])
    (site,) = venv.glob("lib/python*/site-packages")
    root = Path(toolchains.__file__).parents[2]
    (site / "one.pth").write_text(f"{root}\n", encoding="utf-8")
    monkeypatch.setattr(sys, "executable", str(venv / "bin/python"))
    ran = tmp_path / "ran"

    def confined(*, is_required: bool) -> Confinement:
        return Confinement(read=("/",), write=(str(tmp_path),), is_required=is_required)

    argv = ["/usr/bin/touch", str(ran)]
    with pytest.raises(NotStarted, match=r"a fence is required.*nono-py is not installed"):
        async with start(
            argv, cwd=tmp_path, env={}, grace_s=1, confinement=confined(is_required=True)
        ):
            pass
    assert not ran.exists()

    async with start(
        argv, cwd=tmp_path, env={}, grace_s=1, confinement=confined(is_required=False)
    ) as child:
        await child.wait()
    assert ran.exists()
    assert child.fence is not None
    assert child.fence.gaps == "No fence: nono-py is not installed."


def test_the_trial_tells_what_the_kernel_really_refuses():
    standing, tried = try_fence(os.environ)

    assert standing.gaps == ""
    assert tried.holds
    assert not tried.can_change_modes_outside
    assert not tried.can_signal_outside
    assert tried.has_loopback
    assert tried.has_only_loopback
