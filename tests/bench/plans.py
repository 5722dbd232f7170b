"""(g) How long and how much memory the reading of a large plan takes.

A plan of 62,500, 250,000 and 1,000,000 characters: the ratios say whether time grows linearly. The
time is the processor's own, for nothing here waits. Memory is the peak of a process that reads the
plan (`VmHWM`, Linux only), beside one that has only started the Markdown parser.
"""

import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from kimi_mcp.spec.plans.extract import extract
from tests.bench.pairing import interleave
from tests.bench.table import Aim, Row

SMALL = 62_500
GROWTH = 4
LINEAR = 4.8  # four times the text in about four times the time; the rest is the noise met

_TASK = """\
### Task {n}: Change part {n}

**Files:**
- Create: `src/part_{n}/store.py`
- Modify: `src/app.py:{n}-{n}9`
- Test: `tests/test_part_{n}.py`

Depends on: Task {before}

The store keeps what was said, and forgets what was withdrawn. Names stay as they are; what is
unknown is refused with the nearest known one. Update `src/part_{n}/index.py` to list it.

- [ ] **Step 1: Write the failing test**

```python
def test_part_{n}_keeps_what_was_said():
    store = Store()
    store.say("word")

    assert store.said() == ["word"]
```

- [ ] **Step 2: Run the test to see it fail**

Run: `pytest tests/test_part_{n}.py -q`
Expected: FAIL

- [ ] **Step 3: Implement**

```python
class Store:
    def __init__(self):
        self._said = []

    def say(self, word):
        self._said.append(word)

    def said(self):
        return list(self._said)
```

| Name | Meaning |
|---|---|
| `say` | keeps a word |
| `said` | gives them all |

- [ ] **Step 4: Run the test to see it pass**

Run: `pytest tests/test_part_{n}.py -q`
Expected: PASS

"""
_PEAK = """\
import re, sys
from pathlib import Path
from markdown_it import MarkdownIt
MarkdownIt("commonmark").enable("table").parse("# x")
from kimi_mcp.spec.plans.extract import extract
text = Path(sys.argv[1]).read_text(encoding="utf-8")
{work}
status = Path("/proc/self/status").read_text()
print(int(re.search(r"VmHWM:\\s*(\\d+)", status)[1]) / 1024)
"""


def rows(scratch: Path, *, rounds: int) -> list[Row]:
    """Measure processor time in milliseconds and peak memory in megabytes."""
    scratch.mkdir(parents=True, exist_ok=True)
    small, middle, large = (plan(SMALL * GROWTH**power) for power in range(3))
    one, four, sixteen = interleave(
        [partial(_busy_ms, text) for text in (small, middle, large)], rounds=rounds
    )
    file = scratch / "plan.md"
    file.write_text(middle, encoding="utf-8")
    reading, idle = interleave(
        [partial(_peak_mb, file, "extract(text)"), partial(_peak_mb, file, "")], rounds=rounds
    )
    return [
        Row(figure="g plan, 250,000 characters", unit="ms", ours=four, aim=Aim("ours", 250)),
        Row(
            figure="g plan, 250,000 / 62,500 characters",
            unit="ms",
            ours=four,
            yardstick=one,
            aim=Aim("ratio", LINEAR),
        ),
        Row(
            figure="g plan, 1,000,000 / 250,000 characters",
            unit="ms",
            ours=sixteen,
            yardstick=four,
            aim=Aim("ratio", LINEAR),
        ),
        Row(
            figure="g plan, memory / the parser's start",
            unit="MB",
            ours=reading,
            yardstick=idle,
            aim=Aim("difference", 60),
        ),
    ]


def plan(characters: int) -> str:
    """Write a plan of about so many characters, of tasks as people write them."""
    parts = ["# Large Implementation Plan\n\n**Goal:** Change every part.\n\n"]
    size = 0
    while size < characters:
        number = len(parts)
        parts.append(_TASK.format(n=number, before=max(number - 1, 1)))
        size += len(parts[-1])
    return "".join(parts)


def _busy_ms(text: str) -> float:
    begun = time.process_time()
    extract(text)
    return (time.process_time() - begun) * 1000


def _peak_mb(file: Path, work: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _PEAK.format(work=work), str(file)],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)
