"""The yardstick of a server: the SDK's own, with nothing in it. Run as a file, over stdio."""

from mcp.server import MCPServer

MCPServer("empty", log_level="WARNING").run()
