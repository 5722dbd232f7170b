"""Fresh clones that work without any configuration of ours."""

import os
import sys
from pathlib import Path

import pytest

from dispatching import bench_of, carried_out, configure, dispatched, spec_of, specify
from kimi_mcp.demo.script import say, write
from kimi_mcp.dispatch.launch import LaunchWish, preview
from kimi_mcp.dispatch.running.derived_setup import derived
from kimi_mcp.lifecycle import Outcome, TaskState
from kimi_mcp.review.view import View
from kimi_mcp.spec.parse import parse
from sandbox import Sandbox, StartModel

TASK = "# Your task (1)"
PROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "whole"
version = "1.0"
[tool.setuptools]
py-modules = ["whole"]
[tool.pytest.ini_options]
testpaths = ["tests"]
"""
LOCK = """\
{"name": "whole", "version": "1.0.0", "lockfileVersion": 3, "requires": true, "packages": {
  "": {"name": "whole", "version": "1.0.0", "dependencies": {"dep": "file:dep"}},
  "dep": {"version": "1.0.0"},
  "node_modules/dep": {"resolved": "dep", "link": true}
}}
"""
SPEC = parse(
    spec_of("One\nFiles:\n- CREATE web/src/one.js\nVerification:\n- `npm test` (in tools/check)\n"),
    name="a spec",
)


@pytest.mark.parametrize(
    ("files", "commands"),
    [
        ({"package-lock.json": ""}, ["npm ci --no-audit --no-fund"]),
        (
            {"pnpm-lock.yaml": "", "package-lock.json": ""},
            ["pnpm install --frozen-lockfile"],
        ),
        ({"uv.lock": "", "pyproject.toml": PROJECT}, ["uv sync --frozen"]),
        ({"Cargo.lock": "", "go.mod": ""}, ["cargo fetch --locked", "go mod download"]),
        ({"pyproject.toml": "[tool.ruff]\n"}, []),
        ({"pyproject.toml": "no [TOML"}, []),
        ({"pyproject.toml": "[tool.ruff]\n", "setup.py": ""}, ["-e ."]),
        ({"pyproject.toml": PROJECT}, ["-e . pytest"]),
        (
            {
                "pyproject.toml": '[project]\nname = "x"\n[project.optional-dependencies]\n'
                'dev = ["a"]\ndocs = ["b"]\ntest = ["c"]\n[dependency-groups]\ntest = ["d>=1"]\n'
            },
            ["-e '.[dev,test]' 'd>=1'"],
        ),
        (
            {"requirements.txt": "", "requirements-dev.txt": ""},
            ["-r requirements.txt -r requirements-dev.txt"],
        ),
        ({"web/package-lock.json": ""}, ["cd web && npm ci --no-audit --no-fund"]),
        ({"tools/check/yarn.lock": ""}, ["cd tools/check && yarn install --frozen-lockfile"]),
        ({"examples/a/package-lock.json": ""}, []),
        ({"README.md": ""}, []),
    ],
)
def test_setup_is_told_from_the_files_of_the_base(
    files: dict[str, str], commands: list[str]
) -> None:
    found = derived(
        files, SPEC.tasks, content=files.__getitem__, is_installed=lambda _: True
    ).commands

    assert len(found) == len(commands)
    assert all(line.endswith(end) for line, end in zip(found, commands, strict=True)), found


def test_the_next_program_that_is_installed_answers_and_else_the_file_is_named() -> None:
    files = {"uv.lock": "", "pyproject.toml": PROJECT, "go.mod": ""}

    found = derived(
        files, SPEC.tasks, content=files.__getitem__, is_installed=lambda name: name == "python3"
    )

    assert found.because == ("pyproject.toml",)
    assert found.without == ("go.mod (go)",)


async def test_a_repository_with_a_package_lock_gives_a_delivered_first_dispatch(
    sandbox: Sandbox, start_model: StartModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    # where the suite's own Node and npm are
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    sandbox.write(
        "package.json",
        '{"name": "whole", "version": "1.0.0",'
        ' "dependencies": {"dep": "file:dep"}, "scripts": {"test": "node test.js"}}\n',
    )
    sandbox.write("package-lock.json", LOCK)
    sandbox.write("dep/package.json", '{"name": "dep", "version": "1.0.0"}\n')
    sandbox.write("dep/index.js", "module.exports = 1;\n")
    sandbox.write("test.js", "if (require('dep') !== require('./one.js')) process.exit(1);\n")
    start_model({TASK: (write("one.js", "module.exports = 1;\n"), say("done"))})

    done = await carried_out(
        sandbox, spec_of("One\nFiles:\n- CREATE one.js\nVerification:\n- `npm test`\n")
    )

    assert done.outcomes == {1: TaskState.DELIVERED}, done.view(View.SUMMARY)
    assert done.task(1).changes


async def test_a_python_project_with_tests_gives_a_delivered_first_dispatch(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    sandbox.write("pyproject.toml", PROJECT)
    sandbox.write("whole.py", "WORD = 'whole'\n")
    sandbox.write(
        "tests/test_whole.py", "import whole\ndef test_it():\n    assert whole.WORD == 'all'\n"
    )
    start_model({TASK: (write("whole.py", "WORD = 'all'\n"), say("done"))})
    spec = spec_of("One\nFiles:\n- MODIFY whole.py\nVerification:\n- `pytest -q`\n")
    specify(sandbox, spec)

    told = preview(bench_of(sandbox), LaunchWish(spec="1"))
    done = await dispatched(sandbox)

    assert 'Setup in each clone (derived from "pyproject.toml"): "python3 -m venv .venv' in told
    assert done.outcomes == {1: TaskState.DELIVERED}, done.view(View.SUMMARY)
    assert sandbox.git("show", "--name-only", "--format=", "kimi/" + done.id + "/task-1") == (
        "whole.py"
    )


async def test_setup_that_is_configured_is_the_only_one_and_none_can_be_configured(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    sandbox.write("pyproject.toml", PROJECT)
    start_model({TASK: (write("one.py", "ONE = 1\n"), say("done"))})
    spec = spec_of("One\nFiles:\n- CREATE one.py\nVerification:\n- `test ! -e .venv`\n")
    configure("setup = []")

    none = await carried_out(sandbox, spec)
    configure("setup = ['echo broken; exit 3']")
    broken = await carried_out(sandbox, spec + "\n")

    assert none.outcomes == {1: TaskState.DELIVERED}
    assert broken.outcomes == {1: Outcome.SETUP_FAILED}
    assert "task.step" not in {event.kind for event in broken.events}
