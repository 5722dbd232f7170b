"""Plan to spec: the format, its lint, and the specs folder."""
