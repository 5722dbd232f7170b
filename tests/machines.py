"""Machines on loopback, of the real Ray: a head and two nodes, each with a state of its own.

Their Kimi does at once what its prompt lists; where a test wants it, it is the real Kimi Code.
"""

import os
import secrets
import shlex
import signal
import socket
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import psutil

from kimi_mcp.cluster.starting import AGENT_PORTS, environment, head_command, join_command
from kimi_mcp.kimi.detect import detect_kimi
from kimi_mcp.state import StateFolder
from living import until

SLOTS = 2
FAKE = Path(__file__).parent / "campaign/fake_kimi.py"


@dataclass(slots=True)
class Machines:
    """The head and its nodes."""

    folder: Path
    kimi: Path
    address: str = ""
    nodes: dict[str, subprocess.Popen[bytes]] = field(
        default_factory=dict[str, subprocess.Popen[bytes]]
    )

    @property
    def token(self) -> Path:
        return self.folder / "token"

    def begin(self) -> None:
        self.token.write_text(secrets.token_hex(16), encoding="ascii")
        (port,) = free_ports(1)
        self.address = f"127.0.0.1:{port}"
        agents = free_ports(len(AGENT_PORTS))
        command = head_command(
            name="head", host="127.0.0.1", port=port, agents=agents, temporary=self.folder / "ray"
        )
        self._start("head", command)

    def join(self, name: str) -> None:
        agents = free_ports(len(AGENT_PORTS))
        self._start(
            name, join_command(self.address, name=name, slots=SLOTS, labels={}, agents=agents)
        )

    def state(self, name: str) -> Path:
        return self.folder / name / "state"

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

    def kill(self, name: str) -> None:
        """Kill a machine's processes, all at once."""
        process = self.nodes.pop(name)
        for one in [process.pid, *(child.pid for child in children(process.pid))]:
            os.kill(one, signal.SIGKILL)
        process.wait()

    def end(self) -> None:
        for name in [*self.nodes]:
            self.kill(name)

    def _start(self, name: str, command: Sequence[str]) -> None:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        host: Mapping[str, str] = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONUNBUFFERED": "1",  # or its log says nothing for long
            "KIMI_MCP_HOME": str(folder / "state"),
            "KIMI_MCP_KIMI": str(self.kimi),
            "KIMI_CODE_HOME": str(folder / "kimi-home"),
        }
        with (folder / "log").open("wb") as log:
            self.nodes[name] = subprocess.Popen(
                command,
                env=environment(host, name=name, token_file=self.token),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        # one that comes while another one does may give up after a minute (seen with 2.60)
        anyio.run(until, lambda: "--block" in (folder / "log").read_text(encoding="utf-8"))


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
