"""Our server as a client sees it: a process of its own, over real stdio."""

import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Literal

from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, TextContent

from sandbox import Sandbox


@asynccontextmanager
async def connected(
    sandbox: Sandbox, *, mode: Literal["auto", "legacy"] = "auto"
) -> AsyncGenerator[Client]:
    """Start a server in the sandbox, as Claude Code would; *mode* chooses the protocol's era."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "kimi_mcp"],
        env={**os.environ, "CLAUDE_PROJECT_DIR": str(sandbox.root)},
        cwd=sandbox.root,
    )
    async with Client(server, mode=mode) as client:
        yield client


def text_of(result: CallToolResult) -> str:
    """Return what the model would read."""
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))
