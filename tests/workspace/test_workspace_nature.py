"""What a changed file is besides its lines, with real git, and what follows by rule from it."""

import pytest
from user_checkout import Task

from kimi_mcp.workspace.changes import Change, texts
from kimi_mcp.workspace.nature import nature, size
from kimi_mcp.workspace.scope import Allowed, strays


def test_each_kind_of_change_is_named(task: Task) -> None:
    task.kimi.write("logo.bin", bytes(range(256)) * 100)
    task.kimi.write("big.txt", "line\n" * 400_000)
    task.kimi.write("plain.txt", "one\n")
    task.kimi.write("run.sh", "#!/bin/sh\n").chmod(0o755)
    (task.clone / "README.md").chmod(0o755)
    (task.clone / "src/old.py").rename(task.clone / "src/renamed.py")
    (task.clone / "src/app.py").unlink()
    (task.clone / "src/app.py").symlink_to("renamed.py")
    (task.clone / "link.md").symlink_to("README.md")

    changes = task.commit().changes

    assert {change.path: nature(change) for change in changes} == {
        "README.md": "made executable",
        "big.txt": "2 MB",
        "link.md": "a link",
        "logo.bin": "binary, 25.6 kB",
        "plain.txt": None,
        "run.sh": "executable",
        "src/app.py": "made a link",
        "src/old.py": None,
        "src/renamed.py": 'renamed from "src/old.py"',
    }


def test_texts_are_read_before_and_after_within_a_limit(task: Task) -> None:
    task.kimi.write("logo.bin", b"\0\1")
    task.kimi.write("big.txt", "x" * 2000)
    task.kimi.write("src/app.py", "four\n")
    (task.clone / "src/old.py").unlink()

    changes = task.commit().changes

    read = dict(
        zip(
            [change.path for change in changes],
            texts(task.ledger, changes, limit_bytes=1000),
            strict=True,
        )
    )
    assert read == {
        "big.txt": (None, None),
        "logo.bin": (None, None),
        "src/app.py": ("one\ntwo\nthree\n", "four\n"),
        "src/old.py": ("old\n", None),
    }


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("000000", "160000", "made a submodule"),
        ("100644", "160000", "made a submodule"),
        ("160000", "160000", "a submodule's pointer"),
        ("160000", "000000", "a submodule, removed"),
        ("120000", "100644", "was a link"),
        ("120000", "120000", "a link"),
        ("100755", "100644", "no longer executable"),
        ("100755", "000000", None),
    ],
)
def test_what_gits_modes_say_is_told(before: str, after: str, told: str | None) -> None:
    changed = Change(status="T", path="a", mode_before=before, mode_after=after, added=1, deleted=0)

    assert nature(changed) == told


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, "0 bytes"), (999, "999 bytes"), (34_000, "34 kB"), (2_100_000, "2.1 MB"), (3e9, "3 GB")],
)
def test_sizes_are_written_as_people_do(count: int, told: str) -> None:
    assert size(int(count)) == told


def change(path: str, status: str = "M") -> Change:
    return Change(
        status=status, path=path, mode_before="100644", mode_after="100644", added=1, deleted=0
    )


PACKAGE = Allowed("MODIFY", "web/package.json")


@pytest.mark.parametrize(
    ("path", "others", "allowed"),
    [
        ("web/package-lock.json", ["web/package.json"], PACKAGE),
        ("pnpm-lock.yaml", ["web/package.json"], PACKAGE),
        ("uv.lock", ["pyproject.toml"], Allowed("MODIFY", "*.toml")),
        ("Cargo.lock", ["crates/a/Cargo.toml"], Allowed("CREATE", "crates/**")),
        ("a/go.sum", ["a/go.mod"], Allowed("MODIFY", "a/go.mod")),
        ("src/__snapshots__/a.test.ts.snap", [], Allowed("MODIFY", "src/a.test.ts")),
        ("tests/__snapshots__/test_a.ambr", [], Allowed("CREATE", "tests/test_a.py")),
        ("e2e/a.spec.ts-snapshots/one-linux.png", [], Allowed("MODIFY", "e2e/a.spec.ts")),
        ("src/snapshots/a__b.snap", ["src/b.rs"], Allowed("MODIFY", "src/b.rs")),
    ],
)
def test_what_a_tool_writes_follows_what_the_spec_names(
    path: str, others: list[str], allowed: Allowed
) -> None:
    changes = [change(path, "A"), *map(change, others)]

    assert strays(changes, [allowed]) == ()
    assert [stray.path for stray in strays(changes, [])] == [path, *others]


@pytest.mark.parametrize(
    ("path", "others", "allowed"),
    [
        ("package-lock.json", [], Allowed("MODIFY", "package.json")),  # nothing to follow
        ("api/package-lock.json", ["web/package.json"], PACKAGE),  # beside it
        ("web/package-lock.json", ["web/package.json"], Allowed("READ", "web/package.json")),
        ("src/__snapshots__/b.test.ts.snap", ["src/a.test.ts"], Allowed("MODIFY", "src/a.test.ts")),
        ("web/other.json", ["web/package.json"], PACKAGE),
    ],
)
def test_what_follows_nothing_that_the_spec_names_is_out_of_scope(
    path: str, others: list[str], allowed: Allowed
) -> None:
    found = strays([change(path), *map(change, others)], [allowed])

    assert path in [stray.path for stray in found]


def test_a_lock_file_that_was_deleted_is_out_of_scope() -> None:
    assert strays([change("web/package-lock.json", "D"), change("web/package.json")], [PACKAGE])


def test_a_lock_file_that_became_a_link_is_out_of_scope() -> None:
    lock = Change(
        status="T",
        path="web/package-lock.json",
        mode_before="100644",
        mode_after="120000",
        added=1,
        deleted=1,
        target="other.json",
    )

    assert strays([lock, change("web/package.json")], [PACKAGE])
