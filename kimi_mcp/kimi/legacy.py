"""The dialect of kimi-cli up to 1.51, the discontinued Python program. Pure.

Its limits are flags, its session is named in advance, its success is an exit code of 0 whose last
line is an answer without a tool call; what failed is a plain line on standard output. That line is
translated here into the codes of Kimi Code, so that one table names the ends of both.
"""

import json
import re
import uuid
from collections.abc import Mapping
from pathlib import Path

from kimi_mcp.kimi.command import Turn
from kimi_mcp.kimi.dialect import Dialect
from kimi_mcp.kimi.failure import Failure, Witness
from kimi_mcp.kimi.legacy_feeds import decode_journal, decode_output

RETRYABLE = 75  # the exit code for what may succeed another time
NO_LIMIT = 1_000_000  # steps: 0 is refused

_PROVIDER = frozenset({"KIMI_BASE_URL", "KIMI_API_KEY"})
_PROVIDER_PREFIX = "KIMI_MODEL_"
_UNWANTED = ("ask_user:AskUserQuestion", "plan:ExitPlanMode", "plan.enter:EnterPlanMode")
_AGENT = "agent:Agent"
_AGENT_FILE = "agent.yaml"

_CODES = (
    (r"Max number of steps reached", "loop.max_steps_exceeded"),
    (r"Error code: 40[13]\b", "provider.auth_error"),
    (r"Error code: 429\b", "provider.rate_limit"),
    (r"Error code: 503\b", "provider.overloaded"),
    (r"Error code: \d|empty response|only thinking content", "provider.api_error"),
    (r"Connection error|peer closed|timed out|incomplete chunked", "provider.connection_error"),
    (r"LLM not set", "model.not_configured"),
    (r"Invalid (?:TOML|JSON|configuration)", "config.invalid"),
)
_CONFIG_ERROR = re.compile(r"Invalid (?:TOML|JSON|configuration).*", re.DOTALL)


def new_session() -> str | None:
    """Make up the name of a session; the legacy CLI takes one that does not exist yet."""
    return str(uuid.uuid4())


def arguments(executable: tuple[str, ...], turn: Turn) -> list[str]:
    """Build the argv for *turn*; a session that does not exist is created with its id."""
    argv = [
        *(*executable, "--print", "--output-format", "stream-json"),
        *("--agent-file", str(turn.home / _AGENT_FILE)),
        *("--max-steps-per-turn", str(turn.steps or NO_LIMIT)),
        *("--max-retries-per-step", str(turn.attempts)),
        "--thinking" if turn.thinking else "--no-thinking",
    ]
    if turn.model is not None:
        argv += ["--model", turn.model]
    if turn.session_id is not None:
        argv += ["--session", turn.session_id]
    return [*argv, "--prompt", turn.argument]


def environment(
    passed_on: Mapping[str, str], host: Mapping[str, str], turn: Turn
) -> dict[str, str]:
    """Build Kimi's environment from what every program gets and the user's provider."""
    provider = {
        name: value
        for name, value in host.items()
        if name.startswith(_PROVIDER_PREFIX) or name in _PROVIDER
    }
    return {
        **passed_on,
        **provider,
        "KIMI_SHARE_DIR": str(turn.home),
        "KIMI_CLI_NO_AUTO_UPDATE": "1",
        "KIMI_DISABLE_TELEMETRY": "1",
        "COLUMNS": "10000",  # or its failures are wrapped
        "GIT_TERMINAL_PROMPT": "0",
    }


def home_files(*, guidance: str | None, has_agents: bool) -> Mapping[str, str | None]:
    """Name the files of a home besides its configuration: the agent that is run, in YAML's JSON.

    It is the only place where tools can be taken away and the project's guidance be given.
    """
    unwanted = _UNWANTED if has_agents else (*_UNWANTED, _AGENT)
    agent = {
        "extend": "default",
        "exclude_tools": [f"kimi_cli.tools.{name}" for name in unwanted],
        "system_prompt_args": {"ROLE_ADDITIONAL": guidance or ""},
    }
    return {_AGENT_FILE: json.dumps({"version": 1, "agent": agent})}


def journal_of(path: Path) -> tuple[str, str]:
    """Tell the session and the agent whose journal lies at *path*."""
    return path.parent.name, "main"


def failure(seen: Witness) -> Failure | None:
    """Find what Kimi said of its failure: plain lines at the end of its output, else on stderr."""
    words = seen.plain_words
    if not words and (found := _CONFIG_ERROR.search(seen.stderr_tail)):
        words = found[0]
    if not words and seen.exit_code != RETRYABLE:
        return None
    code = next((code for pattern, code in _CODES if re.search(pattern, words)), None)
    if code is None and seen.exit_code == RETRYABLE:
        code = "provider.api_error"
    return Failure(code=code, words=words)


DIALECT = Dialect(
    name="legacy",
    home_variable="KIMI_SHARE_DIR",
    home_folder=".kimi",
    shared=("credentials",),  # the lock of the token lies beside it
    guidance=("AGENTS.md", "agents.md", ".kimi/AGENTS.md"),
    journals="sessions/*/*/wire.jsonl",
    agent_tools=frozenset({"Agent"}),
    guarded_tools=frozenset({"Shell", "StrReplaceFile", "WriteFile"}),
    is_hint_final=False,  # an answer that looks final may be followed by a failure
    new_session=new_session,
    arguments=arguments,
    environment=environment,
    home_files=home_files,
    decode_output=decode_output,
    decode_journal=decode_journal,
    journal_of=journal_of,
    failure=failure,
)
