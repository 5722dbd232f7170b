"""Which commands of a plan check its result, and which are part of the work. Pure."""

import re

from kimi_mcp.spec.mentions import SPAN, path_in, script_in
from kimi_mcp.spec.plans import words

SHELLS = {"bash", "sh", "shell", "console", "zsh", "terminal", "powershell", "cmd", ""}

_PROGRAM = r"(?:[\w./-]*/)?"
_PREFIX = (
    r"(?:\w+=\S*\s+|cd\s+\S+\s+&&\s+|(?:uv|poetry|pipenv|pdm|hatch|rye)\s+run\s+"
    r"|python3?\s+-m\s+|npx\s+|bunx\s+|bundle\s+exec\s+"
    r"|docker(?:-|\s)compose\s+(?:exec|run)\s+(?:-\S+\s+)*\S+\s+)*"
)
_SCRIPT = (
    r"(?:test|tests|lint|check|build|type-?check|tsc|format:check|e2e|unit|verify|validate|ci"
    r"|governance)[\w:.-]*"
)
_RUNNERS = (
    r"(?:pytest|tox|nox|jest|vitest|mocha|ava|playwright\s+test|cypress\s+run|eslint|tsc|vue-tsc"
    r"|ruff|mypy|pyright|basedpyright|flake8|black\s+--check|isort\s+--check|pylint|unittest|phpunit"
    r"|pest|rspec|rubocop|golangci-lint|staticcheck|ctest|shellcheck|actionlint|clippy|biome"
    r"|prettier\s+--check|stylelint|markdownlint|hadolint|ty|lint-imports|bats|ansible-lint)\b"
)
_PACKAGES = (
    r"(?:npm|pnpm|yarn|bun)\s+(?:-\S+\s+\S+\s+|--\S+\s+\S+\s+|workspace\s+\S+\s+)*"
    rf"(?:run\s+|exec\s+)?(?:{_SCRIPT}|\S*(?:test|lint|check|tsc|build)\S*)"
)
_BUILDERS = (
    r"(?:node|deno|bun)\s+(?:--)?test|cargo\s+(?:\+\S+\s+)?(?:test|check|clippy|build|nextest"
    r"|fmt\s+.*--check)|go\s+(?:test|vet|build)|(?:\./)?gradlew?\s+\S*(?:test|check|build)"
    r"|(?:\./)?mvnw?\s+\S*(?:test|verify|compile|package)|make\s+(?:\S+=\S+\s+)*"
    + _SCRIPT
    + rf"|(?:just|task|rake)\s+{_SCRIPT}"
    r"|dotnet\s+(?:test|build)|swift\s+(?:test|build)|xcodebuild\b|flutter\s+(?:test|analyze)"
    r"|dart\s+(?:test|analyze)|mix\s+(?:test|credo)|ng\s+(?:test|build|lint)|php\s+artisan\s+test"
    r"|composer\s+(?:test|lint)|helm\s+(?:lint|template)|terraform\s+validate|bash\s+-n"
    r"|node\s+--check"
)
_CHECKS = re.compile(
    rf"^\s*{_PREFIX}(?:{_PROGRAM}{_RUNNERS}|{_PACKAGES}|{_BUILDERS})", re.IGNORECASE
)
_WORK = re.compile(
    r"^\s*(?:sudo\s+)?(?:git\s+(?!diff|status|log|grep|show|ls-files)|(?:npm|pnpm|yarn|bun)\s+(?:i|install|add|remove|ci|init|publish|create|dlx)\b"
    r"|pip3?\s+install|uv\s+(?:add|sync|pip)|poetry\s+(?:add|install)|cargo\s+(?:add|new|init|publish)"
    r"|mkdir|touch|cp|mv|rm|ln|chmod|chown|cd\s+\S+$|brew|apt(?:-get)?|docker\s+(?:push|run|build|compose\s+up)|kubectl\s+apply"
    r"|helm\s+(?:install|upgrade)|gh\s|open\s|code\s|vim?\s|export\s|source\s|npx\s+create|alembic\s+(?:revision|upgrade)"
    r"|psql|supabase\s+db\s+push|vercel|terraform\s+apply|ssh|scp|rsync|kill)",
    re.IGNORECASE,
)
_LOOKS = re.compile(
    r"^\s*(?:cat|head|tail|less|more|ls|tree|echo|pwd|open|watch|sed\s+-n|git\s+(?:diff|status|log"
    r"|show|ls-files)|(?:npm|pnpm|yarn|bun)\s+(?:run\s+)?(?:dev|start|serve|watch|studio|preview)\b"
    r"|npx\s+remotion\s+studio|flutter\s+run|docker(?:-|\s)compose\s+(?:up|logs)|docker\s+logs"
    r"|vite(?:\s+dev)?$|next\s+dev)|--watch\b",
    re.IGNORECASE,
)
_PIPED = re.compile(r"\s*(?:2>&1\s*)?\|\s*(?:tail|head|less|more|cat|tee)\b[^|&;]*$")
_PLACEHOLDER = re.compile(r"<[\w .-]+>|(?<!/)\.\.\.|…")
_SENTENCE = re.compile(r"\w[.:;]$")
_WORD = re.compile(r"(?:[a-z.~/$@][\w./@+$~{}-]*|[A-Z_][A-Z0-9_]*=\S*|[A-Z]\w*\.exe)$")
_COMMAND = re.compile(r"[\w./$@~][\w./$@~=+-]*(?:\s+\S.*)?$", re.DOTALL)
_FAILS = words.any_of(words.FAIL)


