"""Asking Kimi itself what is wrong with a configuration before it is written.

Kimi Code has `kimi doctor config FILE` (2.1.0, ran: exit code 1, and the wrong keys by name, never
their values); the legacy CLI has nothing of the kind.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from kimi_mcp.kimi.detect import Kimi
from kimi_mcp.kimi.probe import ask
from kimi_mcp.processes.environment import passed_on

_HEADING = "Validation issues:"
_QUOTED_CHARS = 400


def complaint(kimi: Kimi, config: str, *, folder: Path, environ: Mapping[str, str]) -> str | None:
    """Return what Kimi says is wrong with the text *config*.

    None: nothing is, or it cannot be asked. *folder*, private to the user, holds it meanwhile.
    """
    if kimi.dialect != "code":
        return None
    with tempfile.TemporaryDirectory(dir=folder, prefix=".config-") as name:
        file = Path(name) / "config.toml"
        file.write_bytes(config.encode())
        env = passed_on(environ) | {
            "KIMI_CODE_HOME": name,
            "KIMI_CODE_NO_AUTO_UPDATE": "1",
            "KIMI_DISABLE_TELEMETRY": "1",
        }
        try:
            answer = ask([*kimi.argv, "doctor", "config", str(file)], cwd=Path(name), env=env)
        except OSError:
            return None
    if answer.exit_code != 1 or _HEADING not in answer.text:
        return None
    lines = answer.text.partition(_HEADING)[2].splitlines()
    return "; ".join(line.strip() for line in lines if line.strip())[:_QUOTED_CHARS]
