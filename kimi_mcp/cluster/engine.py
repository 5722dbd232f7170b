"""The process that speaks Ray, for one runner or command: the only module that imports it.

`python -P -m kimi_mcp.cluster.engine SOCKET`: lines of JSON come in by the socket, each with an id,
and each is answered by one line with that id. What is large travels by files. Ray costs 0.1 GB and
a second to load; so the runner pays for it only where it is used. The process ends with its socket;
actors go on, for they are detached.

Ray's own bounds decide when a node is lost; until then a call that cannot be made is told as
`away`, and asked again. `unfit` is what no patience changes.
"""

import asyncio
import json
import logging
import os
import socket
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any

import ray
from ray.exceptions import (
    ActorDiedError,
    ActorUnavailableError,
    AuthenticationError,
    RayActorError,
    RayError,
)
from ray.util import list_named_actors
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from kimi_mcp import __version__, private
from kimi_mcp.cluster import logs
from kimi_mcp.cluster.asked import Asked
from kimi_mcp.cluster.keeper import Keeper
from kimi_mcp.cluster.node import node_facts
from kimi_mcp.cluster.starting import SLOT, label_of

NAMESPACE = "kimi-mcp"
LINE_BYTES = 64 * 1024 * 1024
MURMURED_BYTES = 1_000_000  # that are looked at
_WRONG_TOKEN = b"InvalidAuthToken"

_ray: Any = ray  # its own types are partly unknown (2.60)


class _UnfitError(Exception):
    """We cannot come to this cluster, however often it is tried."""


