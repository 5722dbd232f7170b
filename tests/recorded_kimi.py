"""A program in Kimi's place that records what the real one does, or does what was recorded.

    recorded_kimi.py record FOLDER REAL -- ARGUMENTS…
    recorded_kimi.py replay FOLDER -- ARGUMENTS…

A run is known by its task's title ("See to …" in the prompt). Recorded are both streams, the
journal and the end; machine paths are left out, and of a journal what is never decoded. A run that
had to be ended from outside is replayed as one that hangs.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

RECORDINGS = Path(__file__).parent / "kimi" / "recordings"

_TITLE = re.compile(r"See to (?P<name>[\w ,']+)")
_NOT_DECODED = (
    *("systemPrompt", "llm.", "append_message", "agent.message", "runtime.", "metadata"),
    *('"turn.prompt"', '"TurnBegin"', '"role"'),
)
_TRIAL = {"--version": "kimi, version 1.51.0", "Trial": "LLM not set"}


def wrapper(folder: Path, *words: str | Path) -> Path:
    """Write the executable that is this program with *words* before Kimi's own arguments."""
    program = folder / "kimi"
    call = " ".join(f"'{word}'" for word in (sys.executable, __file__, *words, "--"))
    program.write_text(f'#!/bin/sh\nexec {call} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return program


def readable(*folders: Path) -> str:
    """Write the setting that lets the wrapper run within the fence, as an environment variable."""
    return json.dumps(
        [str(one) for one in (Path(__file__).parent, sys.prefix, sys.base_prefix, *folders)]
    )


def recorded(dialect: str, name: str) -> Path:
    """Say where the recording of a scenario lies."""
    return RECORDINGS / dialect / f"{re.sub('[^a-z0-9]+', '-', name)}.json"


def _record(folder: Path, real: Sequence[str], arguments: Sequence[str]) -> None:
    found = _TITLE.search(" ".join(arguments))
    if found is None:
        os.execv(real[0], [*real, *arguments])
    child = subprocess.Popen([*real, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    was_stopped = threading.Event()

    def pass_on(number: int, _: object) -> None:
        was_stopped.set()
        child.send_signal(number)

    signal.signal(signal.SIGTERM, pass_on)
    heard: dict[str, bytes] = {}
    assert child.stdout
    assert child.stderr
    readers = [
        threading.Thread(target=_copy, args=(source, target.buffer, heard, name))
        for source, target, name in (
            (child.stdout, sys.stdout, "stdout"),
            (child.stderr, sys.stderr, "stderr"),
        )
    ]
    for reader in readers:
        reader.start()
    code = child.wait()
    for reader in readers:
        reader.join(2)
    record: dict[str, Any] = {
        **{name: _scrubbed(said.decode(errors="replace")) for name, said in heard.items()},
        "journals": _journals(),
        "made": sorted(path.name for path in Path.cwd().glob("made-*")),
        "hangs": was_stopped.is_set(),
        "code": code,
    }
    file = folder / recorded("", found["name"].strip()).name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _end(code)


def _replay(folder: Path, arguments: Sequence[str]) -> None:
    said = next((text for word, text in _TRIAL.items() if word in arguments), None)
    if said is not None:
        sys.stdout.write(said + "\n")
        return
    prompt = arguments[-1]
    found = _TITLE.search(prompt)
    assert found
    file = folder / recorded("", found["name"].strip()).name
    record = json.loads(file.read_text(encoding="utf-8"))
    session = arguments[arguments.index("--session") + 1]
    for lines in record["journals"].values():
        journal = Path(os.environ["KIMI_SHARE_DIR"], "sessions", "0", session, "wire.jsonl")
        journal.parent.mkdir(parents=True, exist_ok=True)
        journal.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    wanted = re.search(r"made-\d+\.txt", prompt)
    if record["made"] and wanted:
        Path(wanted[0]).write_text("made\n", encoding="utf-8")
    sys.stderr.write(record["stderr"])
    sys.stdout.write(record["stdout"])
    sys.stdout.flush()
    while record["hangs"]:
        signal.pause()
    _end(record["code"])


def _copy(source: BinaryIO, target: BinaryIO, heard: dict[str, bytes], name: str) -> None:
    heard[name] = b""
    while chunk := os.read(source.fileno(), 65_536):
        heard[name] += chunk
        target.write(chunk)
        target.flush()


def _journals() -> dict[str, list[str]]:
    """Read the journals of all agents, by agent."""
    home = Path(os.environ.get("KIMI_SHARE_DIR") or os.environ["KIMI_CODE_HOME"])
    return {
        path.parent.name if path.parent.parent.name == "agents" else "main": [
            _scrubbed(line)
            for line in path.read_text(encoding="utf-8").splitlines()
            if not any(word in line[:400] for word in _NOT_DECODED)
        ]
        for path in sorted(home.glob("sessions/**/wire.jsonl"))
        if "subagents" not in path.parts
    }


def _scrubbed(text: str) -> str:
    for name in ("KIMI_SHARE_DIR", "KIMI_CODE_HOME", "TMPDIR", "HOME"):
        text = text.replace(os.environ.get(name) or "\0", name)
    return text.replace(str(Path.cwd()), "CLONE")


def _end(code: int) -> None:
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


if __name__ == "__main__":
    split = sys.argv.index("--")
    mode, where, *real_kimi = sys.argv[1:split]
    given = sys.argv[split + 1 :]
    if mode == "record":
        _record(Path(where), real_kimi, given)
    else:
        _replay(Path(where), given)
