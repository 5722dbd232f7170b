"""What is asked of a cluster, as data."""

import socket

from kimi_mcp.cluster.asked import Asked, machine_name

LAPTOP = {"HOME": "/home/ann", "RAY_USE_TLS": "1", "RAY_TLS_CA_CERT": "/ca.pem", "OTHER": "x"}
RAYS = {
    "RAY_USE_TLS": "1",
    "RAY_TLS_CA_CERT": "/ca.pem",
    "RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL": "minor",
}


def test_the_way_in_is_told_by_the_environment_and_nothing_else_goes_along() -> None:
    with_file = Asked(address="head:6379", token_file="/token")
    plain = Asked(address="head:6379")

    assert with_file.environment({**LAPTOP, "RAY_AUTH_TOKEN": "t"}) == {
        **RAYS,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": "/token",
    }
    assert plain.environment({**LAPTOP, "RAY_AUTH_TOKEN": "t"}) == {
        **RAYS,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": "t",
    }
    assert plain.environment(LAPTOP) == RAYS


def test_what_was_asked_is_read_back_and_what_a_newer_version_asks_is_passed_over() -> None:
    asked = Asked(address="head:6379", policy="overflow", labels={"disk": "fast"}, retries=2)

    assert Asked.from_json({**asked.to_json(), "of_next_year": 1}) == asked


def test_a_machine_is_called_as_it_was_told_or_by_its_own_name() -> None:
    assert machine_name({"KIMI_MCP_NODE": "attic"}) == "attic"
    assert machine_name({}) == socket.gethostname()
