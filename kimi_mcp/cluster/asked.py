"""What a user asks of a cluster, and how a process of ours comes to it. Pure.

A token travels in the environment only, as Ray reads it: never on a command line, never in a log.
"""

import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, TypeAlias

Policy: TypeAlias = Literal["local", "cluster", "overflow"]
Credential: TypeAlias = Literal["node", "hand_over"]

TOKEN = "RAY_AUTH_TOKEN"  # noqa: S105  Ray's own variables
TOKEN_FILE = "RAY_AUTH_TOKEN_PATH"  # noqa: S105
MODE = "RAY_AUTH_MODE"
NODE = "KIMI_MCP_NODE"  # what a machine is called, for the processes there
#: Machines rarely have the same patch of Python; what we send is JSON, so that need not matter.
MATCHING = {"RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL": "minor"}
#: What Ray is told by: encryption, time-outs. They reach its own processes only.
_RAYS = "RAY_"


def machine_name(host: Mapping[str, str]) -> str:
    """Return what this machine is called in a cluster."""
    return host.get(NODE) or socket.gethostname()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which cluster, and what of it."""

    address: str
    policy: Policy = "local"
    token_file: str | None = None
    is_open_allowed: bool = False  # a cluster that asks nobody for a token
    retries: int = 1  # of an attempt whose node was lost
    credential: Credential = "node"
    memory_bytes: int = 0  # that a task reserves; 0: none
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    def to_json(self) -> dict[str, Any]:
        """Return the JSON values that `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Asked":
        """Read what `to_json` wrote; keys of a newer version are passed over."""
        names = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})

    def environment(self, host: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that tell Ray how to come in."""
        ways_in = {MODE, TOKEN, TOKEN_FILE}
        told = {n: value for n, value in host.items() if n.startswith(_RAYS) and n not in ways_in}
        plain = {**MATCHING, **told}
        if self.token_file is not None:
            return {**plain, MODE: "token", TOKEN_FILE: self.token_file}
        if TOKEN in host:
            return {**plain, MODE: "token", TOKEN: host[TOKEN]}
        return plain
