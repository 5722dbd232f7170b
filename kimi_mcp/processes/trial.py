"""What the fence really does on this kernel: tried on a program that attempts what it forbids.

No version is asked: a kernel can have the feature and a container forbid its use.
"""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio

from kimi_mcp.errors import Unready
from kimi_mcp.processes import toolchains
from kimi_mcp.processes.child import NotStarted, start
from kimi_mcp.processes.confinement import Confinement, Standing
from kimi_mcp.processes.toolchains import program_folders

# argv: a file outside, a folder inside
_ATTEMPTS = """
import json, os, socket, sys
outside, inside = sys.argv[1:]

def tried(attempt):
    try:
        attempt()
    except OSError:
        return False
    return True

def loopback():
    server = socket.create_server(("127.0.0.1", 0))
    socket.create_connection(server.getsockname(), timeout=5).close()

print(json.dumps({
    "can_write_inside": tried(lambda: open(inside + "/new", "w").close()),
    "can_write_outside": tried(lambda: open(outside, "a").close()),
    "can_read_outside": tried(lambda: open(outside).close()),
    "can_change_modes_outside": tried(lambda: os.chmod(outside, 0o600)),
    "can_signal_outside": tried(lambda: os.kill(os.getppid(), 0)),
    "has_loopback": tried(loopback),
    "has_only_loopback": len(socket.if_nameindex()) == 1,
}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a fenced program could do when it tried."""

    can_write_inside: bool
    can_write_outside: bool
    can_read_outside: bool
    can_change_modes_outside: bool
    can_signal_outside: bool
    has_loopback: bool
    has_only_loopback: bool

    @property
    def holds(self) -> bool:
        """Whether the fence keeps what every promise about it says, and lets work go on."""
        return self.can_write_inside and not (self.can_write_outside or self.can_read_outside)


def try_fence(environ: Mapping[str, str]) -> tuple[Standing, Abilities]:
    """Put a fence around a small program and have it try; takes about 0.1 s.

    Raises:
        Unready: there is no fence on this machine; the text says why.
    """
    with tempfile.TemporaryDirectory(prefix="kimi-mcp-fence-") as folder:
        inside, outside = Path(folder, "inside"), Path(folder, "outside")
        inside.mkdir()
        outside.write_text("", encoding="utf-8")
        try:
            return anyio.run(_try, environ, inside, outside)
        except NotStarted as error:
            raise Unready(f"{error}.") from error


async def _try(
    environ: Mapping[str, str], inside: Path, outside: Path
) -> tuple[Standing, Abilities]:
    async with start(
        [sys.executable, "-I", "-c", _ATTEMPTS, str(outside), str(inside)],
        cwd=inside,
        env={"PATH": os.defpath},
        grace_s=1,
        confinement=Confinement(
            read=(*toolchains.readable(environ), *program_folders(Path(sys.executable))),
            write=(str(inside),),
            cut_network=True,
            is_required=True,
        ),
    ) as child:
        said = b"".join([chunk async for chunk in child.stdout])
        await child.wait()
    if child.fence is None or not said:
        raise NotStarted("the trial program said nothing")
    return child.fence, Abilities(**json.loads(said))
