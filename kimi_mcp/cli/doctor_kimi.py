"""doctor's look at Kimi: which one, its configuration, its login, and one real prompt."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from kimi_mcp.cli.finding import Finding, bad, note, ok
from kimi_mcp.errors import Refused
from kimi_mcp.kimi.command import Turn
from kimi_mcp.kimi.config_check import complaint
from kimi_mcp.kimi.detect import Kimi, detect_kimi
from kimi_mcp.kimi.dialects import DIALECTS
from kimi_mcp.kimi.home import lay, user_home
from kimi_mcp.kimi.identify import release
from kimi_mcp.kimi.install import VERSION
from kimi_mcp.kimi.login import login
from kimi_mcp.kimi.observations import TextSaid
from kimi_mcp.kimi.probe import ask
from kimi_mcp.processes.environment import passed_on
from kimi_mcp.profiles.compose import compose_config
from kimi_mcp.profiles.source import read_config
from kimi_mcp.quoting.quotes import inline
from kimi_mcp.state import StateFolder

_TESTED_LEGACY = "1.51.0"
_BOUND_S = 120.0
_BOUND_BYTES = 1_000_000
_QUESTION = "Answer with the one word: ready. Use no tool."


def kimi(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Which Kimi would be used."""
    found = _found(environ)
    tested = VERSION if found.dialect == "code" else _TESTED_LEGACY
    name = "Kimi Code" if found.dialect == "code" else "kimi-cli (legacy)"
    yield ok(f"{name} {found.version}, {found.executable}{_node(found, environ)}")
    if (release(found.version) or ()) > (release(tested) or ()):
        yield note(
            f"{found.version} is newer than {tested}, the newest one that was tested",
            "Should it misbehave, `kimi-mcp setup --kimi` beside KIMI_MCP_KIMI gives the tested.",
        )


def config(environ: Mapping[str, str]) -> Finding:
    """Whether Kimi's own `config.toml` can be read, and whether Kimi itself accepts it."""
    found = _found(environ)
    file = _home(found, environ) / "config.toml"
    read_config(file)
    if not file.exists():
        return note(f"{file} is absent")
    state = StateFolder.locate(environ)
    state.cache.mkdir(mode=0o700, exist_ok=True)
    text = file.read_text(encoding="utf-8")
    if wrong := complaint(found, text, folder=state.cache, environ=environ):
        return bad(f"{file}: {wrong}", "Correct it by hand; `kimi doctor` checks it.")
    return ok(str(file))


def account(environ: Mapping[str, str]) -> Finding:
    """Whether a credential is there; no step is spent."""
    found = _found(environ)
    home = _home(found, environ)
    known = login(read_config(home / "config.toml"), home=home, environ=environ)
    if not known.is_there:
        return bad(known.words, "Run `kimi login` in a terminal.")
    return ok(known.words)


def prompt(environ: Mapping[str, str]) -> Finding:
    """Ask Kimi one real question, in a folder of its own."""
    found = _found(environ)
    dialect, user = DIALECTS[found.dialect], _home(found, environ)
    with tempfile.TemporaryDirectory(prefix="kimi-mcp-") as name:
        home, work = Path(name, "home"), Path(name, "work")
        work.mkdir()
        composed = compose_config(
            read_config(user / "config.toml"),
            dialect=found.dialect,
            steps=1,
            attempts=1,
            tool_timeout_ms=60_000,
            thinking=False,
            model=None,
            subagents=False,
        )
        files = dialect.home_files(guidance=None, has_agents=False)
        lay(home, user=user, config=composed, files=files, dialect=dialect)
        turn = Turn(
            prompt=_QUESTION,
            home=home,
            steps=1,
            attempts=1,
            thinking=False,
            session_id=dialect.new_session(),
        )
        env = dialect.environment(passed_on(environ), environ, turn)
        try:
            answer = ask(
                dialect.arguments(found.argv, turn),
                cwd=work,
                env=env,
                limit_s=_BOUND_S,
                limit_bytes=_BOUND_BYTES,
            )
        except OSError as error:
            raise Refused(f"Kimi cannot be started: {error.strerror}.") from error
    said = [
        one.text
        for line in answer.text.splitlines()
        for one in dialect.decode_output(line.encode())
        if isinstance(one, TextSaid)
    ]
    if answer.exit_code != 0 or not said:
        words = inline(answer.text[-300:], limit=300) or "nothing"
        return bad(
            f"exit code {answer.exit_code}, saying last: {words}",
            "Run `kimi login` if it is about a login; else try again later.",
        )
    return ok(f'answered "{inline(said[-1], limit=40)}"')


def _node(found: Kimi, environ: Mapping[str, str]) -> str:
    if len(found.argv) == 1:
        return ""
    answer = ask([found.argv[0], "--version"], cwd=Path(tempfile.gettempdir()), env=environ)
    return f", by Node {answer.text.strip()}, {found.argv[0]}"


def _found(environ: Mapping[str, str]) -> Kimi:
    return detect_kimi(StateFolder.locate(environ), environ=environ)


def _home(found: Kimi, environ: Mapping[str, str]) -> Path:
    return user_home(environ, DIALECTS[found.dialect])