class Engine:
    """Answers what is asked. *murmured* is where Ray's words on stderr go."""

    def __init__(self, writer: asyncio.StreamWriter, murmured: IO[bytes]) -> None:
        self._writer = writer
        self._murmured = murmured

    async def answer(self, line: bytes) -> None:
        """Do what one line asks, and say what came of it."""
        call: dict[str, Any] = json.loads(line)
        try:
            said = {"done": await getattr(self, f"do_{call['do']}")(**call["with"])}
        except ActorUnavailableError as error:
            said = {"away": _first_line(error)}
        except (ActorDiedError, RayActorError) as error:
            said = {"gone": _first_line(error)}
        except (_UnfitError, AuthenticationError) as error:
            said = {"unfit": _first_line(error)}
        except (RayError, ConnectionError, TimeoutError) as error:
            said = {"away": _first_line(error)}
        self._writer.write(json.dumps({"id": call["id"], **said}).encode() + b"\n")

    async def do_connect(self, asked: dict[str, Any]) -> None:
        """Come to the cluster."""
        come = partial(_ray.init, address=Asked.from_json(asked).address, namespace=NAMESPACE)
        try:
            await asyncio.to_thread(come, log_to_driver=False, logging_level=logging.CRITICAL)
        except RuntimeError as error:  # how Ray (2.60) tells of another version, with both of them
            raise _UnfitError(" ".join(str(error).split())) from error
        except ConnectionError:  # after 20 s, with the reason on stderr only (Ray 2.60)
            if _WRONG_TOKEN in os.pread(self._murmured.fileno(), MURMURED_BYTES, 0):
                raise _UnfitError("its token is another one than ours") from None
            raise

    async def do_place(
        self, name: str, memory: int, labels: dict[str, str], wait_s: float
    ) -> dict[str, Any] | None:
        """Have a node take the attempt *name*, and tell of the node; nothing while none is free.

        Only nodes with our own version are asked.
        """
        nodes: list[dict[str, Any]] = await asyncio.to_thread(_ray.nodes)
        if not any(one["Alive"] and _takes_ours(one) for one in nodes):
            raise ConnectionError(f"No machine there takes tasks of kimi-mcp {__version__}.")
        actor: Any = _ray.remote(Keeper).options(
            name=name,
            lifetime="detached",
            get_if_exists=True,
            num_cpus=0,
            resources={SLOT: 1},
            memory=memory or None,
            label_selector={**labels, **label_of(__version__)},
            max_restarts=0,
        )
        facts = asyncio.ensure_future(_awaited(actor.remote(name).facts.remote()))
        is_there, _ = await asyncio.wait({facts}, timeout=wait_s)
        return facts.result() if is_there else None

    async def do_find(self, name: str) -> dict[str, Any] | None:
        """Tell of the node that has the attempt *name*; nothing where there is no such actor."""
        actor = await self._actor(name)
        return None if actor is None else await actor.facts.remote()

    async def do_held(self, name: str, key: str) -> list[str]:
        """Name what the node of *name* holds of a repository."""
        return await self._call(name, "held", key)

    async def do_begin(self, name: str, order: str, secrets: str, pack: str) -> bool:
        """Have the attempt begun with what the file *pack* holds."""
        content = await asyncio.to_thread(Path(pack).read_bytes)
        return await self._call(name, "begin", order, secrets, content)

    async def do_events(self, name: str, after: int, wait_s: float) -> list[Any]:
        """Return what was told after a number."""
        return await self._call(name, "events", after, wait_s)

    async def do_say(self, name: str, word: str) -> None:
        """Pass a word on."""
        await self._call(name, "say", word)

    async def do_result(self, name: str, into: str) -> None:
        """Fetch the result into a file."""
        content = await self._call(name, "result")
        await asyncio.to_thread(Path(into).write_bytes, content)

    async def do_release(self, name: str, *, is_kept: bool) -> None:
        """Let the attempt's actor end: all it told is stored."""
        if await self._actor(name) is not None:
            await self._call(name, "release", is_kept=is_kept)
            await self.do_drop(name)

    async def do_drop(self, name: str) -> None:
        """End an actor, whatever it does."""
        if (actor := await self._actor(name)) is not None:
            _ray.kill(actor)

    async def do_nodes(self) -> list[dict[str, Any]]:
        """Tell of every node: what it is, what it declares, and the attempts that it has."""
        found: list[dict[str, Any]] = await asyncio.to_thread(_ray.nodes)
        alive = sorted((one for one in found if one["Alive"]), key=lambda one: one["NodeName"])
        facts = await asyncio.gather(*(self._on(one["NodeID"], node_facts) for one in alive))
        attempts: list[str] = await asyncio.to_thread(list_named_actors)
        at_work = {name: await self.do_find(name) for name in attempts}
        return [
            {
                **told,
                "name": one["NodeName"],
                "id": one["NodeID"],
                "address": one["NodeManagerAddress"],
                "slots": int(one["Resources"].get(SLOT, 0)),
                "labels": one.get("Labels", {}),
                "attempts": sorted(
                    name for name, at in at_work.items() if at and at["host"] == one["NodeName"]
                ),
            }
            for one, told in zip(alive, facts, strict=True)
        ]

    async def do_logs(self, name: str, node: str, into: str) -> bool:
        """Fetch what an attempt's programs printed from a node, into a file; False if it has none.

        Raises:
            RayActorError: there is no such node.
        """
        found: list[dict[str, Any]] = await asyncio.to_thread(_ray.nodes)
        ids = [one["NodeID"] for one in found if one["Alive"] and one["NodeName"] == node]
        if not ids:
            raise RayActorError(error_msg=f"{node} is not there.")
        content: bytes | None = await self._on(ids[0], logs.kept, name)
        if content is None:
            return False
        descriptor = private.opener(into, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        return True

    async def _on(self, node: str, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function of ours on a node."""
        at = NodeAffinitySchedulingStrategy(node_id=node, soft=False)
        there = _ray.remote(function).options(num_cpus=0, scheduling_strategy=at)
        return await there.remote(*args)

    async def _actor(self, name: str) -> Any:
        try:
            return await asyncio.to_thread(_ray.get_actor, name, namespace=NAMESPACE)
        except ValueError:
            return None

    async def _call(self, name: str, method: str, *args: Any, **named: Any) -> Any:
        actor = await self._actor(name)
        if actor is None:
            raise RayActorError(error_msg=f"There is no actor {name}.")
        return await getattr(actor, method).remote(*args, **named)


async def _awaited(reference: Any) -> Any:
    return await reference


def _takes_ours(node: dict[str, Any]) -> bool:
    labels = node.get("Labels", {})
    return bool(node["Resources"].get(SLOT)) and label_of(__version__).items() <= labels.items()


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


async def serve(ours: socket.socket) -> None:
    """Answer until nobody can ask any more."""
    reader, writer = await asyncio.open_connection(sock=ours, limit=LINE_BYTES)
    with tempfile.TemporaryFile() as murmured:  # Ray's are not for who watches a dispatch
        os.dup2(murmured.fileno(), 2)
        engine = Engine(writer, murmured)
        answering: set[asyncio.Task[None]] = set()
        while line := await reader.readline():
            task = asyncio.create_task(engine.answer(line))
            answering.add(task)
            task.add_done_callback(answering.discard)


if __name__ == "__main__":
    asyncio.run(serve(socket.socket(fileno=int(sys.argv[1]))))
