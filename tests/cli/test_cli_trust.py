"""`kimi-mcp trust` at a terminal: words and exit codes."""

import subprocess
from collections.abc import Callable

from sandbox import Sandbox

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_trusting_listing_and_revoking_by_hand(kimi_mcp: Run, sandbox: Sandbox) -> None:
    file = sandbox.write(".kimi-mcp.toml", 'setup = ["make deps"]\n')

    done = kimi_mcp("trust")
    listed = kimi_mcp("trust", "--list")
    named = kimi_mcp("trust", ".kimi-mcp.toml")
    revoked = kimi_mcp("trust", "--revoke")
    empty = kimi_mcp("trust", "--list")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Trusted as it is now: {file} ")
    assert "- make deps" in done.stdout
    assert named.stdout == done.stdout
    assert listed.stdout.startswith("holds ")
    assert listed.stdout.endswith(f" {file}\n")
    assert (revoked.returncode, revoked.stdout) == (0, f"No longer trusted: {file}.\n")
    assert (empty.returncode, empty.stdout) == (0, "Nothing is trusted.\n")


def test_what_cannot_be_trusted_is_refused(kimi_mcp: Run) -> None:
    for arguments in ((), ("gone.md",), ("--revoke", "--list")):
        done = kimi_mcp("trust", *arguments)

        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr
