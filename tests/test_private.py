"""The state folder is the user's alone, or it is not used."""

import os
import stat
from pathlib import Path

import pytest

from kimi_mcp import private
from kimi_mcp.errors import Unready
from kimi_mcp.log import keep_bug
from kimi_mcp.state import StateFolder


def locate(folder: Path) -> StateFolder:
    return StateFolder.locate({"KIMI_MCP_HOME": str(folder)})


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_is_closed_and_nothing_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    locate(tmp_path / "a/state")
    locate(tmp_path / "a/state")

    assert mode(tmp_path / "a/state") == 0o700
    assert capsys.readouterr() == ("", "")


def test_a_folder_that_others_could_read_is_closed_with_a_word_on_stderr(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old").touch()
    tmp_path.chmod(0o755)

    assert private.claim(tmp_path) == f"closed {tmp_path} to others; its mode was 755"
    assert mode(tmp_path) == 0o700
    assert private.claim(tmp_path) is None

    tmp_path.chmod(0o750)
    locate(tmp_path)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("open_mode", [0o777, 0o770, 0o722, 0o1777])
def test_a_folder_that_others_could_write_into_is_used_only_while_it_is_empty(
    tmp_path: Path, open_mode: int
) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(open_mode)
    assert private.claim(folder) == f"closed {folder} to others; its mode was {open_mode:o}"

    (folder / "history.db").touch()
    folder.chmod(open_mode)
    with pytest.raises(Unready) as refusal:
        locate(folder)

    assert f"Look at it, then run `chmod 700 {folder}`" in str(refusal.value)
    assert "set KIMI_MCP_HOME" in str(refusal.value)
    assert mode(folder) == open_mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.chown(folder, 12345, -1)

    with pytest.raises(Unready, match=r"belongs to another user \(number 12345\)"):
        locate(folder)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(Unready, match=r"cannot be made: .*\. Or set KIMI_MCP_HOME"):
        locate(tmp_path / "file/state")


def test_a_home_of_nobody_is_told() -> None:
    with pytest.raises(Unready, match="the home of nobody; set it to a folder of your own"):
        locate(Path("~nobody-here/state"))


def test_a_file_of_ours_is_readable_by_its_owner_only_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with open(tmp_path / "log", "ab", opener=private.opener):
            pass
        bug = keep_bug(tmp_path, ValueError("x"))
    finally:
        os.umask(before)

    assert mode(tmp_path / "log") == mode(bug) == 0o600
