"""All that knows the Kimi CLI."""
