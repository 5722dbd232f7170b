"""What a file is for the checks, told from its path. Pure."""

import re
from collections.abc import Iterable
from enum import Enum, auto
from pathlib import PurePosixPath


class Role(Enum):
    """Why checks rest on a file."""

    TEST = auto()
    SNAPSHOT = auto()  # what tests compare with, written by a tool
    HOOK = auto()  # code that a runner loads before any test
    RUNNER = auto()  # the configuration of a test runner, or of a measure of tests
    BUILD = auto()  # says, among other things, what the checks' commands do
    CI = auto()
    SCRIPT = auto()  # a check runs it


_TEST_FOLDERS = frozenset({"test", "tests", "__tests__", "e2e"})
_SPEC_FOLDERS = frozenset({"spec", "specs"})  # where a language calls its tests that
_WITH_SPECS = frozenset({".rb", ".js", ".jsx", ".mjs", ".ts", ".tsx", ".php", ".lua"})
_TEST_NAME = re.compile(
    r"test_.*\.py|.*_tests?\.(?:py|go|rb|exs|dart|c|cc|cpp|rs|clj)|.*_spec\.rb"
    r"|.*[._-](?:test|spec|cy|e2e)\.[cm]?[jt]sx?|.*(?:Tests?|Spec|IT)\.(?:java|kt|kts|cs|fs|scala"
    r"|groovy|swift|php)|Test.*\.(?:java|kt)|.*\.bats|tests?\.(?:py|[cm]?[jt]s|sh|rb|php|rs)"
)
_CODE = frozenset(
    {
        ".py", ".go", ".rs", ".rb", ".php", ".java", ".kt", ".kts", ".scala", ".groovy", ".cs",
        ".fs", ".swift", ".ex", ".exs", ".dart", ".c", ".cc", ".cpp", ".cxx", ".h", ".hpp", ".js",
        ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx", ".vue", ".svelte", ".sh", ".bash",
        ".bats", ".clj",
    }
)  # fmt: skip
_SNAPSHOT = re.compile(
    r"(?:^|/)__snapshots__/|\.snap$|\.approved\.[^/]+$|(?:^|/)snapshots/.*\.snap"
)
_HOOKS = frozenset(
    {"conftest.py", "sitecustomize.py", "usercustomize.py", "spec_helper.rb", "rails_helper.rb"}
)
_RUNNERS = re.compile(
    r"pytest\.ini|\.pytest\.ini|tox\.ini|setup\.cfg|noxfile\.py|\.coveragerc|\.?codecov\.ya?ml"
    r"|(?:jest|vitest|vitest\.workspace|playwright|cypress|karma|ava|wdio|nightwatch)"
    r"\.(?:config|conf)\.[cm]?[jt]s(?:on)?|cypress\.json|\.mocharc(?:\..+)?|\.nycrc(?:\..+)?"
    r"|\.c8rc(?:\..+)?|\.taprc|phpunit\.xml(?:\.dist)?|\.rspec|\.simplecov|testng\.xml|nextest\.toml"
)
_BUILDS = re.compile(
    r"package\.json|pyproject\.toml|Makefile|makefile|GNUmakefile|justfile|Justfile|Taskfile\.ya?ml"
    r"|pom\.xml|build\.gradle(?:\.kts)?|Cargo\.toml|composer\.json|Rakefile|deno\.jsonc?|CMakeLists\.txt"
    r"|\.?(?:ruff|flake8|pylintrc|mypy\.ini|eslintrc.*|golangci\.ya?ml|rubocop\.yml|stylelintrc.*)"
    r"(?:\.toml)?|eslint\.config\.[cm]?[jt]s|biome\.jsonc?|tsconfig.*\.json|pyrightconfig\.json"
    r"|vite\.config\.[cm]?[jt]s"
)
_CI = re.compile(
    r"\.github/(?:workflows|actions)/.+|\.gitlab-ci\.ya?ml|\.gitlab/ci/.+|\.circleci/.+"
    r"|azure-pipelines\.ya?ml|Jenkinsfile|\.travis\.ya?ml|\.buildkite/.+|bitbucket-pipelines\.yml"
    r"|\.drone\.ya?ml|\.woodpecker/.+|\.woodpecker\.ya?ml|appveyor\.yml|\.pre-commit-config\.yaml"
)


def role_of(path: str, commands: Iterable[str]) -> Role | None:
    """Return what *path* is for the checks that *commands* run; None when it is nothing to them."""
    pure = PurePosixPath(path)
    if _CI.fullmatch(path):
        return Role.CI
    if _SNAPSHOT.search(path):
        return Role.SNAPSHOT
    if pure.name in _HOOKS:
        return Role.HOOK
    if _RUNNERS.fullmatch(pure.name):
        return Role.RUNNER
    if _BUILDS.fullmatch(pure.name):
        return Role.BUILD
    if pure.suffix in _CODE and _is_test(pure):
        return Role.TEST
    if any(_names(command, path) for command in commands):
        return Role.SCRIPT
    return None


def _is_test(path: PurePosixPath) -> bool:
    folders = _TEST_FOLDERS | _SPEC_FOLDERS if path.suffix in _WITH_SPECS else _TEST_FOLDERS
    is_named = _TEST_NAME.fullmatch(path.name) is not None
    return is_named or not folders.isdisjoint(path.parts[:-1])


def _names(command: str, path: str) -> bool:
    name = re.escape(PurePosixPath(path).name)
    return re.search(rf"(?:^|[\s'\"=/]){name}(?=$|[\s'\";&|)])", command) is not None
