"""`cluster`: who the other machines are, starting a head, and making this machine one of them."""

import argparse
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio

from kimi_mcp import __version__, private
from kimi_mcp.cli import doctor_kimi, doctor_machine, printing
from kimi_mcp.cli.finding import State, looked
from kimi_mcp.cli.telling import tell
from kimi_mcp.cluster.asked import Asked
from kimi_mcp.cluster.calls import Cluster, is_installed
from kimi_mcp.cluster.starting import AGENT_PORTS, environment, head_command, join_command
from kimi_mcp.dispatch.elsewhere.asking import INSTALL, cluster_of
from kimi_mcp.errors import Refused
from kimi_mcp.settings import Settings
from kimi_mcp.state import StateFolder

PATIENCE_S = 45.0  # with an address at which nobody answers
_NOWHERE = "192.0.2.1", 9  # an address for documentation: asked for the way there, nothing is sent


def cluster(arguments: argparse.Namespace) -> int:
    """Show the cluster, start one, or join one."""
    if not is_installed():
        raise Refused(f"Other machines need the extra `ray`: {INSTALL}.")
    match arguments.do:
        case "head":
            return _head(arguments)
        case "join":
            return _join(arguments)
        case _:
            return _show(arguments)


def _show(arguments: argparse.Namespace) -> int:
    asked = cluster_of(Settings.load(os.environ), os.environ)
    _check_heard(asked.address)
    nodes: list[dict[str, Any]] = anyio.run(_nodes, asked)
    if arguments.json:
        printing.say_json(printing.opened(), nodes)
    else:
        tell("\n".join(line for node in nodes for line in lines_of(node)))
    return 0


def lines_of(node: Mapping[str, Any]) -> list[str]:
    """Tell of one node: what is free there, what runs there, and what does not fit."""
    free = node["slots"] - len(node["attempts"])
    place = f"{free} of {node['slots']} slots free" if node["slots"] else "no slots (the head)"
    told = [f"{node['name']}  {node['address']}  {place}"]
    told.append(
        f"  kimi-mcp {node['kimi_mcp']}, Ray {node['ray']}, Python {node['python']}, "
        f"Kimi: {node['kimi']}"
    )
    told += [f"  at work: {attempt}" for attempt in node["attempts"]]
    if node["kimi_mcp"] != __version__:
        told.append(f"  -> here is kimi-mcp {__version__}: no task is sent there. Have the same.")
    if not node["is_guarded"]:
        told.append("  -> it asks nobody for a token: whoever reaches it can run anything there.")
    return told


async def _nodes(asked: Asked) -> list[dict[str, Any]]:
    found = None
    async with anyio.create_task_group() as group:
        with anyio.move_on_after(PATIENCE_S):
            found = await Cluster(asked, host=os.environ, group=group).ask("nodes")
        group.cancel_scope.cancel()
    if found is None:
        raise Refused(
            f"The cluster {asked.address} does not let us in within {PATIENCE_S:.0f} s: "
            "is cluster.token_file the head's token, and Ray here the same version?"
        )
    return found


def _head(arguments: argparse.Namespace) -> int:
    token = token_file(StateFolder.locate())
    host = arguments.host or _own_address()
    name = arguments.name or socket.gethostname()
    command = head_command(
        name=name,
        host=host,
        port=arguments.port,
        agents=_free_ports(),
        temporary=Path(tempfile.mkdtemp(prefix="kimi-ray-")),
    )
    tell(
        f"A head at {host}:{arguments.port}, until Ctrl-C. In kimi-mcp.toml of who dispatches:\n\n"
        f'  [cluster]\n  address = "{host}:{arguments.port}"\n'
        f'  token_file = "{token}"\n  policy = "overflow"\n\n'
        f"On each other machine, with a copy of that file:\n\n"
        f"  kimi-mcp cluster join {host}:{arguments.port} --token-file FILE --slots 4\n"
    )
    return _become(command, environment(os.environ, name=name, token_file=token))


def token_file(state: StateFolder) -> Path:
    """Return the file with the head's token, which only its owner reads; made if it is missing."""
    file = state.root / "cluster/token"
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not file.exists():
        with open(file, "x", opener=private.opener, encoding="ascii") as made:
            made.write(secrets.token_hex(32))
    return file


def _join(arguments: argparse.Namespace) -> int:
    if arguments.address is None:
        raise Refused("Which cluster? `kimi-mcp cluster join HOST:PORT`; the head tells it.")
    chosen = arguments.token_file or Settings.load(os.environ).cluster.token_file
    if chosen is None or not Path(chosen).expanduser().is_file():
        raise Refused("--token-file FILE: a copy of the head's token file is needed here.")
    if not _is_fit(os.environ):
        return 1
    _check_heard(arguments.address)
    name = arguments.name or socket.gethostname()
    command = join_command(
        arguments.address,
        name=name,
        slots=arguments.slots,
        labels=dict(arguments.label),
        agents=_free_ports(),
    )
    token = Path(chosen).expanduser().absolute()
    tell(f"{name} joins {arguments.address} with {arguments.slots} slots, until Ctrl-C.")
    return _become(command, environment(os.environ, name=name, token_file=token))


def _is_fit(environ: Mapping[str, str]) -> bool:
    """Tell of what a node needs, and whether all of it is here."""
    links = {
        "git": doctor_machine.git,
        "disk": lambda: doctor_machine.disk(environ),
        "fence": lambda: doctor_machine.fence(environ),
        "Kimi": lambda: doctor_kimi.kimi(environ),
    }
    found = [one for name, look in links.items() for one in looked(name, look)]
    tell("\n".join(one.text(80) for one in found))
    return all(one.state is not State.BAD for one in found)


def _check_heard(address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=PATIENCE_S):
            pass
    except (OSError, ValueError) as error:
        raise Refused(
            f"Nobody answers at {address} ({error}). Is the head running (`kimi-mcp cluster head`)?"
        ) from error


def _own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(_NOWHERE)
        except OSError:
            return "127.0.0.1"
        return asking.getsockname()[0]


def _free_ports() -> list[int]:
    held = [socket.create_server(("", 0)) for _ in AGENT_PORTS]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def _become(command: list[str], env: Mapping[str, str]) -> int:
    sys.stdout.flush()
    os.execve(command[0], command, dict(env))  # noqa: S606  no shell is wanted
