"""The machines of a cluster as people are told of them: what each is, and what does not fit."""

import os
import socket
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from kimi_mcp import __version__
from kimi_mcp.cluster.asked import Asked
from kimi_mcp.cluster.calls import Cluster, Gone
from kimi_mcp.errors import Refused

PATIENCE_S = 45.0  # with an address at which nobody answers
_NOWHERE = "192.0.2.1", 9  # an address for documentation: asked for the way there, nothing is sent


def found(asked: Asked) -> list[dict[str, Any]]:
    """Ask the cluster for its nodes.

    Raises:
        Refused: nobody answers there, or not to us.
        Unreachable: the versions of Ray or Python do not fit.
    """
    return _answer(asked, "nodes")


def fetched_logs(asked: Asked, attempt: str, *, node: str, into: Path) -> bool:
    """Fetch what an attempt's programs printed on a node; False if that has kept nothing of it.

    Raises:
        Refused: nobody answers there, or not to us; the node is gone; the file exists.
    """
    if into.exists():
        raise Refused(f"{into} is there already.")
    return _answer(asked, "logs", name=attempt, node=node, into=str(into))


def _answer(asked: Asked, do: str, **values: Any) -> Any:
    check_heard(asked.address)
    came = anyio.run(partial(_asked, asked, do, values))
    if not came:
        raise Refused(
            f"The cluster {asked.address} does not let us in within {PATIENCE_S:.0f} s. "
            "Is cluster.token_file a copy of the head's token, and Ray here the same version?"
        )
    return came[0]


async def _asked(asked: Asked, do: str, values: Mapping[str, Any]) -> list[Any]:
    came: list[Any] = []
    gone: Gone | None = None
    async with anyio.create_task_group() as group:
        with anyio.move_on_after(PATIENCE_S):
            try:
                came.append(await Cluster(asked, host=os.environ, group=group).ask(do, **values))
            except Gone as error:
                gone = error
        group.cancel_scope.cancel()
    if gone is not None:
        raise Refused(str(gone))
    return came


def check_heard(address: str) -> None:
    """Refuse an address at which nobody answers, in a sentence that names it."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=PATIENCE_S):
            pass
    except (OSError, ValueError) as error:
        raise Refused(
            f"Nobody answers at {address} ({error}). Is the head running (`kimi-mcp cluster head`)?"
        ) from error


def own_address() -> str:
    """Return the address of this machine that others reach."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(_NOWHERE)
        except OSError:
            return "127.0.0.1"
        return asking.getsockname()[0]


def lines_of(node: Mapping[str, Any], *, is_open_allowed: bool) -> list[str]:
    """Tell of one node: what is free there, what runs there, and what does not fit."""
    told = [f"{node['name']}  {node['address']}  {place_of(node)}", f"  {versions_of(node)}"]
    told += [f"  at work: {attempt}" for attempt in node["attempts"]]
    told += [
        f"  -> {evidence}. {remedy}"
        for evidence, remedy in unfit(node, is_open_allowed=is_open_allowed)
    ]
    return told


def place_of(node: Mapping[str, Any]) -> str:
    """Say how many tasks a node takes now."""
    free = node["slots"] - len(node["attempts"])
    return f"{free} of {node['slots']} slots free" if node["slots"] else "no slots (the head)"


def versions_of(node: Mapping[str, Any]) -> str:
    """Say what runs on a node."""
    return (
        f"kimi-mcp {node['kimi_mcp']}, Ray {node['ray']}, Python {node['python']}, "
        f"Kimi: {node['kimi'] or 'none'}"
    )


def unfit(node: Mapping[str, Any], *, is_open_allowed: bool) -> list[tuple[str, str]]:
    """Say what keeps tasks from a node: each with what would help."""
    said: list[tuple[str, str]] = []
    if node["kimi_mcp"] != __version__:
        there = f"It runs kimi-mcp {node['kimi_mcp']}, this machine {__version__}"
        said.append((f"{there}: no task is sent there", "Install the same on both."))
    if node["slots"] and node["trouble"]:
        said.append((node["trouble"].rstrip("."), "`kimi-mcp doctor` there says more."))
    if not node["is_guarded"] and not is_open_allowed:
        evidence = "It asks nobody for a token: whoever reaches it can run anything there"
        said.append((evidence, "Start it with one, or set cluster.open = true."))
    return said
