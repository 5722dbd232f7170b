"""The id of a dispatch: how it looks, and the door where text becomes one.

An id ends up in branch names, paths and URIs, so it is checked wherever text comes in from outside;
what has the type has passed.
"""

import re
from typing import NewType

from kimi_mcp.errors import Refused
from kimi_mcp.reading import shown

DispatchId = NewType("DispatchId", str)
#: The id of one run of a dispatch: the dispatch's own, with `.r<k>` or `.t<n>.a<k>` for later ones.
RunId = NewType("RunId", str)

_SHAPE = re.compile(r"\d{3,}-[a-z0-9]+(?:-[a-z0-9]+)*-[a-z0-9]{4}", re.ASCII)


def dispatch_id(text: str) -> DispatchId:
    """Take *text* for a dispatch id.

    Raises:
        Refused: it does not look like one.
    """
    if _SHAPE.fullmatch(text) is None:
        raise Refused(
            f"{shown(text)!r} is not a dispatch id. Dispatch ids look like 001-add-login-7k3f; "
            "the history lists them."
        )
    return DispatchId(text)


def new_dispatch_id(number: int, slug: str, token: str) -> DispatchId:
    """Compose the id of spec *number*'s dispatch; *token* (four letters or digits) makes it unique.

    Raises:
        Refused: *slug* or *token* holds anything but lower-case letters and digits.
    """
    return dispatch_id(f"{number:03d}-{slug}-{token}")


def resumed_id(dispatch: DispatchId, count: int) -> RunId:
    """Compose the id of a dispatch's *count*-th resume."""
    return RunId(f"{dispatch}.r{count}")


def revised_id(dispatch: DispatchId, task: int, attempt: int) -> RunId:
    """Compose the id of the run that makes *attempt* at *task*."""
    return RunId(f"{dispatch}.t{task}.a{attempt}")
