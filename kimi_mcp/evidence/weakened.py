"""What the checks rest on, compared with the base: whether it proves less than it did. Pure.

Told apart from passed and failed, for a reviewer: an assertion may be gone for a good reason. A
test or an assertion that has only moved to another changed file is not missed. What a test expects
may rightly change with the task; that is told as a thing of its own.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from kimi_mcp.evidence.configuration import changed
from kimi_mcp.evidence.roles import Role, role_of
from kimi_mcp.evidence.traits import Found, Reading, Strength, reading, strength
from kimi_mcp.quoting.quotes import quoted

SHOWN_CHARS = 80
NAMED_TESTS = 3
FINDINGS_OF_A_FILE = 10

_OF_TESTS = frozenset({Role.TEST, Role.HOOK, Role.SCRIPT})
_HOOK = re.compile(
    r"\bdef\s+pytest_(?!addoption|plugin|configure_node|markeval|xdist)\w+|\bpytest_plugins\b|^\s*items\b"
)
_ALWAYS_LOADED = frozenset({"sitecustomize.py", "usercustomize.py"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A changed file as the base has it and as it is now; None where there is none."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weakening:
    """One thing that proves less, or expects something else, in a line of the file as it is now."""

    path: str
    line: int | None = None
    text: str
    is_expectation: bool = False


def weakened(
    versions: Sequence[Version], *, commands: Sequence[str], named: Collection[str]
) -> tuple[Weakening, ...]:
    """Compare the changed files that *commands* rest on with what they were.

    Args:
        versions: all changed files whose text can be read; what does not matter is passed over.
        commands: the task's checks.
        named: paths that the spec spells out: creating a runner's configuration there is wanted.
    """
    found: list[Weakening] = []
    tests: list[_Compared] = []
    for version in versions:
        role = role_of(version.path, commands)
        if role in _OF_TESTS:
            tests.append(_Compared.of(version, role))
        if role is not None and role not in {Role.TEST, Role.SCRIPT}:
            found += _of_file(version, role, commands, is_named=version.path in named)
    found += _of_tests(tests)
    return tuple(_bounded(found))


def _of_file(
    version: Version, role: Role, commands: Sequence[str], *, is_named: bool
) -> Iterator[Weakening]:
    path, before, after = version.path, version.before, version.after
    if role is Role.SNAPSHOT:
        yield from _of_snapshot(version)
    elif after is None:
        yield Weakening(path=path, text="deleted: the checks rested on it")
    elif role is Role.HOOK:
        yield from _of_hook(version)
    elif before is not None:
        for text in changed(path, role, before, after, commands=commands):
            yield Weakening(path=path, text=text)
    elif role is Role.RUNNER and not is_named:  # other new files prove nothing less than none
        yield Weakening(path=path, text="added: it configures the test runner")


def _of_snapshot(version: Version) -> Iterator[Weakening]:
    gone = Counter((version.before or "").splitlines()) - Counter(
        (version.after or "").splitlines()
    )
    if gone:
        text = f"snapshot rewritten: {gone.total()} lines gone or changed"
        yield Weakening(path=version.path, text=text, is_expectation=True)


def _of_hook(version: Version) -> Iterator[Weakening]:
    if PurePosixPath(version.path).name in _ALWAYS_LOADED:
        yield Weakening(path=version.path, text="changed: every Python loads it before the tests")
    known = Counter(line.strip() for line in (version.before or "").splitlines())
    for number, line in enumerate((version.after or "").splitlines(), start=1):
        if _HOOK.search(line) and not known[line.strip()]:
            text = f"the runner is changed: {_short(line)}"
            yield Weakening(path=version.path, line=number, text=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    version: Version
    role: Role
    before: Reading
    after: Reading

    @classmethod
    def of(cls, version: Version, role: Role) -> "_Compared":
        def read(text: str | None) -> Reading:
            return reading(version.path, text or "", is_script=role is Role.SCRIPT)

        return cls(
            version=version, role=role, before=read(version.before), after=read(version.after)
        )


def _of_tests(files: Sequence[_Compared]) -> Iterator[Weakening]:
    names = _Pool(files, lambda read: [Found(name, line, "") for name, line in read.tests.items()])
    assertions = _Pool(files, lambda read: read.assertions)
    skips = _Pool(files, lambda read: read.skips)
    exits = _Pool(files, lambda read: read.exits)
    for file in files:
        path = file.version.path
        gone = names.gone[path]
        if gone:
            what = "test" if len(gone) == 1 else f"{len(gone)} tests"
            yield Weakening(
                path=path,
                text=f"{what} deleted: {_named(gone)}",
            )
        for skip in skips.come[path]:
            yield Weakening(path=path, line=skip.line, text=f"skip added: {_short(skip.text)}")
        for end in exits.come[path]:
            text = f"ends the run as passed: {_short(end.text)}"
            yield Weakening(path=path, line=end.line, text=text)
        if file.role is Role.SCRIPT:
            yield from _of_script(file)
        else:
            missing = {name.text for name in gone}
            lost = [one for one in assertions.gone[path] if one.test not in missing]
            yield from _of_assertions(path, lost, assertions.come[path])


class _Pool:
    """What went and what came, over all files together: what has only moved is neither."""

    def __init__(
        self, files: Sequence[_Compared], take: Callable[[Reading], Sequence[Found]]
    ) -> None:
        before = Counter(one.text for file in files for one in take(file.before))
        after = Counter(one.text for file in files for one in take(file.after))
        self.gone: dict[str, list[Found]] = {}
        self.come: dict[str, list[Found]] = {}
        for file in files:
            path = file.version.path
            self.gone[path] = [one for one in take(file.before) if _taken(after, one.text)]
            self.come[path] = [one for one in take(file.after) if _taken(before, one.text)]


def _taken(pool: Counter[str], text: str) -> bool:
    """Take *text* out of *pool*; True when it is not there."""
    if pool[text] > 0:
        pool[text] -= 1
        return False
    return True


def _of_assertions(path: str, gone: Sequence[Found], come: Sequence[Found]) -> Iterator[Weakening]:
    """Pair what went with what came in the same test, in order."""
    left = [*come]
    for old in gone:
        new = next((one for one in left if one.test == old.test), None)
        if new is None:
            yield Weakening(path=path, text=f"assertion deleted: {_short(old.text)}")
            continue
        left.remove(new)
        told = f"{_short(old.text)} → {_short(new.text)}"
        if strength(new.text) < strength(old.text):
            yield Weakening(path=path, line=new.line, text=f"assertion weakened: {told}")
        elif strength(new.text) == strength(old.text):
            yield Weakening(
                path=path, line=new.line, text=f"expectation changed: {told}", is_expectation=True
            )
    for new in left:
        if strength(new.text) is Strength.NOTHING:
            yield Weakening(path=path, line=new.line, text=f"asserts nothing: {_short(new.text)}")


def _of_script(file: _Compared) -> Iterator[Weakening]:
    """Judge a script that a check runs; it may be the product too, so only a great loss counts."""
    before, after = len(file.before.assertions), len(file.after.assertions)
    if before and not after:
        text = f"a check runs it, and it demands nothing any more ({before} demands before)"
        yield Weakening(path=file.version.path, text=text)


def _bounded(found: Sequence[Weakening]) -> Iterator[Weakening]:
    """Keep a few findings of each file, and say how many more there are."""
    counts: Counter[str] = Counter()
    for one in found:
        counts[one.path] += 1
        if counts[one.path] <= FINDINGS_OF_A_FILE:
            yield one
    for path, count in counts.items():
        if count > FINDINGS_OF_A_FILE:
            yield Weakening(path=path, text=f"and {count - FINDINGS_OF_A_FILE} more in this file")


def _named(tests: Sequence[Found]) -> str:
    more = f" and {len(tests) - NAMED_TESTS} more" if len(tests) > NAMED_TESTS else ""
    return ", ".join(_short(one.text) for one in tests[:NAMED_TESTS]) + more


def _short(text: str) -> str:
    return quoted(text, limit=SHOWN_CHARS)
