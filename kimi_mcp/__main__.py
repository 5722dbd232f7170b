"""`python -m kimi_mcp` is the `kimi-mcp` command."""

from kimi_mcp.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