def is_check(command: str) -> bool:
    """Tell whether a command is known to check: a test runner, a linter, a compiler."""
    return bool(_CHECKS.match(command))


def is_work(command: str) -> bool:
    """Tell whether a command changes something, and so is no check."""
    return bool(_WORK.match(command))


def script(text: str, *, is_asked: bool) -> list[str]:
    """Give the commands of a shell fence; unless it is *asked* for, only those known to check."""
    commands = script_in(text)
    if any(is_work(part) for command in commands for part in command.split(" && ")):
        commands = [part for command in commands for part in _parts(command) if not is_work(part)]
    kept = [command for command in map(told, commands) if _reads(command)]
    return [command for command in kept if is_asked or is_check(command)]


def spans(line: str, *, is_asked: bool) -> list[str]:
    """Give the commands that stand in backticks in a line."""
    if "`" not in line:
        return []
    found = [m[2].strip() for m in SPAN.finditer(line) if m[2]]
    commands = [told(text) for text in found if not is_work(text) and not _is_thing(text)]
    return [
        text for text in commands if is_check(text) or (is_asked and " " in text and _reads(text))
    ]


def first_span(line: str) -> tuple[str, str] | None:
    """Give the command that a line begins with, and the prose after it."""
    found = SPAN.match(line)
    if not found or not found[2] or path_in(found[2]) or is_work(found[2]):
        return None
    command = told(found[2].strip())
    if not _reads(command):
        return None
    if not (is_check(command) or " " in command or command.startswith(("./", "make"))):
        rest = line[found.end() :].strip(" .:—\u2013-")
        if rest or not re.fullmatch(r"[\w./-]+", command):
            return None
    return command, line[found.end() :].strip(" .:—\u2013-")


def told(command: str) -> str:
    """Take a pipe to `tail` and the like off the end: it would end well whatever went before."""
    return " && ".join(_PIPED.sub("", part) for part in command.split(" && "))


def is_look(command: str) -> bool:
    """Tell whether a command only shows something or never ends by itself: it proves nothing."""
    return all(_LOOKS.search(part) for part in command.split(" && ") if not part.startswith("cd "))


def _reads(command: str) -> bool:
    """Tell whether a line reads as a command: no sentence, no code, no placeholder to fill."""
    words = command.split()
    is_prose = bool(_SENTENCE.search(command)) or words[1:2] in (["="], ["||"], ["=="])
    return bool(
        words
        and _COMMAND.match(command)
        and _WORD.match(words[0])
        and not is_prose
        and not _PLACEHOLDER.search(command)
    )


def says_failure(line: str) -> bool:
    """Tell whether a line expects a command to fail."""
    return bool(_FAILS.search(line))


def _parts(command: str) -> list[str]:
    parts = command.split(" && ")
    # A folder that was changed to counts for what comes after it.
    folder = next((p for p in parts if p.startswith("cd ")), None)
    rest = [p for p in parts if p != folder]
    return [f"{folder} && {p}" for p in rest if not is_work(p)] if folder else rest


def _is_thing(text: str) -> bool:
    return bool(path_in(text)) or "(" in text.split(" ", 1)[0]
