"""Machines of the real Ray on this one: a head and nodes, each with a state of its own.

They are on loopback, or each in a network of its own. Their Kimi does at once what its prompt
lists; where a test wants it, it is the real Kimi Code.
"""

import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import psutil

from kimi_mcp import __version__
from kimi_mcp.cluster.keeper import WORKER
from kimi_mcp.cluster.starting import AGENT_PORTS, environment, head_command, join_command
from kimi_mcp.kimi.detect import detect_kimi
from kimi_mcp.state import StateFolder
from tests.living import until
from tests.networks import HOME, Networks

SLOTS = 2
RAYLET = "/raylet/raylet"
NOTHING: Mapping[str, str] = {}
FAKE = Path(__file__).parent / "campaign/fake_kimi.py"


@dataclass(slots=True)
class Machines:
    """The head and its nodes."""

    folder: Path
    kimi: Path
    networks: Networks | None = None
    settings: Mapping[str, str] = field(default_factory=dict[str, str])  # Ray's variables
    address: str = ""
    nodes: dict[str, subprocess.Popen[bytes]] = field(
        default_factory=dict[str, subprocess.Popen[bytes]]
    )
    hosts: dict[str, str] = field(default_factory=dict[str, str])
    python: str = sys.executable  # a test may have another one
    names: list[str] = field(default_factory=list[str])  # of the nodes that there are to be

    @property
    def token(self) -> Path:
        return self.folder / "token"

    def begin(self) -> None:
        """Start the head; again, it is the same address."""
        host = HOME if self.networks else "127.0.0.1"
        if not self.address:
            self.token.write_text(secrets.token_hex(16), encoding="ascii")
            (port,) = free_ports(1)
            self.address = f"{host}:{port}"
        command = head_command(
            name="head",
            host=host,
            port=int(self.address.rpartition(":")[2]),
            agents=free_ports(len(AGENT_PORTS)),
            temporary=self.folder / "ray",
        )
        self._start("head", command)

    def join(self, name: str, *, version: str = __version__, joined: str | None = None) -> None:
        """Start a node, labelled with its name.

        Its kimi-mcp is of *version* now; when it joined, it was of version *joined*.
        """
        if name not in self.names:
            self.names.append(name)
        if self.networks and name not in self.hosts:
            self.hosts[name] = self.networks.add(name)
        command = join_command(
            self.address,
            name=name,
            host=self.hosts.get(name),
            slots=SLOTS,
            labels={"name": name},
            agents=free_ports(len(AGENT_PORTS)),
        )
        within = self.networks.within(name) if self.networks else []
        ours, its = (f"kimi-mcp={one}" for one in (__version__, joined or version))
        named = [part.replace(ours, its) for part in command]
        self._start(name, [*within, *named], self._told_version(version))

    def state(self, name: str) -> Path:
        return self.folder / name / "state"

    def _told_version(self, version: str) -> dict[str, str]:
        """Have a machine's processes find another version of ours installed."""
        if version == __version__:
            return {}
        told = self.folder / f"library/kimi_mcp-{version}.dist-info"
        told.mkdir(parents=True, exist_ok=True)
        (told / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: kimi-mcp\nVersion: {version}\n", encoding="utf-8"
        )
        return {"PYTHONPATH": str(told.parent)}

    @contextmanager
    def real(self, kimi_main: Path) -> Generator[None]:
        """Have the real Kimi Code carry out what is begun in the block."""
        state = StateFolder(self.folder / "detecting")
        argv = detect_kimi(state, environ={**os.environ, "KIMI_MCP_KIMI": str(kimi_main)}).argv
        program = self.folder / "real"
        program.write_text(f'#!/bin/sh\nexec {shlex.join(argv)} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        try:
            yield
        finally:
            program.unlink()

    def kill(self, name: str, *, is_ray_only: bool = False) -> None:
        """Kill a machine's processes, all at once; perhaps it has ended by itself.

        With *is_ray_only* what carries attempts out is left to end by itself.
        """
        process = self.nodes.pop(name)
        family = children(process.pid)
        if is_ray_only:
            work = [
                other for one in family if is_worker(one) for other in (one, *children(one.pid))
            ]
            family = [one for one in family if one not in work]
        for one in [process.pid, *(child.pid for child in family)]:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        process.wait()

    def is_up(self, name: str) -> bool:
        """Whether Ray is at work there; its starter notices the end a little later."""
        return self.raylet(name) is not None

    def raylet(self, name: str) -> psutil.Process | None:
        """Find Ray's own process on a machine."""
        family = children(self.nodes[name].pid)
        return next((one for one in family if is_titled(one, RAYLET)), None)

    def _left(self, name: str) -> Iterator[psutil.Process]:
        """Find what has a machine's environment; Ray's agents may outlive all else of it."""
        for one in psutil.process_iter():
            with suppress(psutil.Error):
                if one.environ().get("KIMI_MCP_HOME") == str(self.state(name)):
                    yield one

    def forget(self, name: str) -> None:
        """Take a machine away for good."""
        self.kill(name)
        self.names.remove(name)

    def keepers(self) -> list[psutil.Process]:
        """Find the actors of attempts; the others are named by Ray after what they are."""
        family = [one for process in self.nodes.values() for one in children(process.pid)]
        return [one for one in family if is_titled(one, "ray::Keeper")]

    def end(self) -> None:
        for name in [*self.nodes]:
            self.kill(name)

    def _start(
        self, name: str, command: Sequence[str], variables: Mapping[str, str] = NOTHING
    ) -> None:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        host: Mapping[str, str] = {
            **self.settings,
            **variables,
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONUNBUFFERED": "1",  # or its log says nothing for long
            "KIMI_MCP_HOME": str(folder / "state"),
            "KIMI_MCP_KIMI": str(self.kimi),
            "KIMI_CODE_HOME": str(folder / "kimi-home"),
        }
        with (folder / "log").open("wb") as log:
            self.nodes[name] = subprocess.Popen(
                [self.python if part == sys.executable else part for part in command],
                env=environment(host, name=name, token_file=self.token),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        # one that comes while another one does may give up after a minute (seen with 2.60)
        anyio.run(until, lambda: "--block" in (folder / "log").read_text(encoding="utf-8"))


def is_worker(process: psutil.Process) -> bool:
    """Whether it carries an attempt out."""
    with suppress(psutil.Error):
        return WORKER in process.cmdline()
    return False


def work_among(family: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Of the processes of machines, find those that carry attempts out, and what they started."""
    workers = [one for one in family if is_worker(one)]
    return [*workers, *(other for one in workers for other in children(one.pid))]


def is_titled(process: psutil.Process, title: str) -> bool:
    """Whether a process that still runs calls itself so."""
    with suppress(psutil.Error):
        return any(title in word for word in process.cmdline()[:1])
    return False


def children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports
