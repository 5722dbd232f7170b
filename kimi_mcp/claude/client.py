"""Claude Code's own command: found, asked for its version, told to register and to install."""

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.errors import Unready
from kimi_mcp.kimi.probe import ask
from kimi_mcp.quoting.quotes import inline

_BOUND_S = 120.0
_BOUND_BYTES = 100_000
_QUOTED_CHARS = 300
_QUIET = {"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
_USUAL = (".local/bin/claude", ".claude/local/claude")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A Claude Code that can be started."""

    program: Path
    environ: Mapping[str, str]

    @classmethod
    def find(cls, environ: Mapping[str, str] = os.environ) -> "Client | None":
        """Find it on PATH, else where its installers put it."""
        on_path = shutil.which("claude", path=environ.get("PATH", ""))
        home = Path(environ.get("HOME") or Path.home())
        usual = [home / path for path in _USUAL]
        found = [Path(on_path)] if on_path else [one for one in usual if os.access(one, os.X_OK)]
        return cls(program=found[0].absolute(), environ=environ) if found else None

    def version(self) -> str:
        """Ask it for its version, such as `2.1.330`; it writes nothing for that.

        Raises:
            Unready: it does not answer.
        """
        said = self.run(["--version"], cwd=Path(tempfile.gettempdir()))
        return said.split()[0] if said.split() else "of no version"

    def run(self, arguments: Sequence[str], *, cwd: Path) -> str:
        """Run one command to its end, and return what it printed.

        Raises:
            Unready: it failed; its last words are quoted.
        """
        command = f"claude {' '.join(arguments[:3])}"
        try:
            answer = ask(
                [str(self.program), *arguments],
                cwd=cwd,
                env={**self.environ, **_QUIET},
                limit_s=_BOUND_S,
                limit_bytes=_BOUND_BYTES,
            )
        except OSError as error:
            raise Unready(f"{self.program} cannot be started: {error.strerror}.") from error
        if answer.exit_code != 0:
            words = inline(answer.text[-_QUOTED_CHARS:], limit=_QUOTED_CHARS)
            end = "did not end" if answer.exit_code is None else "failed"
            raise Unready(f"`{command}` {end}: {words}")
        return answer.text
