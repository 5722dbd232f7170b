"""What the fence must not hinder: what people's projects do every day, done by the real Kimi."""

import hashlib
import json
import os
import sys
import zipfile
from pathlib import Path

import anyio
import pytest

from dispatching import (
    Done,
    at_once,
    bench_of,
    branches,
    carried_out,
    configure,
    dispatched,
    spec_of,
    specify,
)
from kimi_mcp.demo.script import bash, edit, say, write
from kimi_mcp.dispatch.launch import LaunchWish, preview
from kimi_mcp.kimi.node import bundled_node
from kimi_mcp.lifecycle import TaskState
from kimi_mcp.review.view import View
from living import until
from oauth_host import OauthHost
from sandbox import Sandbox, StartModel

TASK = "# Your task (1)"
PYTHON = sys.executable
TESTS = """\
import socket, tempfile, threading

def test_a_server_on_an_ephemeral_port(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            client.sendall(b"x")
            assert server.accept()[0].recv(1) == b"x"

def test_temporary_files(tmp_path):
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"x")
"""
DEV_SERVER = """\
python3 - <<'CODE'
import os, subprocess, sys, urllib.request
port = os.environ["PORT"]
command = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", port]
with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
    print(server.stdout.readline().decode())  # it listens
    try:
        print(urllib.request.urlopen(f"http://127.0.0.1:{port}/one.py").status)
    finally:
        server.kill()
CODE
"""


def wheel(folder: Path) -> Path:
    """Write a wheel with one module, so that an install needs no index."""
    folder.mkdir()
    file = folder / "little-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("little.py", "WORD = 'little'\n")
        info = "little-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: little\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return file


async def test_pip_npm_a_compiler_and_pytest_work_within_the_fence(
    sandbox: Sandbox, start_model: StartModel, tmp_path: Path
) -> None:
    little = wheel(tmp_path / "wheels")
    node = bundled_node()
    assert node is not None
    configure(
        f"""
        fence = "required"
        allow_read = ['{little.parent}', '{sys.prefix}', '{sys.base_prefix}']
        setup = [
            '"{PYTHON}" -m venv .venv && .venv/bin/pip install -q --no-index {little}',
        ]
        """
    )
    sandbox.write(".gitignore", ".venv/\nnode_modules/\nbuild/\nserver.log\n")
    sandbox.write("dep/package.json", '{"name": "dep", "version": "1.0.0"}\n')
    sandbox.write("dep/index.js", "module.exports = 'dep';\n")
    sandbox.write("package.json", '{"name": "whole", "version": "1.0.0"}\n')
    sandbox.write("test_little.py", TESTS)
    npm = f"'{node.node}' '{node.npm}'"
    start_model(
        {
            TASK: (
                at_once(
                    write("one.py", "import little\nprint(little.WORD)\n"),
                    write("one.c", '#include <stdio.h>\nint main(void) { puts("built"); }\n'),
                ),
                bash(f"{npm} install --offline --no-audit --no-fund --no-save ./dep", timeout_s=60),
                bash("mkdir -p build && gcc -o build/one one.c && ./build/one"),
                say("done"),
            )
        }
    )

    done = await carried_out(
        sandbox,
        spec_of(
            "Whole\nFiles:\n- CREATE one.py\n- CREATE one.c\nVerification:\n"
            "- `.venv/bin/python one.py`\n"
            f"- `{npm} install --offline --no-audit --no-fund --no-save ./dep"
            f" && '{node.node}' -e \"require('dep')\"`\n"
            "- `mkdir -p build && gcc -o build/one one.c && ./build/one`\n"
            f"- `'{PYTHON}' -m pytest -q -o addopts= -p no:cacheprovider test_little.py`\n"
            f"- `'{PYTHON}' -m pytest -q -o addopts= test_little.py && test -d .pytest_cache`\n"
        ),
    )

    assert done.outcomes == {1: TaskState.DELIVERED}, done.view(View.CHECKS) + done.view(
        View.SUMMARY
    )


