"""What a machine of a cluster is: its name, what runs there, and which Kimi it has."""

import os
import platform
from importlib import metadata
from typing import Any

from kimi_mcp.cluster.asked import MODE, machine_name
from kimi_mcp.errors import KimiMcpError
from kimi_mcp.state import StateFolder


def versions() -> dict[str, Any]:
    """Tell what this machine is: its name and what runs here."""
    return {
        "host": machine_name(os.environ),
        "kimi_mcp": metadata.version("kimi-mcp"),
        "ray": metadata.version("ray"),
        "python": platform.python_version(),
        "is_guarded": os.environ.get(MODE) == "token",
    }


def node_facts() -> dict[str, Any]:
    """Tell what this machine is, and which Kimi it has; why it has none, as `trouble`."""
    from kimi_mcp.kimi.detect import detect_kimi  # noqa: PLC0415  an actor is to start at once

    try:
        found = {"kimi": detect_kimi(StateFolder.locate()).version, "trouble": None}
    except KimiMcpError as error:
        found = {"kimi": None, "trouble": str(error).removeprefix("kimi_unusable: ")}
    return {**versions(), **found}
