"""A machine that has met its Kimi before, as every machine has after the first dispatch.

To ask a Kimi for its version costs two seconds of a core; hundreds of tests would each do it again,
for each has a state folder of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp import private
from kimi_mcp.kimi.detect import detect_kimi
from kimi_mcp.state import StateFolder


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """What a state folder knows of a Kimi."""

    state: StateFolder

    @classmethod
    def made(cls, root: Path, kimi: Path, environ: Mapping[str, str]) -> "Acquaintance":
        """Meet *kimi* for the first time, with a state folder at *root*."""
        state = StateFolder(root)
        detect_kimi(state, environ={**environ, "KIMI_MCP_KIMI": str(kimi)})
        return cls(state)

    def pass_on(self, state: StateFolder) -> None:
        """Let another state folder know it, too."""
        for folder in (state.root, state.cache):
            folder.mkdir(exist_ok=True, mode=0o700)
        known = (self.state.cache / "kimi.json").read_text(encoding="utf-8")
        told = known.replace(str(self.state.root), str(state.root))
        with open(state.cache / "kimi.json", "x", opener=private.opener, encoding="utf-8") as file:
            file.write(told)
        state.compile_cache.symlink_to(self.state.compile_cache)
