"""Specs that cannot be dispatched: a dry run lists why, in bounds, and launching refuses."""

import pytest

from dispatching import bench_of, spec_of, specify
from kimi_mcp.dispatch.launch import LaunchWish, launch, preview
from kimi_mcp.errors import KimiMcpError
from sandbox import Sandbox, StartModel

ONE = "One\nFiles:\n- CREATE one.py\nVerification:\n- `true`\n"
FAULTY = (
    ("itself", spec_of(f"{ONE}\nDepends on: Task 1\n"), "depends on itself; remove that"),
    (
        "a circle",
        spec_of(f"{ONE}\nDepends on: Task 2\n", "Two\nDepends on: Task 1\nFiles:\n- CREATE b\n"),
        "depends on itself through",
    ),
    ("a task twice", spec_of(ONE) + "### Task 1: Again\n", "two tasks have this number"),
    ("no task", "# Spec: 001 -- x\n\n## Tasks\n", "no tasks; give them in `tasks`"),
    (
        "very many faults",
        spec_of("One\nFiles:\n" + "".join(f"- MODIFY {'x' * 300}{n}.py\n" for n in range(500))),
        "more",
    ),
)


@pytest.mark.parametrize(("spec", "said"), [row[1:] for row in FAULTY], ids=[r[0] for r in FAULTY])
def test_a_faulty_spec_is_told_by_a_dry_run_and_refused_by_a_dispatch(
    sandbox: Sandbox, start_model: StartModel, spec: str, said: str
) -> None:
    start_model({})
    specify(sandbox, spec)
    bench = bench_of(sandbox)

    told = preview(bench, LaunchWish(spec="1"))
    with pytest.raises(KimiMcpError) as refusal:
        launch(bench, LaunchWish(spec="1"))

    for text in (told, str(refusal.value)):
        assert said in text
        assert len(text) < 8_000
    assert "cannot start" in told.splitlines()[0]
    assert bench.history.recent(limit=1) == ()
