"""What every test may use: a guarded machine, the real Kimi, a scripted model, a repository."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

import pytest
from filelock import FileLock
from xdist.workermanage import (  # pyright: ignore[reportMissingTypeStubs]  # it has none
    WorkerController,
)

import legacy_kimi
from acquainted import Acquaintance
from kimi_mcp.demo.script import Reply
from kimi_mcp.demo.scripted_model import ScriptedModel, kimi_config
from kimi_mcp.kimi.install import install_kimi_code
from kimi_mcp.quoting.detector import Detector
from kimi_mcp.state import StateFolder
from sandbox import Sandbox, StartModel

MEASURED = "measured"
INSTALLING = pytest.StashKey[subprocess.Popen[bytes]]()


def pytest_configure() -> None:
    """Heed the signals of a terminal, which a shell has ignored by whatever it runs behind `&`."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_xdist_node_collection_finished(node: WorkerController, ids: Sequence[str]) -> None:
    """Install the legacy CLI while other tests run: two workers would wait a minute for it."""
    stash = node.config.stash
    if INSTALLING not in stash and any("of_the_legacy_cli" in name for name in ids):
        stash[INSTALLING] = subprocess.Popen(
            [sys.executable, legacy_kimi.__file__], start_new_session=True
        )


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what a stopped run no longer needs; the next one begins it anew."""
    if (process := config.stash.get(INSTALLING, None)) is not None:
        with suppress(ProcessLookupError):  # it has ended, as it does in a whole run
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(autouse=True)
def guarded_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test away from the user's home, configuration and git identity."""
    home = tmp_path / "machine"
    home.mkdir()
    for name in [*os.environ]:
        if name.startswith(("GIT_", "KIMI_", "CLAUDE", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("KIMI_MCP_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("KIMI_MCP_CONFIG", str(tmp_path / "kimi-mcp.toml"))
    monkeypatch.setenv("KIMI_CODE_HOME", str(tmp_path / "kimi-home"))
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Test Person\n\temail = person@example.invalid\n"
        "[init]\n\tdefaultBranch = main\n",
        encoding="utf-8",
    )


@pytest.fixture(scope="session")
def kimi_main() -> Path:
    """The real Kimi Code's program, installed once for all runs of this checkout."""
    cache = Path(__file__).parents[1] / ".cache" / "kimi"
    return install_kimi_code(cache, say=lambda _: None)


@pytest.fixture(scope="session")
def acquaintance(kimi_main: Path, tmp_path_factory: pytest.TempPathFactory) -> Acquaintance:
    """What a machine knows of the real Kimi Code after the first dispatch."""
    place = tmp_path_factory.mktemp("acquaintance")
    return Acquaintance.made(place / "state", kimi_main, {**os.environ, "HOME": str(place)})


@pytest.fixture(scope="session")
def secret_rules() -> Path:
    """The rules of the detector of secrets, compiled once for all runs of this checkout.

    To compile them takes a core for four seconds, which a machine does once.
    """
    folder = Path(__file__).parents[1] / ".cache" / "secret-rules"
    folder.parent.mkdir(exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        Detector(folder).find("")
    return folder


@pytest.fixture
def noticeboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder beyond the clone in which the programs of a dispatch may leave notes for a test."""
    folder = tmp_path / "noticeboard"
    folder.mkdir()
    monkeypatch.setenv("KIMI_MCP_ALLOW_WRITE", f"['{folder}']")
    return folder


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keep a figure for the end of the run, where it is printed."""
    return lambda figure: request.node.user_properties.append((MEASURED, figure))


def pytest_xdist_auto_num_workers() -> int:
    """Run one worker more than there are cores: the suite waits for other processes a lot."""
    return (os.cpu_count() or 1) + 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have measured."""
    passed = cast("list[pytest.TestReport]", terminalreporter.getreports("passed"))
    for report in passed:
        for name, figure in report.user_properties:
            if name == MEASURED and report.when == "call":
                terminalreporter.write_line(f"measured: {figure}")


@pytest.fixture
def sandbox(tmp_path: Path, secret_rules: Path) -> Sandbox:
    """A repository with one commit, on a machine that has looked for secrets before."""
    state = StateFolder(tmp_path / "state")
    state.cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    state.root.chmod(0o700)
    state.secret_rules.symlink_to(secret_rules)
    root = tmp_path / "project"
    root.mkdir()
    made = Sandbox(root)
    made.git("init", "-q")
    made.write("README.md", "# A project\n")
    made.write("app.py", "def greet(name):\n    return 'Hello ' + name\n")
    made.commit("Begin")
    return made


@pytest.fixture
def start_model(
    tmp_path: Path, kimi_main: Path, acquaintance: Acquaintance, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StartModel]:
    """The real Kimi, answered from a script; a task is addressed by `(its number)` or its title."""
    models: list[ScriptedModel] = []
    monkeypatch.setenv("KIMI_MCP_KIMI", str(kimi_main))
    acquaintance.pass_on(StateFolder(tmp_path / "state"))

    def start(scripts: Mapping[str, Sequence[Reply]]) -> ScriptedModel:
        model = ScriptedModel(scripts)
        model.__enter__()
        models.append(model)
        home = tmp_path / "kimi-home"
        home.mkdir(exist_ok=True)
        (home / "config.toml").write_text(kimi_config(model), encoding="utf-8")
        return model

    yield start
    for model in models:
        model.__exit__(None, None, None)
