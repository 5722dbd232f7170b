"""A Kimi Code 2.1.0 that does what its prompt lists, at once: for campaigns of many dispatches.

A line `- ACTS [[verb, argument…], …]` of the prompt is obeyed, the last one that stands in it. The
program's own behaviour is tried with the real one; here what it may leave behind is.

With an act `account` it works step by step, an act each: before each step it asks its model, which
is a line in a file of the test's, and then writes the step into its journal, as Kimi Code does. A
session that goes on does what it was told first.
"""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ACTS = re.compile(r"^- ACTS (\[.*\])$", re.MULTILINE)
SESSION = "session_00000000-0000-4000-8000-000000000000"


def main() -> None:
    """Answer `--version`, or work."""
    if "--version" in sys.argv:
        print("2.1.0")  # noqa: T201
        return
    prompt = sys.argv[sys.argv.index("-p") + 1]
    found = ACTS.findall(prompt)
    acts: list[list[str]] = json.loads(found[-1]) if found else []
    _work(acts)


def _work(acts: list[list[str]]) -> None:
    home = Path(os.environ["KIMI_CODE_HOME"])
    told = home / "told.json"
    if "-S" in sys.argv and not acts and told.exists():
        acts = json.loads(told.read_text(encoding="utf-8"))
    accounts = [act[1] for act in acts if act[0] == "account"]
    account = _Account(home, Path(accounts[0])) if accounts else None
    if account:
        told.write_text(json.dumps(acts), encoding="utf-8")
        account.begin()
    words = "done"
    _say_step(account, "I begin.")
    for verb, *arguments in acts:
        with suppress(FileNotFoundError, FileExistsError):  # done before an interruption
            words = DEEDS[verb](*arguments) or words
        if account:
            _say_step(account, "I go on.")
    _say_step(account, words)
    if account:
        account.write({"type": "turn.ended", "reason": "completed"})
    _say({"role": "meta", "type": "session.resume_hint", "session_id": SESSION})


class _Account:
    """The requests to the model, and the journal that tells of them."""

    def __init__(self, home: Path, requests: Path) -> None:
        folder = home / "sessions" / "clone" / SESSION / "agents" / "main"
        folder.mkdir(parents=True, exist_ok=True)
        self._journal = folder / "wire.jsonl"
        self._requests = requests

    def begin(self) -> None:
        self.write({"type": "turn.prompt", "input": []})

    def ask(self) -> None:
        with self._requests.open("a", encoding="utf-8") as file:
            file.write("asked\n")
        self.write({"type": "context.append_loop_event", "event": {"type": "step.begin"}})

    def write(self, record: dict[str, object]) -> None:
        with self._journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


def _say_step(account: _Account | None, words: str) -> None:
    if account:
        account.ask()
    _say({"role": "assistant", "content": words})


def _write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def _replace(path: str, old: str, new: str) -> None:
    text = Path(path).read_text(encoding="utf-8")
    Path(path).write_text(text.replace(old, new), encoding="utf-8")


def _fail(text: str) -> None:
    sys.stderr.write(f"error: failed to run prompt: {text}\n")
    sys.stderr.flush()
    os._exit(1)


def _die() -> None:
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def _once(path: str) -> bool:
    """Whether nobody was here before."""
    try:
        Path(path).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _die_once(path: str) -> None:
    if _once(path):
        _die()


def _hold_once(path: str, go: str) -> None:
    """Wait until the test has opened a named pipe."""
    if _once(path):
        Path(path).write_text(f"{os.getpid()} kimi\n", encoding="utf-8")
        Path(go).read_bytes()


def _mark(path: str, log: str) -> None:
    """Write what nobody else ever writes, and note it down for the test."""
    mark = secrets.token_hex(16)
    _write(path, f"{mark}\n")
    with Path(log).open("a", encoding="utf-8") as file:
        file.write(f"{mark}\n")


def _account(_: str) -> None:
    """Said already."""


def _delete(path: str) -> None:
    Path(path).unlink()


def _move(old: str, new: str) -> None:
    Path(old).rename(new)


def _mode(path: str) -> None:
    Path(path).chmod(0o755)


def _link(path: str, target: str) -> None:
    Path(path).symlink_to(target)


def _run(command: str) -> None:
    subprocess.run(command, shell=True, check=False, capture_output=True)


def _answer(text: str) -> str:
    return text


DEEDS: dict[str, Callable[..., str | None]] = {
    "write": _write,
    "replace": _replace,
    "delete": _delete,
    "move": _move,
    "mode": _mode,
    "link": _link,
    "run": _run,
    "say": _answer,
    "fail": _fail,
    "die": _die,
    "die_once": _die_once,
    "hold_once": _hold_once,
    "mark": _mark,
    "account": _account,
}


def _say(record: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
