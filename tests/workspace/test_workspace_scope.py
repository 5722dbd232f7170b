"""What a spec's file list allows, change by change."""

import pytest

from kimi_mcp.workspace.changes import Change
from kimi_mcp.workspace.scope import Allowed, Stray, exact_paths, strays


def change(
    status: str, path: str, *, mode_after: str = "100644", target: str | None = None
) -> Change:
    return Change(
        status=status,
        path=path,
        mode_before="100644",
        mode_after=mode_after,
        added=1,
        deleted=0,
        target=target,
    )


@pytest.mark.parametrize(
    ("allowed", "permitted"),
    [
        (Allowed("CREATE", "a.py"), "AM"),
        (Allowed("MODIFY", "a.py"), "M"),
        (Allowed("DELETE", "a.py"), "D"),
        (Allowed("MOVE", "a.py", "b.py"), "D"),
        (Allowed("MOVE", "b.py", "a.py"), "AM"),
        (Allowed("READ", "a.py"), ""),
        (Allowed("CREATE", "**"), "AM"),
        (Allowed("MODIFY", "A.py"), ""),
    ],
)
def test_each_operation_allows_its_own_changes_and_no_other(
    allowed: Allowed, permitted: str
) -> None:
    judged = {status: strays([change(status, "a.py")], [allowed]) for status in "AMDT"}

    assert {status for status, found in judged.items() if not found} == set(permitted)


def test_strays_say_why_in_the_order_of_the_changes() -> None:
    changes = [
        change("A", "new.py"),
        change("D", "kept.py"),
        change("T", "kept.py", mode_after="120000", target="x"),
        change("M", "kept.py"),
        change("M", "read.py"),
    ]

    assert strays(changes, [Allowed("MODIFY", "kept.py"), Allowed("READ", "read.py")]) == (
        Stray("new.py", "not in the spec's files"),
        Stray("kept.py", "deleted, which the spec does not allow"),
        Stray("kept.py", "became another kind of file"),
        Stray("read.py", "changed, which the spec does not allow"),
    )


def test_several_lines_for_one_path_add_up() -> None:
    allowed = [Allowed("MODIFY", "a.py"), Allowed("DELETE", "*.py")]

    assert strays([change("M", "a.py"), change("D", "a.py")], allowed) == ()


@pytest.mark.parametrize(
    ("path", "target", "leaves"),
    [
        ("link", "/etc/passwd", True),
        ("link", "../outside", True),
        ("a/b/link", "../../../outside", True),
        ("a/link", "..", False),
        ("a/link", "../..", True),
        ("a/link", "../b/../../../x", True),
        ("a/link", "../b", False),
        ("link", "..name", False),
    ],
)
def test_a_link_that_leaves_the_repository_is_a_stray(path: str, target: str, leaves: bool) -> None:  # noqa: FBT001 - a table's column
    found = strays(
        [change("A", path, mode_after="120000", target=target)], [Allowed("CREATE", "**")]
    )

    assert bool(found) is leaves


def test_a_new_submodule_is_a_stray() -> None:
    found = strays([change("A", "sub", mode_after="160000")], [Allowed("CREATE", "sub")])

    assert found == (Stray("sub", "became a submodule"),)


def test_only_paths_spelled_out_for_writing_are_kept_when_ignored() -> None:
    allowed = [
        Allowed("CREATE", "dist/app.js"),
        Allowed("CREATE", "gen/**"),
        Allowed("CREATE", "pages/[id].tsx"),
        Allowed("READ", "secret.env"),
        Allowed("MOVE", "a", "b"),
    ]

    assert exact_paths(allowed) == ("dist/app.js", "pages/[id].tsx", "a", "b")
