"""The advice whether to delegate, and the figures it rests on."""

import pytest

from kimi_mcp.spec.delegation import Advice, delegation
from kimi_mcp.spec.model import FileEntry, Operation, Spec, Task


def spec(files: int, *, code_lines: int = 0) -> Spec:
    entries = tuple(FileEntry(operation=Operation.CREATE, path=f"a{n}.py") for n in range(files))
    code = "```python\n" + "x = 1\n" * code_lines + "```" if code_lines else "Say it."
    return Spec(
        number=1, title="x", tasks=(Task(number=1, title="t", files=entries, requirements=code),)
    )


@pytest.mark.parametrize(
    ("files", "code_lines", "advice"),
    [
        (1, 0, Advice.YOURSELF),
        (2, 49, Advice.YOURSELF),
        (2, 50, Advice.EITHER),
        (2, 101, Advice.DELEGATE),
        (3, 0, Advice.DELEGATE),
        (0, 0, Advice.NOT_YET),
    ],
)
def test_the_advice_follows_the_rule_of_thumb(files: int, code_lines: int, advice: Advice):
    assert delegation(spec(files, code_lines=code_lines)).advice is advice


def test_open_questions_come_before_everything():
    said = delegation(spec(9), [(4, 8)])

    assert said.advice is Advice.NOT_YET
    assert "the plan has open questions (lines 4-8)" in str(said)


def test_the_advice_is_said_with_its_figures():
    assert str(delegation(spec(3))) == "Worth delegating: 3 files."
    assert str(delegation(spec(1))) == "Small (1 file): doing it yourself may be quicker."
    said = "Either way will do: 1 file, about 60 lines of code in the plan."
    assert str(delegation(spec(1, code_lines=60))) == said
