"""The use cases, and the detached runner that carries a dispatch out."""
