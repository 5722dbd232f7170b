"""The command line and environment of one Kimi Code run. Pure.

Kimi Code 2.x in print mode takes its limits from the environment and the home folder, not from
flags (`--yolo`, `--work-dir` and others are refused there). `-p` takes one argument, which Linux
limits to 128 KiB and which anybody can read in the process list: long briefs go through a file.
"""

import re
from collections.abc import Mapping
from pathlib import Path

ARGUMENT_LIMIT_BYTES = 100_000
PROVIDER_PREFIX = "KIMI_MODEL_"  # a model defined by environment alone, name and key included
ACCOUNT = frozenset({"KIMI_CODE_BASE_URL", "KIMI_CODE_OAUTH_HOST", "KIMI_OAUTH_HOST"})

_SLASH_COMMAND = re.compile(r"[\s\ufeff]*/")  # Kimi trims the prompt before it looks for one


def arguments(
    executable: tuple[str, ...],
    prompt: str,
    *,
    session_id: str | None = None,
    model: str | None = None,
) -> list[str]:
    """Build the argv for *prompt*; with *session_id* it is the next turn of that session."""
    if _SLASH_COMMAND.match(prompt):
        # a command: `/goal` would start an endless loop; blank space before it changes nothing
        prompt = "Do this: " + prompt
    argv = [*executable, "-p", prompt, "--output-format", "stream-json"]
    if model is not None:
        argv += ["-m", model]
    if session_id is not None:
        argv += ["-S", session_id]
    return argv


def prompt_for(brief: str, *, file: Path) -> tuple[str, bool]:
    """Return the prompt to pass, and whether *file* must first be written with the brief."""
    if len(brief.encode()) <= ARGUMENT_LIMIT_BYTES:
        return brief, False
    return f"Read the file {file} completely: it is your task. Carry it out exactly.", True


def environment(
    passed_on: Mapping[str, str], host: Mapping[str, str], *, home: Path, steps: int, attempts: int
) -> dict[str, str]:
    """Build Kimi's environment from what every program gets, the user's model, and our limits.

    Args:
        passed_on: the allowed part of the host's environment.
        host: the host's environment; only the model and the account's servers, where they are
            defined by environment, are taken from it.
        home: the task's own `KIMI_CODE_HOME`.
        steps: requests a turn may make, 0 for no limit.
        attempts: how often one request is tried.
    """
    model = {
        name: value
        for name, value in host.items()
        if name.startswith(PROVIDER_PREFIX) or name in ACCOUNT
    }
    limits = {"KIMI_LOOP_MAX_STEPS_PER_TURN": str(steps)} if steps else {}
    return {
        **passed_on,
        **model,
        **limits,
        "KIMI_LOOP_MAX_ATTEMPTS_PER_STEP": str(attempts),
        "KIMI_CODE_HOME": str(home),
        "KIMI_CODE_NO_AUTO_UPDATE": "1",
        "KIMI_DISABLE_TELEMETRY": "1",
        "KIMI_DISABLE_CRON": "1",
        # what the model leaves in the background ends with the turn, instead of being waited for
        "KIMI_CODE_BACKGROUND_PRINT_BACKGROUND_MODE": "exit",
        "GIT_TERMINAL_PROMPT": "0",
    }
