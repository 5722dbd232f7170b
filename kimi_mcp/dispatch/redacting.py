"""What takes the secrets out of texts in this process: its known ones, and a detector's rules."""

from collections.abc import Mapping

from kimi_mcp.kimi.credentials import Credentials
from kimi_mcp.quoting.secrets import Redactor
from kimi_mcp.state import StateFolder


def redactor_of(state: StateFolder, environ: Mapping[str, str]) -> Redactor:
    """Make the redactor of a server, a command line or a runner with this environment."""
    return Redactor(known=Credentials(environ), rules=state.secret_rules)
