"""How a machine becomes the head of a cluster, or joins one: the call of Ray's program. Pure.

A head hands out no work of its own, so it declares no slot; every node declares how many Kimis it
takes at once. Ray's agents are given their ports: told none, they write them into files, for which
Ray waits too briefly on a busy machine (seen: 60 s).
"""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from kimi_mcp import __version__
from kimi_mcp.cluster.asked import MATCHING, MODE, NODE, TOKEN_FILE

SLOT = "kimi"
VERSION = "kimi-mcp"
_NO_LABEL = re.compile(r"[^A-Za-z0-9._-]")  # what a label's value must not hold (Ray 2.60)
AGENT_PORTS = (
    "--dashboard-agent-grpc-port",
    "--dashboard-agent-listen-port",
    "--metrics-export-port",
    "--runtime-env-agent-port",
)
#: Ray would give all work the niceness 15 (2.60). Whatever else that machine does would slow a task
#: down, and the start of the next one: on two busy cores by a third of a second.
AS_AT_HOME = {"RAY_worker_niceness": "0"}
#: Objects are packs of commits, each read once; Ray would take a third of the memory for them.
STORE_BYTES = 200_000_000


def head_command(
    *, name: str, host: str, port: int, agents: Sequence[int], temporary: Path
) -> list[str]:
    """Return the command that starts a head at *host* and *port*, until it is ended."""
    return [
        *_started(name, agents, slots=0),
        "--head",
        f"--node-ip-address={host}",
        f"--port={port}",
        f"--temp-dir={temporary}",
        "--include-dashboard=false",
    ]


def join_command(
    address: str,
    *,
    name: str,
    host: str | None,
    slots: int,
    labels: Mapping[str, str],
    agents: Sequence[int],
) -> list[str]:
    """Return the command that makes this machine a node of the cluster at *address*.

    It is reached at *host*; without one, at the address by which it reaches the others.
    """
    named = ",".join(f"{k}={v}" for k, v in {**labels, **label_of(__version__)}.items())
    reached = [f"--node-ip-address={host}"] if host else []
    labelled = f"--labels={named}"
    return [*_started(name, agents, slots=slots), f"--address={address}", *reached, labelled]


def label_of(version: str) -> dict[str, str]:
    """Return the label of a node with a version of ours, by which tasks find those like theirs."""
    return {VERSION: _NO_LABEL.sub("_", version)}


def environment(host: Mapping[str, str], *, name: str, token_file: Path | None) -> dict[str, str]:
    """Return the environment for either of them: that of *host*, with the token's file.

    *name* is what the history and the summaries call the machine.
    """
    token = {} if token_file is None else {MODE: "token", TOKEN_FILE: str(token_file)}
    patience = {"RAY_agent_register_timeout_ms": "300000"}
    return {**AS_AT_HOME, **host, **MATCHING, **token, **patience, NODE: name}


def _started(name: str, agents: Sequence[int], *, slots: int) -> list[str]:
    ports = [f"{option}={port}" for option, port in zip(AGENT_PORTS, agents, strict=True)]
    return [
        sys.executable,
        "-P",
        "-c",
        "from ray.scripts.scripts import main; main()",
        "start",
        "--block",
        f"--node-name={name}",
        "--num-cpus=0",
        f"--resources={json.dumps({SLOT: slots})}",
        f"--object-store-memory={STORE_BYTES}",
        "--disable-usage-stats",
        "--include-log-monitor=false",
        *ports,
    ]
