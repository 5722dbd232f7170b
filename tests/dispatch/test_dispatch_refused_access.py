"""What a program's output is taken to say of the fence around it."""

import pytest

from kimi_mcp.dispatch.running.refused_access import explained
from kimi_mcp.processes.confinement import Confinement

FENCE = Confinement(read=("/usr", "/home/ada/work"), write=("/home/ada/work",), cut_network=True)
HOST = {"HOME": "/home/ada"}


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("cat: /home/ada/.m2/x.jar: Permission denied", "The fence refused ~/.m2/x.jar; "),
        ("ok\nError: EACCES: mkdir '/srv/data'\n", "The fence refused /srv/data; "),
        ("touch: /home/adam/x: Read-only file system", "The fence refused /home/adam/x; "),
        ("getaddrinfo EAI_AGAIN host", "Checks have no network but loopback; "),
        ("curl: (6) Could not resolve host: host", "Checks have no network but loopback; "),
    ],
)
def test_what_the_fence_refused_is_told_with_the_setting_that_opens_it(
    output: str, said: str
) -> None:
    assert (explained(output, FENCE, HOST) or "").startswith(said)


@pytest.mark.parametrize(
    "output",
    [
        "",
        "/srv/data is empty",
        "open /home/ada/work/a.py: permission denied",
        "permission denied",
        "2 failed",
    ],
)
def test_what_the_fence_did_not_refuse_is_not_blamed_on_it(output: str) -> None:
    assert explained(output, FENCE, HOST) is None


def test_without_a_fence_nothing_is_blamed_on_it_and_with_the_network_open_no_lack_of_it() -> None:
    is_open = Confinement(read=(), write=())

    assert explained("/srv/data: permission denied", None, HOST) is None
    assert explained("network is unreachable", is_open, HOST) is None
    assert explained("/srv/x: permission denied", is_open, {}) is not None
