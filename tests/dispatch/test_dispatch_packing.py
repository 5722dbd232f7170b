"""Raw output takes less room once its dispatch is over, and none of it is lost."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from dispatching import carried_out, spec_of
from harvest import Work, harvested
from kimi_mcp.demo.script import bash, say, write
from kimi_mcp.dispatch.housekeeping.packing import WORTH_BYTES, pack
from kimi_mcp.dispatch.housekeeping.sweep import sweep
from kimi_mcp.lifecycle import DispatchState
from kimi_mcp.state import RunFolder
from living import until
from sandbox import Sandbox, StartModel

LONG = "a line of output\n" * 1000
SHORT = "ok\n"


def filled(folder: RunFolder) -> dict[Path, str]:
    """Put output into every place where a dispatch has some."""
    texts = {
        "task-1/attempt-1/stdout.jsonl": LONG,
        "task-1/attempt-1/stderr.txt": SHORT,
        "task-1/attempt-2/check-1-again.txt": LONG,
        "task-1/base/setup-1.txt": LONG,
        "task-merged/check-1.txt": LONG,
    }
    for name, text in texts.items():
        file = folder.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return {folder.root / name: text for name, text in texts.items()}


def read(file: Path) -> str:
    """Read a file, compressed or not; never both."""
    packed = file.with_name(f"{file.name}.gz")
    assert file.exists() != packed.exists()
    return gzip.decompress(packed.read_bytes()).decode() if packed.exists() else file.read_text()


def test_what_is_long_is_compressed_and_reads_as_before(tmp_path: Path) -> None:
    texts = filled(RunFolder(tmp_path))

    pack(RunFolder(tmp_path))
    pack(RunFolder(tmp_path))

    assert {file: read(file) for file in texts} == texts
    for file, text in texts.items():
        assert file.exists() == (len(text) <= WORTH_BYTES)
    packed = [*tmp_path.rglob("*.gz")]
    assert len(packed) == 4
    assert {file.stat().st_mode & 0o777 for file in packed} == {0o600}
    assert sum(file.stat().st_size for file in packed) < len(LONG) / 10
    assert [*tmp_path.rglob("*.part")] == []


def test_a_compression_that_was_cut_off_is_begun_anew(tmp_path: Path) -> None:
    texts = filled(RunFolder(tmp_path))
    first = next(iter(texts))
    first.with_name(f"{first.name}.gz.part").write_bytes(b"half")

    pack(RunFolder(tmp_path))

    assert {file: read(file) for file in texts} == texts
    assert [*tmp_path.rglob("*.part")] == []


def test_links_and_what_is_no_output_stay_as_they_are(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text(LONG, encoding="utf-8")
    folder = RunFolder(tmp_path / "run")
    (folder.root / "task-1/attempt-1").mkdir(parents=True)
    (folder.root / "task-1/clone").mkdir()
    (folder.root / "task-1/attempt-1/check-1.txt").symlink_to(mine)
    kept = [folder.root / "task-1/clone/notes.txt", folder.root / "task-1/prepared.json"]
    for file in kept:
        file.write_text(LONG, encoding="utf-8")

    pack(folder)

    assert mine.read_text(encoding="utf-8") == LONG
    assert [*tmp_path.rglob("*.gz")] == []


def test_only_what_is_over_and_has_no_runner_is_compressed(sandbox: Sandbox) -> None:
    harvest = harvested(sandbox, Work(files={"one.py": "1\n"}))
    bench, run = harvest.bench, harvest.bench.state.run(harvest.id)
    texts = filled(run)

    def swept() -> int:
        sweep(bench.history, bench.state, now=datetime.now(UTC), days=14)
        return len([*run.root.rglob("*.gz")])

    with FileLock(run.lifeline):
        assert swept() == 0
    bench.history.reopen(harvest.id, errand={}, tasks=(1,), amendments={}, at=bench.stamp())
    assert swept() == 0
    bench.history.lose(harvest.id, source=DispatchState.QUEUED, at=bench.stamp(), note="over")
    assert swept() == 4
    assert {file: read(file) for file in texts} == texts


async def test_a_runner_compresses_its_own_output_at_its_end(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    loud = bash("for n in $(seq 900); do echo a long line of output, number $n; done")
    start_model({"": (loud, write("one.txt", "hello\n"), say("done"))})

    done = await carried_out(
        sandbox,
        spec_of("One\nFiles:\n- CREATE one.txt\nVerification:\n- `seq 9000`\n"),
    )

    attempt = done.bench.state.run(done.id).task(1).attempt(1)
    await until(lambda: not (attempt / "stdout.jsonl").exists())
    await until(lambda: not (attempt / "check-1.txt").exists())
    assert read(attempt / "check-1.txt").splitlines()[-1] == "9000"
    assert "number 900" in read(attempt / "stdout.jsonl")
