"""How the text of an argument is read, where it is more than a text. Pure."""

import argparse

LARGEST_PAGE = 1000


def page_size(text: str) -> int:
    """Read how many dispatches stand on a page.

    Raises:
        ArgumentTypeError: it is no number from 1 to 1000.
    """
    if not (text.isascii() and text.isdigit() and 0 < int(text[:5]) <= LARGEST_PAGE):
        raise argparse.ArgumentTypeError(f"takes a number from 1 to {LARGEST_PAGE}, not {text!r}")
    return int(text)


def label(text: str) -> tuple[str, str]:
    """Read a label of a machine.

    Raises:
        ArgumentTypeError: it is not KEY=VALUE.
    """
    key, sign, value = text.partition("=")
    if not (key and sign and value):
        raise argparse.ArgumentTypeError(f"takes KEY=VALUE, not {text!r}")
    return key, value
