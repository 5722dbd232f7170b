"""What a commit must hold of a task's work, and when two tasks cannot be merged."""

import hashlib

from worlds import Planned

from sandbox import Sandbox


def clash(task: Planned, tasks: list[Planned]) -> bool:
    """Whether two of what a task depends on rewrite neighbouring lines."""
    lines = [tasks[number - 1].lines | tasks[number - 1].taken for number in task.depends_on]
    return any(
        abs(one - other) <= 1
        for index, mine in enumerate(lines)
        for theirs in lines[index + 1 :]
        for one in mine
        for other in theirs
    )


def holds(world: Sandbox, commit: str, task: Planned) -> None:
    """Find every byte of a task's work in a commit of the user's repository."""
    files = world.git("ls-tree", "-r", "--name-only", commit).splitlines()
    done = task.done_acts()
    for path, text in task.made.items():
        if path not in done:
            continue
        assert path in files, (task, commit)
        held = world.git("cat-file", "blob", f"{commit}:{path}")
        if path.endswith(".bin"):
            key = hashlib.sha256(text.encode()).hexdigest()
            assert f"oid sha256:{key}" in held
            stored = world.root / ".git/lfs/objects" / key[:2] / key[2:4] / key
            assert stored.read_text(encoding="utf-8") == text
        else:
            assert held == text.strip(), (task, path)
    assert not {path for path in task.gone if path in done}.intersection(files)
    if task.lines and "shared.txt" in done:
        shared = world.show(commit, "shared.txt")
        assert all(f"line {line} by {task.number}" in shared for line in task.lines)
