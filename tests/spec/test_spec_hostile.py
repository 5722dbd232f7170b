"""Specs that were written to hurt: each is told in words and in bounds, and none takes long."""

import pytest

from kimi_mcp.errors import SpecInvalid
from kimi_mcp.spec.parse import parse

HEAD = "# Spec: 001 -- x\n\n## Tasks\n### Task 1: t\n"
BYTES = 300_000  # a second where the time is linear, many minutes where it is not

LONGEST_MESSAGE = 8_000

pytestmark = pytest.mark.timeout(60)


def much(text: str) -> str:
    return text * (BYTES // len(text))


def front(text: str) -> str:
    return f"---\n{text}\n---\n{HEAD}"


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{chr(ord(letter) + 1)}: &{chr(ord(letter) + 1)} [*{letter}, *{letter}, *{letter}]\n"
    for letter in "abcdefghij"
)
REFUSED = (
    ("a bomb of references", front(LAUGHS), "an anchor or a reference (`&` or `*`); write"),
    ("a merge of references", front("a: &a {x: 1}\n<<: [*a, *a]"), "an anchor or a reference"),
    ("a reference alone", front("title: *a"), "an anchor or a reference"),
    ("deep brackets", front("a: " + "[" * 20_000), "values within values; write flat"),
    ("deep folders", front("a:\n b:\n  c: 1"), "values within values; write flat"),
    ("a program", front("source: !!python/object/apply:os.system [id]"), "no YAML"),
    ("a huge number", front("number: 0x" + "f" * 60_000), "must be a whole number, 0 to 999999"),
    ("many digits", front("number: " + "9" * 60_000), "the front matter is no YAML"),
    ("a huge budget", front("budget: 1000000"), "must be a whole number, 1 to 999999"),
    ("a long front", front("source: " + "x" * 70_000), "longer than 65536 bytes; shorten it"),
    ("many tasks", HEAD + much("### Task 1: t\n"), "more than 300 tasks; make several specs"),
    ("many files", f"{HEAD}Files:\n" + much("- CREATE a\n"), "more than 500 items; use globs"),
    ("many checks", f"{HEAD}Verification:\n" + much("- `a`\n"), "more than 100 items"),
    ("a long path", f"{HEAD}Files:\n- CREATE " + much("a"), "characters; write at most 4096"),
    ("a long command", f"{HEAD}Verification:\n- `" + much("a") + "`\n", "write at most 16384"),
    ("many problems", f"{HEAD}Files:\n" + much("- a\n"), "more problems"),
    ("a long word", f"{HEAD}Depends on: " + much("x"), "is no task"),
)
READ = (
    ("fences that nothing closes", f"{HEAD}Requirements:\n" + much("```a\n")),
    ("ever shorter fences", HEAD + "".join("`" * n + "a\n" for n in range(1_000, 3, -1))),
    ("comments that nothing closes", f"{HEAD}Requirements:\n" + much("<!--\n")),
    ("lines that go on", f"{HEAD}Verification:\n- a\n" + much("  a\n")),
    ("spaces in brackets", f"{HEAD}Verification:\n- `a` (" + " " * 16_000 + "x\n"),
    ("many ticks", f"{HEAD}Verification:\n- " + "`a" * 8_000 + "\n"),
    ("many arrows", f"{HEAD}Files:\n- MOVE a " + "-> " * 1_300 + "\n"),
    ("many backslashes", HEAD + much("\\") + "\n"),
    ("many hashes", HEAD + much("#") + "\n"),
    ("many labels", HEAD + much("Ab:\n")),
    ("a title of digits", "# Spec: " + much("1") + " -- x\n\n## Tasks\n"),
    ("a title of spaces", "# Spec: " + much(" ") + "\n"),
    ("line ends alone", HEAD + much("\r")),
)


@pytest.mark.parametrize(
    ("text", "said"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_is_beyond_all_bounds_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(SpecInvalid) as refusal:
        parse(text, name="spec.md")

    message = str(refusal.value)
    assert message.startswith("spec.md:")
    assert said in message
    assert len(message) < LONGEST_MESSAGE


@pytest.mark.parametrize("text", [row[1] for row in READ], ids=[row[0] for row in READ])
def test_no_text_takes_long(text: str) -> None:
    try:
        message = str(parse(text, name="spec.md").number)
    except SpecInvalid as refusal:
        message = str(refusal)

    assert len(message) < LONGEST_MESSAGE
