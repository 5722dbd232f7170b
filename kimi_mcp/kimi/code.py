"""The dialect of Kimi Code, 0.38 to 2.x: how it is called, and how it says that it failed. Pure.

Print mode takes its limits from the environment and the home folder, not from flags: `--yolo`,
`--work-dir` and others are refused there. It says success with its last line, the resume hint, and
not only with its exit code.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from kimi_mcp.kimi.code_feeds import decode_journal, decode_output
from kimi_mcp.kimi.command import Turn
from kimi_mcp.kimi.dialect import Dialect
from kimi_mcp.kimi.failure import Failure, Witness

_PROVIDER_PREFIX = "KIMI_MODEL_"  # a model defined by environment alone, name and key included
_ACCOUNT = frozenset({"KIMI_CODE_BASE_URL", "KIMI_CODE_OAUTH_HOST", "KIMI_OAUTH_HOST"})
_FAILURE = re.compile(
    r"error: failed to run prompt: (?:(?P<code>[a-z_]+\.[a-z_]+): )?(?P<words>.*)"
)


def new_session() -> str | None:
    """Return nothing: Kimi Code names a new session itself."""
    return None


def arguments(executable: tuple[str, ...], turn: Turn) -> list[str]:
    """Build the argv for *turn*: print mode, one JSON object a line."""
    argv = [*executable, "-p", turn.argument, "--output-format", "stream-json"]
    if turn.model is not None:
        argv += ["-m", turn.model]
    if turn.session_id is not None:
        argv += ["-S", turn.session_id]
    return argv


def environment(
    passed_on: Mapping[str, str], host: Mapping[str, str], turn: Turn
) -> dict[str, str]:
    """Build Kimi's environment from what every program gets, the user's model, and our limits.

    Args:
        passed_on: the allowed part of the host's environment.
        host: the host's environment; only the model and the account's servers, where they are
            defined by environment, are taken from it.
        turn: what may be spent.
    """
    model = {
        name: value
        for name, value in host.items()
        if name.startswith(_PROVIDER_PREFIX) or name in _ACCOUNT
    }
    limits = {"KIMI_LOOP_MAX_STEPS_PER_TURN": str(turn.steps)} if turn.steps else {}
    return {
        **passed_on,
        **model,
        **limits,
        "KIMI_LOOP_MAX_ATTEMPTS_PER_STEP": str(turn.attempts),
        "KIMI_CODE_HOME": str(turn.home),
        "KIMI_CODE_NO_AUTO_UPDATE": "1",
        "KIMI_DISABLE_TELEMETRY": "1",
        "KIMI_DISABLE_CRON": "1",
        # what the model leaves in the background ends with the turn, instead of being waited for
        "KIMI_CODE_BACKGROUND_PRINT_BACKGROUND_MODE": "exit",
        "GIT_TERMINAL_PROMPT": "0",
    }


def home_files(*, guidance: str | None, has_agents: bool) -> Mapping[str, str | None]:  # noqa: ARG001 - the configuration says it here
    """Name the files of a home besides its configuration; nothing: not there."""
    return {"AGENTS.md": guidance}


def journal_of(path: Path) -> tuple[str, str]:
    """Tell the session and the agent whose journal lies at *path*."""
    return path.parents[2].name, path.parent.name


def failure(seen: Witness) -> Failure | None:
    """Find Kimi's own error code and words: stderr's last failure, else the journal's."""
    said = list(_FAILURE.finditer(seen.stderr_tail))
    if said:
        return Failure(code=said[-1]["code"], words=said[-1]["words"].strip())
    ended = seen.turn_ended
    if ended is not None and ended.reason != "completed":
        words = ended.message or f"the turn ended as {ended.reason}"
        return Failure(code=ended.code, words=words)
    return None


DIALECT = Dialect(
    name="code",
    home_variable="KIMI_CODE_HOME",
    home_folder=".kimi-code",
    shared=("credentials", "oauth"),  # 2.1.0 keeps the lock of the first in the second
    guidance=("AGENTS.md", "agents.md", ".kimi-code/AGENTS.md"),
    journals="sessions/*/session_*/agents/*/wire.jsonl",
    agent_tools=frozenset({"Agent", "AgentSwarm"}),
    guarded_tools=frozenset({"Bash", "Edit", "Write"}),
    is_hint_final=True,
    new_session=new_session,
    arguments=arguments,
    environment=environment,
    home_files=home_files,
    decode_output=decode_output,
    decode_journal=decode_journal,
    journal_of=journal_of,
    failure=failure,
)