async def test_a_development_server_can_be_started_and_asked(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    configure('fence = "required"')
    sandbox.write("serve.sh", DEV_SERVER)
    sandbox.write(".gitignore", "served\n")
    start_model(
        {
            TASK: (
                write("one.py", "ONE = 1\n"),
                bash("sh serve.sh && touch served", timeout_s=60),
                say("done"),
            )
        }
    )

    done = await carried_out(
        sandbox,
        spec_of("One\nFiles:\n- CREATE one.py\nVerification:\n- `sh serve.sh`\n"),
    )

    assert done.outcomes == {1: TaskState.DELIVERED}, done.view(View.CHECKS)


async def test_two_fenced_kimis_that_refresh_one_login_leave_one_valid_token(
    sandbox: Sandbox, start_model: StartModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure('fence = "required"')
    model = start_model(
        {
            f"# Your task ({number})": (write(f"made-{number}.py", "ONE = 1\n"), say("done"))
            for number in (1, 2)
        }
    )
    home = Path(os.environ["KIMI_CODE_HOME"])
    done: list[Done] = []

    async def work() -> None:
        done.append(await carried_out(sandbox, spec_of(*map(one_file, (1, 2)))))

    with OauthHost() as host:
        monkeypatch.setenv("KIMI_CODE_OAUTH_HOST", host.url)
        kept = log_in(home, base_url=model.base_url, oauth_host=host.url)
        async with anyio.create_task_group() as group:
            group.start_soon(work)
            await until(lambda: kimis_begun(sandbox) == 2)
            host.may_answer.set()

    assert set(done[0].outcomes.values()) == {TaskState.DELIVERED}, done[0].view(View.SUMMARY)
    assert len(branches(sandbox)) == 3
    assert (host.granted, host.refused) == (1, 0)
    assert json.loads(kept.read_text(encoding="utf-8"))["refresh_token"] == host.good


def one_file(number: int) -> str:
    """Write a task that makes one file."""
    return f"Number {number}\nFiles:\n- CREATE made-{number}.py\nVerification:\n- `true`"


def kimis_begun(sandbox: Sandbox) -> int:
    """Count the Kimis that run for this repository."""
    history = bench_of(sandbox).history
    return sum(
        event.kind == "task.fenced"
        for dispatch in history.live()
        for event in history.events(dispatch.id)
    )


def log_in(home: Path, *, base_url: str, oauth_host: str) -> Path:
    """Make the user's Kimi Code one that is logged in, with a token that has run out.

    Returns:
        Where the token is kept: Kimi Code 2.1.0 names it after the hosts that it is good for.
    """
    hosts = json.dumps({"oauthHost": oauth_host, "baseUrl": base_url}, separators=(",", ":"))
    slot = f"kimi-code-env-{hashlib.sha256(hosts.encode()).hexdigest()[:16]}"
    token = {
        "access_token": "old",
        "refresh_token": "refresh-0",
        "expires_at": 1,
        "expires_in": 900,
        "scope": "kimi-code",
        "token_type": "Bearer",
    }
    file = home / f"credentials/{slot}.json"
    file.parent.mkdir(mode=0o700)
    file.write_text(json.dumps(token), encoding="utf-8")
    (home / "config.toml").write_text(
        f"""\
default_model = "managed"

[providers."managed:kimi-code"]
type = "kimi"
base_url = "{base_url}"
oauth = {{ storage = "file", key = "oauth/{slot}" }}

[models.managed]
provider = "managed:kimi-code"
model = "scripted"
max_context_size = 262144
""",
        encoding="utf-8",
    )
    return file


async def test_a_repository_with_a_submodule_is_worked_on_with_the_submodule_there(
    sandbox: Sandbox, start_model: StartModel, tmp_path: Path
) -> None:
    library = Sandbox(tmp_path / "library")
    library.root.mkdir()
    library.git("init", "-q", "-b", "main")
    library.write("lib.py", "WORD = 'lib'\n")
    library.commit()
    sandbox.git(
        "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library.root), "lib"
    )
    start_model({TASK: (write("one.py", "from lib.lib import WORD\nprint(WORD)\n"), say("done"))})

    done = await carried_out(
        sandbox,
        spec_of("One\nFiles:\n- CREATE one.py\nVerification:\n- `python3 one.py | grep lib`\n"),
    )

    assert done.outcomes == {1: TaskState.DELIVERED}, done.view(View.SUMMARY)


async def test_a_partial_clone_gets_what_an_older_base_needs(
    sandbox: Sandbox, start_model: StartModel, tmp_path: Path
) -> None:
    base = sandbox.git("rev-parse", "HEAD")
    sandbox.write("app.py", "rewritten = True\n")
    sandbox.commit()
    sandbox.git("config", "uploadpack.allowFilter", "true")
    sandbox.git("config", "uploadpack.allowAnySHA1InWant", "true")
    source = f"file://{sandbox.root}"
    sandbox.git("clone", "-q", "--filter=blob:none", source, str(tmp_path / "partial"))
    partial = Sandbox(tmp_path / "partial")
    start_model({TASK: (edit("app.py", "Hello", "Good day"), say("done"))})
    specify(partial, spec_of("One\nFiles:\n- MODIFY app.py\nVerification:\n- `grep day app.py`\n"))

    done = await dispatched(partial, base=base)

    assert done.outcomes == {1: TaskState.DELIVERED}, done.view(View.SUMMARY)
    assert "Good day" in partial.show(f"kimi/{done.id}/merged", "app.py")


async def test_ignored_files_that_the_checks_need_are_brought_along(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    sandbox.write(".gitignore", ".env.test\n")
    sandbox.write(".worktreeinclude", ".env.test\n")
    sandbox.write(".env.test", "PLACE=here\n")
    start_model({TASK: (write("one.py", "ONE = 1\n"), say("done"))})
    specify(
        sandbox, spec_of("One\nFiles:\n- CREATE one.py\nVerification:\n- `grep here .env.test`\n")
    )

    told = preview(bench_of(sandbox), LaunchWish(spec="1"))
    done = await dispatched(sandbox)

    assert "Brought into each clone: " in told
    assert ".env.test" in told
    assert done.outcomes == {1: TaskState.DELIVERED}, done.view(View.SUMMARY)
    assert sandbox.git("diff", "--name-only", "HEAD", f"kimi/{done.id}/task-1") == "one.py"
