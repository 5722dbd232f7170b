"""`cluster`: who the other machines are, starting a head, and making this machine one of them."""

import argparse
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from kimi_mcp import private
from kimi_mcp.cli import doctor_kimi, doctor_machine, nodes, printing
from kimi_mcp.cli.finding import State, looked
from kimi_mcp.cli.telling import tell
from kimi_mcp.cluster.calls import is_installed
from kimi_mcp.cluster.starting import AGENT_PORTS, environment, head_command, join_command
from kimi_mcp.dispatch.elsewhere.asking import INSTALL, cluster_of
from kimi_mcp.dispatch.elsewhere.away import name_of
from kimi_mcp.errors import Refused
from kimi_mcp.history.ids import dispatch_id
from kimi_mcp.settings import Settings
from kimi_mcp.state import StateFolder


def cluster(arguments: argparse.Namespace) -> int:
    """Show the cluster, start one, or join one."""
    if not is_installed():
        raise Refused(f"Other machines need the extra `ray`: {INSTALL}.")
    match arguments.do:
        case "head":
            return _head(arguments)
        case "join":
            return _join(arguments)
        case "logs":
            return _logs(arguments)
        case _:
            return _show(arguments)


def _show(arguments: argparse.Namespace) -> int:
    asked = cluster_of(Settings.load(os.environ), os.environ)
    found = nodes.found(asked)
    if arguments.json:
        printing.say_json(printing.opened(), found)
    else:
        told = (nodes.lines_of(node, is_open_allowed=asked.is_open_allowed) for node in found)
        tell("\n".join(line for lines in told for line in lines))
    return 0


def _head(arguments: argparse.Namespace) -> int:
    token = token_file(StateFolder.locate())
    host = arguments.host or nodes.own_address()
    name = arguments.name or socket.gethostname()
    command = head_command(
        name=name,
        host=host,
        port=arguments.port,
        agents=_free_ports(),
        temporary=_rays_folder(host, arguments.port),
    )
    tell(
        f"A head at {host}:{arguments.port}, until Ctrl-C. In kimi-mcp.toml of who dispatches:\n\n"
        f'  [cluster]\n  address = "{host}:{arguments.port}"\n'
        f'  token_file = "{token}"\n  policy = "overflow"\n\n'
        f"On each other machine, with a copy of that file:\n\n"
        f"  kimi-mcp cluster join {host}:{arguments.port} --token-file FILE --slots 4\n"
    )
    return _become(command, environment(os.environ, name=name, token_file=token))


def _rays_folder(host: str, port: int) -> Path:
    """Make the folder of a head's sockets and logs; the nodes name theirs alike.

    Short, for sockets; the same one each time, for Ray leaves all that it has written.
    """
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise Refused(
            f"{host}:{port} cannot be listened at ({error.strerror}). "
            "Is a head running already? --port PORT takes another."
        ) from error
    folder = Path(tempfile.gettempdir(), f"kimi-ray-{os.getuid()}-{port}")
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise Refused(f"{folder} cannot be made anew: {error.strerror}.") from error
    return folder


def token_file(state: StateFolder) -> Path:
    """Return the file with the head's token, which only its owner reads; made if it is missing."""
    file = state.root / "cluster/token"
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not file.exists():
        with open(file, "x", opener=private.opener, encoding="ascii") as made:
            made.write(secrets.token_hex(32))
    return file


def _join(arguments: argparse.Namespace) -> int:
    if arguments.of is None:
        raise Refused("Which cluster? `kimi-mcp cluster join HOST:PORT`; the head tells it.")
    chosen = arguments.token_file or Settings.load(os.environ).cluster.token_file
    if chosen is None or not Path(chosen).expanduser().is_file():
        raise Refused("--token-file FILE: a copy of the head's token file is needed here.")
    if not _is_fit(os.environ):
        return 1
    nodes.check_heard(arguments.of)
    name = arguments.name or socket.gethostname()
    command = join_command(
        arguments.of,
        name=name,
        host=arguments.host,
        slots=arguments.slots,
        labels=dict(arguments.label),
        agents=_free_ports(),
    )
    token = Path(chosen).expanduser().absolute()
    tell(f"{name} joins {arguments.of} with {arguments.slots} slots, until Ctrl-C.")
    return _become(command, environment(os.environ, name=name, token_file=token))


def _logs(arguments: argparse.Namespace) -> int:
    """Fetch what the newest attempt of a task on another machine printed there."""
    if arguments.of is None or arguments.task is None:
        raise Refused("Which task? `kimi-mcp cluster logs ID TASK`, as in: cluster logs ID 2.")
    bench = printing.opened()
    dispatch = bench.history.dispatch(dispatch_id(arguments.of)).id
    attempts = [one for one in bench.history.attempts(dispatch, arguments.task) if one.node]
    if not attempts:
        raise Refused(f"Task {arguments.task} of {dispatch} was on no other machine.")
    name = name_of(dispatch, arguments.task, attempts[-1].attempt)
    file = Path(f"{name}.tar.gz").absolute()
    asked = cluster_of(Settings.load(os.environ), os.environ)
    if not nodes.fetched_logs(asked, name, node=str(attempts[-1].node), into=file):
        raise Refused(f"{attempts[-1].node} has kept nothing of {name}.")
    tell(f"{file}: what was printed in it on {attempts[-1].node}, secrets and all.")
    return 0


def _is_fit(environ: Mapping[str, str]) -> bool:
    """Tell of what a node needs, and whether all of it is here."""
    links = {
        "git": doctor_machine.git,
        "disk": lambda: doctor_machine.disk(environ),
        "clock": lambda: doctor_machine.clock(environ, datetime.now(UTC)),
        "fence": lambda: doctor_machine.fence(environ),
        "Kimi": lambda: doctor_kimi.kimi(environ),
    }
    found = [one for name, look in links.items() for one in looked(name, look)]
    tell("\n".join(one.text(80) for one in found))
    return all(one.state is not State.BAD for one in found)


def _free_ports() -> list[int]:
    held = [socket.create_server(("", 0)) for _ in AGENT_PORTS]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def _become(command: list[str], env: Mapping[str, str]) -> int:
    sys.stdout.flush()
    os.execve(command[0], command, dict(env))  # noqa: S606  no shell is wanted
