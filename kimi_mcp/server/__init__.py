"""The front door for models, and the only room that imports mcp."""
