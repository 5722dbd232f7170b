"""What a person sees who waits: on stderr, in place, gone when it is over; a pipe gets nothing.

Honest: a share only of what can be counted, else the time that has passed.
"""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager


@contextmanager
def counting(what: str) -> Generator[Callable[[int, int], None]]:
    """Show how many of how many are done: call what is given with both numbers."""
    if not sys.stderr.isatty():
        yield lambda _done, _of: None
        return
    from rich.console import Console  # noqa: PLC0415  only who draws loads rich
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)


@contextmanager
def timing() -> Generator[Callable[[str], None]]:
    """Print a line when something long begins, and show from then on how long it has taken."""
    if not sys.stderr.isatty():
        yield print
        return
    from rich.console import Console  # noqa: PLC0415  only who draws loads rich
    from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = SpinnerColumn("line"), TimeElapsedColumn()
    progress = Progress(*columns, console=Console(stderr=True), transient=True)

    def begin(line: str) -> None:
        print(line, flush=True)
        progress.add_task("")
        progress.start()

    try:
        yield begin
    finally:
        progress.stop()
