"""`render` and `parse` undo each other, whatever stands in the values."""

from dataclasses import replace

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from replacing import with_task

from kimi_mcp.errors import SpecInvalid
from kimi_mcp.spec.entries import read_check, read_file
from kimi_mcp.spec.model import (
    Block,
    Check,
    Command,
    FileEntry,
    Manual,
    Operation,
    Section,
    Spec,
    Task,
)
from kimi_mcp.spec.parse import parse
from kimi_mcp.spec.render import render

_PIECES = [
    *(
        "# Spec: 1 -- x",
        "## Tasks",
        "### Task 2: y [INDEPENDENT]",
        "#### deeper",
        "#",
        "##",
        "\\# z",
    ),
    *("Files:", "Files to create:", "Requirements: now", "Notes:", "Notes\\:", "Budget: 3 steps"),
    *("**Verification:**", "Depends on: Task 1", "```", "~~~", "```py", "````", "<!--", "-->"),
    *("<!-- x -->", "- ```", "- item", "1. one", "- [ ] open", "manual: `x`", "`cmd`", "`a` b"),
    *("`a` (in b, timeout 3m)", "(timeout 0s)", "``", "`", "\\```", "\\\\<!--", "---", "==="),
    *(
        "",
        " ",
        "\t",
        "a -> b",
        "MOVE",
        "x:10-20",
        "[INDEPENDENT]",
        "\\[INDEPENDENT]",
        "\x0b",
        "\u2028",
    ),
    *("12 -- x", "-- y", "001", "—", "\r", "\r\n", "\x85", "\ufeff", "é漢"),
]
_words = st.one_of(st.sampled_from(_PIECES), st.text(st.characters(exclude_categories=["Cs"])))
_line = st.lists(_words, max_size=3).map(" ".join)
_text = st.lists(_line, max_size=5).map("\n".join)
# Big values are the point here; the suite bounds the number of examples instead.
_suite = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)
_number = st.integers(0, 10_000)
_label = st.from_regex(r"[A-Z][a-z]{0,5}( [A-Za-z]{1,4}){0,3}", fullmatch=True)


@st.composite
def _file(draw: st.DrawFn) -> FileEntry:
    operation = draw(st.sampled_from(Operation))
    try:
        return FileEntry(
            operation=operation,
            path=draw(_line),
            lines=draw(st.sampled_from([None, "3", "10-20", "1, 4-5"])),
            target=draw(_line) if operation is Operation.MOVE else None,
            note=draw(st.none() | _text),
        )
    except SpecInvalid:
        return FileEntry(operation=Operation.READ, path="refused")


@st.composite
def _check(draw: st.DrawFn) -> Check:
    try:
        if draw(st.booleans()):
            return Manual(text=draw(_text))
        return Command(
            text=draw(_line),
            directory=draw(st.none() | _line),
            timeout_s=draw(st.none() | st.floats(0, 1e12) | st.integers(1, 9000).map(float)),
            note=draw(st.none() | _text),
        )
    except SpecInvalid:
        return Manual(text="refused")


@st.composite
def _block(draw: st.DrawFn) -> Block:
    try:
        return Block(label=draw(_label), text=draw(_text))
    except SpecInvalid:
        return Block(label="Refused", text="")


@st.composite
def _section(draw: st.DrawFn) -> Section:
    try:
        return Section(title=draw(_line), text=draw(_text))
    except SpecInvalid:
        return Section(title="Refused", text="")


_tasks = st.builds(
    Task,
    number=_number,
    title=_line,
    is_marked_independent=st.booleans(),
    preface=_text,
    depends_on=st.lists(_number, max_size=3).map(tuple),
    files=st.lists(_file(), max_size=3).map(tuple),
    requirements=_text,
    verification=st.lists(_check(), max_size=3).map(tuple),
    budget=st.none() | st.integers(1, 1000),
    others=st.lists(_block(), max_size=2).map(tuple),
)
_specs = st.builds(
    Spec,
    number=st.none() | _number,
    title=_line,
    source=st.none() | _line,
    source_hash=st.none() | st.from_regex(r"[0-9a-f]{8}", fullmatch=True),
    base=st.none() | _line,
    profile=st.none() | _line,
    budget=st.none() | st.integers(1, 1000),
    from_plan=st.dictionaries(_line, _line, max_size=2).map(lambda d: tuple(d.items())),
    preface=_text,
    goal=_text,
    context=_text,
    out_of_scope=_text,
    tasks=st.lists(_tasks, max_size=3).map(tuple),
    sections=st.lists(_section(), max_size=2, unique_by=lambda s: s.title.lower()).map(tuple),
)
_spec_texts = st.one_of(
    _specs.map(render),
    _specs.map(lambda spec: render(spec).replace("\n", "\r\n")),
    _specs.map(lambda spec: render(spec).rstrip()),
    st.lists(_line, max_size=12).map(lambda lines: "\n".join(["# Spec: x", "## Tasks", *lines])),
    st.lists(_line, max_size=12).map(
        lambda lines: "\n".join(["# Spec: x", "## Tasks", "### Task 1", *lines])
    ),
)


@_suite
@given(_specs)
def test_a_spec_made_of_values_survives_the_file(spec: Spec):
    assert parse(render(spec)) == spec


@_suite
@given(_spec_texts)
def test_every_text_that_parses_is_rendered_byte_for_byte(text: str):
    try:
        spec = parse(text)
    except SpecInvalid:
        assume(False)
        return

    assert render(spec) == text


@_suite
@given(_spec_texts)
def test_what_was_read_can_be_written_from_its_values_alone(text: str):
    try:
        spec = parse(text)
    except SpecInvalid:
        assume(False)
        return
    bare = replace(spec, layout=(), tasks=tuple(replace(t, layout=()) for t in spec.tasks))

    assert parse(render(bare)) == spec


@_suite
@given(st.text())
def test_any_text_is_read_or_refused_with_line_numbers(text: str):
    try:
        parse(text, name="any")
        problems: list[str] = []
    except SpecInvalid as error:
        problems = str(error).split("\n")

    assert all(line.startswith("any:") for line in problems)


@_suite
@given(_specs, _tasks, st.data())
def test_replacing_one_field_says_just_that_field(spec: Spec, new: Task, data: st.DataObject):
    assume(spec.tasks)
    read = parse(render(spec))
    number = read.tasks[0].number
    name = data.draw(st.sampled_from(["title", "files", "requirements", "verification"]))
    changed = parse(render(with_task(read, number, **{name: getattr(new, name)})))

    expected = replace(read.tasks[0], **{name: getattr(new, name)})
    assert changed == replace(spec, tasks=(expected, *spec.tasks[1:]))


@_suite
@given(_file())
def test_a_file_entry_survives_its_line(entry: FileEntry):
    assert read_file(str(entry)) == entry


@_suite
@given(_check())
def test_a_check_survives_its_line(check: Check):
    assert read_check(str(check)) == check
