"""Keys as they are pressed, without Enter and without being shown; the terminal is put back."""

import os
import re
import termios
import tty
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager

import anyio

_NAMES = {
    b"\x1b[A": "up",
    b"\x1b[B": "down",
    b"\x1bOA": "up",
    b"\x1bOB": "down",
    b"\x1b[5~": "page up",
    b"\x1b[6~": "page down",
    b"\x1b": "escape",
    b"\r": "enter",
    b"\n": "enter",
    b" ": "page down",
}
_KEY = re.compile(rb"\x1b(?:\[[0-9;]*[~A-Za-z]|O[A-Z])?|[\x00-\x7f]")
_MOST_BYTES = 1024


@contextmanager
def at_once(terminal: int) -> Generator[None]:
    """Let keys of the *terminal* (its descriptor) come as they are pressed; Ctrl-C still ends."""
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


async def pressed(terminal: int) -> AsyncGenerator[str]:
    """Yield the names of keys, to the end of the input: letters, `up`, `enter` and the like."""
    while True:
        await anyio.wait_readable(terminal)
        data = os.read(terminal, _MOST_BYTES)
        if not data:
            return
        for name in named(data):
            yield name


def named(data: bytes) -> list[str]:
    """Name the keys in what a terminal has sent; what is no key of ours is left out."""
    keys = _KEY.findall(data)
    return [_NAMES.get(key, key.decode() if key.isalnum() else "") for key in keys]
