"""Setting single members in a person's JSON text."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.claude import json_text
from kimi_mcp.claude.json_text import NotEditable, read, with_item, with_member, without

STYLES: list[dict[str, Any]] = [
    {"indent": 2},
    {"indent": 4},
    {"indent": "\t"},
    {"indent": None},
    {"separators": (",", ":")},
]
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(["hooks", "PostToolUse", "a"]) | st.text(max_size=3)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)


@st.composite
def texts(draw: st.DrawFn) -> str:
    style = draw(st.sampled_from(STYLES))
    text = json.dumps(draw(OBJECTS), ensure_ascii=draw(st.booleans()), **style)
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return draw(st.sampled_from(["", "\n", "  "])) + text + draw(st.sampled_from(["", "\n"]))


@given(texts(), KEYS, VALUES)
def test_what_was_put_in_and_taken_out_again_leaves_every_byte(
    text: str, key: str, value: Any
) -> None:
    before = read(text)
    if key in before or not before:
        return

    put = with_member(text, [key], value)

    assert read(put) == {**before, key: value}
    assert next(iter(read(put))) == key
    assert without(put, [key]) == text or isinstance(value, list)


@given(texts(), KEYS, KEYS, VALUES)
def test_a_path_is_made_or_refused_and_all_else_is_kept(
    text: str, outer: str, inner: str, value: Any
) -> None:
    before = read(text)
    place = before.get(outer, {})
    if not isinstance(place, dict):
        with pytest.raises(NotEditable):
            with_member(text, [outer, inner], value)
        return

    assert read(with_member(text, [outer, inner], value)) == {
        **before,
        outer: {**place, inner: value},
    }


@given(texts(), KEYS, VALUES)
def test_a_line_of_the_persons_is_never_touched(text: str, key: str, value: Any) -> None:
    before = read(text)
    if key in before or not before or "\n" not in text.strip():
        return

    kept = set(text.splitlines())

    assert kept <= set(with_member(text, [key], value).splitlines())


def test_a_hook_joins_those_that_are_there() -> None:
    text = (
        '{\n    "hooks": {\n        "PostToolUse": [\n'
        '            {"matcher": "Write"}\n        ]\n    }\n}'
    )

    put = with_item(text, ["hooks", "PostToolUse"], {"matcher": "ExitPlanMode"})

    assert put == (
        '{\n    "hooks": {\n        "PostToolUse": [\n            {\n'
        '                "matcher": "ExitPlanMode"\n            },\n'
        '            {"matcher": "Write"}\n        ]\n    }\n}'
    )
    assert with_item(put, ["hooks", "PostToolUse"], {"matcher": "ExitPlanMode"}) == put
    assert without(put, ["hooks", "PostToolUse"], lambda e: e["matcher"] == "ExitPlanMode") == text


@pytest.mark.parametrize(
    "text", ["", "{}", "{}\n", '{"hooks": {}}', '{"hooks": {"PostToolUse": []}}']
)
def test_a_hook_comes_where_there_was_none(text: str) -> None:
    put = with_item(text, ["hooks", "PostToolUse"], {"matcher": "x"})

    assert read(put) == {"hooks": {"PostToolUse": [{"matcher": "x"}]}}
    assert read(without(put, ["hooks", "PostToolUse"])) == {}


@pytest.mark.parametrize("text", ["[]", "1", '{"a": 1', '{"a": 1, "a": 2}', '{"a": 1,}', "{" * 9])
def test_what_is_no_plain_json_object_is_refused(text: str) -> None:
    with pytest.raises(NotEditable):
        with_member(text, ["b"], 1)


def test_what_is_as_wanted_already_stays_byte_for_byte() -> None:
    text = '{"a" : {"b":1 }, "list": [1]}'

    assert with_member(text, ["a", "b"], 1) == text
    assert without(text, ["a", "c"]) == text
    assert without(text, ["nowhere", "at", "all"]) == text
    assert without(text, ["a"], lambda value: value == {"b": 2}) == text
    assert without(text, ["list"], lambda item: item == 2) == text


def test_another_value_takes_the_place_of_the_one_that_was_there() -> None:
    text = '{"a" : {"b":1 }, "c": [ 2 ]}'

    assert with_member(text, ["a", "b"], 3) == '{"a" : {"b":3 }, "c": [ 2 ]}'


def test_the_last_of_several_members_goes_with_the_comma_before_it() -> None:
    text = '{\n  "a": 1,\n  "b": 2\n}\n'

    assert without(text, ["b"]) == '{\n  "a": 1\n}\n'


def test_what_is_no_list_gets_no_item() -> None:
    with pytest.raises(NotEditable, match=r"hooks\.PostToolUse is no list"):
        with_item('{"hooks": {"PostToolUse": {}}}', ["hooks", "PostToolUse"], 1)


@pytest.mark.parametrize("value", [(1, 2), {1: "a number as key"}, float("nan")])
def test_what_would_be_read_back_as_something_else_is_refused(value: object) -> None:
    with pytest.raises(NotEditable, match="would mean something else"):
        with_member('{"a": 1}', ["b"], value)


def test_a_text_of_any_depth_is_edited_or_refused() -> None:
    refused = 0
    for depth in range(800, 1001):
        deep = f'{{"a": {"[" * depth}{"]" * depth}}}'
        try:
            assert with_member(deep, ["b"], 1) == f'{{"b": 1, {deep[1:]}'
        except NotEditable:
            refused += 1

    assert 0 < refused < 201


def test_what_python_reads_and_we_cannot_scan_is_refused() -> None:
    """From 3.12 on its JSON reads deeper texts than a function of Python can call itself."""
    deep = "[" * 5000 + "]" * 5000

    with pytest.raises(NotEditable, match="nested too deeply"):
        json_text._scan(deep)  # pyright: ignore[reportPrivateUsage]
