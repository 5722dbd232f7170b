"""A key that Kimi writes into a file is reported, by its kind and its line, and never shown."""

import secrets
import string

from dispatching import carried_out, spec_of
from kimi_mcp.demo.script import say, write
from kimi_mcp.history.records import FindingKind
from kimi_mcp.lifecycle import TaskState
from kimi_mcp.review.view import View
from sandbox import Sandbox, StartModel


def a_key() -> str:
    """Make an access key id of AWS up, so that none stands in the repository."""
    return "AKIA" + "".join(secrets.choice(string.ascii_uppercase) for _ in range(16))


async def test_a_key_in_a_file_is_reported_and_the_work_keeps_its_bytes(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    old, new = a_key(), a_key()
    sandbox.write("settings.py", f"OLD = '{old}'\n")
    sandbox.commit()
    text = f"OLD = '{old}'\n\nNEW = '{new}'\n"
    start_model({"": (write("settings.py", text), say("done"))})

    done = await carried_out(
        sandbox,
        spec_of("One\nFiles:\n- MODIFY settings.py\nVerification:\n- `grep -q NEW settings.py`"),
    )

    assert done.outcomes == {1: TaskState.DELIVERED}
    (found,) = done.task(1).findings
    assert (found.kind, found.path, found.line) == (FindingKind.SECRET, "settings.py", 3)
    assert "1 with SECRETS in files" in done.view(View.SUMMARY).splitlines()[0]
    assert 'Task 1, secret: "settings.py" line 3' in done.view(View.CHECKS)
    assert new not in done.view(View.CHECKS)
    assert new in sandbox.show(f"kimi/{done.id}/task-1", "settings.py")
