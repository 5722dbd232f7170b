"""Random specs for a random repository, and what must come of each task. Seeded, pure.

Each task works on files of its own, but for `shared.txt`, of which two tasks may rewrite the same
line. What a task does may be beside its list, may fail, or may end in the middle.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Act = tuple[str, ...]

#: The user's files when the dispatch begins; those that end in `.bin` are kept by git-lfs.
BASE: Mapping[str, str] = {
    "shared.txt": "".join(f"line {number}\n" for number in range(1, 41)),
    **{f"own-{number}.txt": f"own {number}\n" for number in range(1, 6)},
    **{f"old/gone-{number}.txt": f"gone {number}\n" for number in range(1, 6)},
    **{f"old/moved-{number}.txt": f"moved {number}\n" * 5 for number in range(1, 6)},
    **{f"tool-{number}.sh": f"echo {number}\n" for number in range(1, 6)},
    "picture.bin": "pixels " * 500,
    ".gitignore": "out/\n",
    ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
}
FAULTS = ("none", "stray", "nothing", "failing", "dying", "check", "blocked")
WEIGHTS = (60, 12, 5, 6, 6, 7, 4)


@dataclass(slots=True)
class Planned:
    """A task: what its spec lists, what Kimi does, and what is wrong with that."""

    number: int
    depends_on: tuple[int, ...]
    fault: str
    files: list[str] = field(default_factory=list[str])
    acts: list[Act] = field(default_factory=list[Act])
    intended: list[Act] = field(default_factory=list[Act])
    """What it would have done without the fault."""
    made: dict[str, str] = field(default_factory=dict[str, str])
    """Texts that the result must hold, by path."""
    gone: list[str] = field(default_factory=list[str])
    lines: set[int] = field(default_factory=set[int])
    """Which lines of `shared.txt` it rewrites."""
    taken: frozenset[int] = frozenset()
    """Which of them the tasks before it have rewritten."""
    command: str = "true"

    @property
    def stray(self) -> str:
        """The file beside its list."""
        return f"stray-{self.number}.txt"

    def done_acts(self) -> frozenset[str]:
        """Name the paths of what Kimi did before it ended."""
        whole = [act[0] for act in self.acts]
        acts = self.acts[: whole.index("die")] if "die" in whole else self.acts
        return frozenset(path for act in acts for path in act[1:])

    @property
    def check(self) -> str:
        """The command that the spec lists."""
        return "false" if self.fault == "check" else self.command

    def text(self) -> str:
        """Write it as a spec has it."""
        needed = ", ".join(f"Task {number}" for number in self.depends_on)
        return "\n".join(
            [
                f"Part {self.number}",
                *([f"Depends on: {needed}"] if needed else []),
                "Files:",
                *(f"- {line}" for line in self.files),
                "Requirements:",
                f"- ACTS {json.dumps(self.acts)}",
                "Verification:",
                f"- `{self.check}`",
            ]
        )


def planned(
    rng: random.Random,
    *,
    most: int = 5,
    weights: Sequence[int] = WEIGHTS,
    only: Sequence[str] | None = None,
) -> list[Planned]:
    """Draw the tasks of one spec, at least two.

    *weights* are those of `FAULTS`; *only* names the kinds of deeds.
    """
    possible = sorted(only or _KINDS)
    tasks: list[Planned] = []
    for number in range(1, rng.randint(2, most) + 1):
        earlier = [task.number for task in tasks]
        needed = rng.sample(
            earlier, k=rng.choice([0, 0, 1, min(2, len(earlier))]) if earlier else 0
        )
        (fault,) = rng.choices(FAULTS, weights)
        before = [tasks[other - 1] for other in needed]
        taken = frozenset(line for other in before for line in other.lines | other.taken)
        task = Planned(number, tuple(sorted(needed)), fault, taken=taken)
        kinds = rng.sample(possible, k=rng.randint(1, min(3, len(possible))))
        for kind in kinds:
            _KINDS[kind](task, rng)
        _spoil(task, rng)
        tasks.append(task)
    return tasks


def _create(task: Planned, rng: random.Random) -> None:
    path, text = f"new/{task.number}.txt", f"new {task.number} {rng.random()}\n"
    task.files.append(f"CREATE {path}")
    task.acts.append(("write", path, text))
    task.made[path] = text


def _large(task: Planned, rng: random.Random) -> None:
    path, text = f"large-{task.number}.bin", f"large {task.number} {rng.random()} " * 300
    task.files.append(f"CREATE {path}")
    task.acts.append(("write", path, text))
    task.made[path] = text


def _share(task: Planned, rng: random.Random) -> None:
    line = rng.choice([line for line in (2, 3, 20, 38) if line not in task.taken])
    task.files.append("MODIFY shared.txt")
    task.acts.append(("replace", "shared.txt", f"line {line}\n", f"line {line} by {task.number}\n"))
    task.lines.add(line)


def _modify(task: Planned, rng: random.Random) -> None:
    path, text = f"own-{task.number}.txt", f"rewritten {rng.random()}\n"
    task.files.append(f"MODIFY {path}")
    task.acts.append(("write", path, text))
    task.made[path] = text


def _delete(task: Planned, _: random.Random) -> None:
    path = f"old/gone-{task.number}.txt"
    task.files.append(f"DELETE {path}")
    task.acts.append(("delete", path))
    task.gone.append(path)


def _move(task: Planned, _: random.Random) -> None:
    old, new = f"old/moved-{task.number}.txt", f"moved-{task.number}.txt"
    task.files.append(f"MOVE {old} -> {new}")
    task.acts.append(("move", old, new))
    task.gone.append(old)
    task.made[new] = BASE[old]


def _mode(task: Planned, _: random.Random) -> None:
    path = f"tool-{task.number}.sh"
    task.files.append(f"MODIFY {path}")
    task.acts.append(("mode", path))
    task.made[path] = BASE[path]


def _link(task: Planned, _: random.Random) -> None:
    path = f"link-{task.number}"
    task.files.append(f"CREATE {path}")
    task.acts.append(("link", path, "shared.txt"))
    task.made[path] = "shared.txt"


_KINDS = {
    "create": _create,
    "large": _large,
    "share": _share,
    "modify": _modify,
    "delete": _delete,
    "move": _move,
    "mode": _mode,
    "link": _link,
}
#: What Kimi does besides, and what must not matter.
_HARMLESS: tuple[Act, ...] = (
    ("write", "out/ignored.txt", "ignored\n"),
    ("run", "git add -A && git -c user.name=k -c user.email=k commit -qm mine"),
    ("run", "git config core.fsmonitor 'touch /nonexistent'"),
    ("run", "rm -rf .git"),
)


def _spoil(task: Planned, rng: random.Random) -> None:
    task.intended = [*task.acts]
    if rng.random() < 0.3:
        task.acts.append(rng.choice(_HARMLESS))
    match task.fault:
        case "stray":
            task.acts.append(("write", task.stray, "stray\n"))
        case "nothing":
            task.acts = [("say", "I did nothing.")]
        case "failing":
            task.acts.append(("fail", "provider.api_error: 500 broken"))
        case "dying":
            task.acts.insert(rng.randrange(len(task.acts) + 1), ("die",))
        case "blocked":
            task.acts.append(("say", "BLOCKED: which one?"))
        case _:
            pass
