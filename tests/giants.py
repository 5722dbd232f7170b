"""Large repositories, made quickly: many files, or a history of many bytes that do not compress."""

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

BLOB_BYTES = 1_000_000
FILES_OF_A_FOLDER = 100


def with_files(root: Path, count: int) -> None:
    """Commit *count* small files on top of what there is."""
    files = [
        (f"many/{number // FILES_OF_A_FOLDER}/{number}.py", f"NUMBER = {number}\n".encode())
        for number in range(count)
    ]
    _import(root, iter([files]))


def with_history(root: Path, size_bytes: int) -> None:
    """Commit a file again and again until its versions take *size_bytes*."""
    rng = random.Random(1)
    versions = -(-size_bytes // BLOB_BYTES)
    _import(root, ([("large.bin", rng.randbytes(BLOB_BYTES))] for _ in range(versions)))


def _import(root: Path, commits: Iterator[list[tuple[str, bytes]]]) -> None:
    """Have git read commits, each of some files, upon the branch that is checked out."""
    branch, parent = _git(root, "symbolic-ref", "HEAD"), _git(root, "rev-parse", "HEAD")
    with subprocess.Popen(
        ["git", "fast-import", "--quiet"], cwd=root, stdin=subprocess.PIPE
    ) as importer:
        stdin = importer.stdin
        assert stdin is not None
        for number, files in enumerate(commits):
            stdin.write(f"commit {branch}\ncommitter A <a@b> {number} +0000\ndata 1\nx".encode())
            stdin.write(f"\nfrom {parent}\n".encode() if number == 0 else b"\n")
            for path, content in files:
                stdin.write(f"M 100644 inline {path}\ndata {len(content)}\n".encode())
                stdin.write(content + b"\n")
        stdin.close()
    assert importer.returncode == 0
    _git(root, "reset", "-q", "--hard")


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()
