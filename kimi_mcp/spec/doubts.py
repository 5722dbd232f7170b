"""Doubts that stop nothing: stale facts, missing programs, vague words, too much at once.

Pure: what the repository says is in the `Survey`.
"""

import re
from collections.abc import Iterator, Mapping

from kimi_mcp.errors import nearest
from kimi_mcp.spec.findings import Finding, hint
from kimi_mcp.spec.model import Command, Spec, Task
from kimi_mcp.spec.programs import Need, Needs, needs
from kimi_mcp.spec.survey import Survey
from kimi_mcp.spec.worth import by_the_rule

USUAL_BUDGET = 100  # steps: what the default profile grants (design, settings)
_SHOWN = 3
_LONG = 40
_VAGUE = re.compile(
    r"(?<!\w)(?:as needed|if necessary|where appropriate|as appropriate|appropriately|and so on|etc"
    r"|tbd|to be decided|somehow|edge cases|properly|clean up|make it better|fix issues|various"
    r"|bei bedarf|gegebenenfalls|ggf|usw|entsprechend anpassen|sinnvoll"
    r"|si nécessaire|au besoin|le cas échéant|correctement"
    r"|si es necesario|según sea necesario|adecuadamente|etcétera"
    r"|se necessário|conforme necessário|adequadamente"
    r"|при необходимости|по мере необходимости|и т\. ?д|как-нибудь"
    r"|nếu cần|khi cần thiết|v\.v)(?!\w)"
    r"|适当|必要时|酌情|等等|优化一下|完善一下|視情況|適切に|必要に応じて|いい感じ|適宜|적절히|필요시|필요하면|등등",
    re.IGNORECASE,
)
_OBJECT = re.compile(r"`[^`]+`|[\w-]+\.[a-z]{1,4}\b|\w+\(\)|\w+/\w+|\d")
_CLAUSE = re.compile(r"[.;,:。；，、！？!?]\s*|\n+")  # noqa: RUF001  # plans are written with these


def doubts(spec: Spec, survey: Survey) -> Iterator[Finding]:
    """Give every doubt, in the order of the tasks."""
    for task in spec.tasks:
        yield from _ranges(task, survey.lengths)
        yield from _commands(task, survey.lacking)
        yield from _words(task)
        yield from _size(spec, task)
        yield from _age(task, survey)


def _ranges(task: Task, lengths: Mapping[str, int]) -> Iterator[Finding]:
    for entry in task.files:
        ends = [int(number) for number in re.findall(r"\d+", entry.lines or "")]
        length = lengths.get(entry.path)
        if length is not None and ends and max(ends) > length:
            message = (
                f"`{entry.path}` has {length} lines, not {max(ends)}; "
                "the plan is older than the file: correct the range or leave it out"
            )
            yield hint(task, "stale_lines", message, line=entry.line)


def _commands(task: Task, lacking: Mapping[Need, tuple[str, ...]]) -> Iterator[Finding]:
    for command in task.commands:
        if _ELSEWHERE.search(command.text):
            message = (
                f"`{command.text[:_LONG]}` changes to a folder of one machine; Kimi works in a "
                "clone: write it from the repository's root"
            )
            yield hint(task, "absolute_folder", message, line=command.line)
        for need in needs(command.text, folder=command.directory or ""):
            if need in lacking:
                yield hint(
                    task, _CODES[need.kind], _lack(command, need, lacking[need]), line=command.line
                )


_ELSEWHERE = re.compile(r"(?:^|[;&|]\s*)cd\s+[\"']?(?:[/~]|[A-Za-z]:\\)")
_CODES = {
    Needs.PROGRAM: "no_program",
    Needs.SCRIPT: "no_script",
    Needs.TARGET: "no_target",
    Needs.FILE: "no_file",
}


def _lack(command: Command, need: Need, known: tuple[str, ...]) -> str:
    where = f" in {need.folder}" if need.folder else ""
    near = f"nearest: {nearest(need.name, known)}" if known else "correct the command"
    match need.kind:
        case Needs.PROGRAM:
            what = f"`{need.name}` is not on PATH; install it in setup, or correct the command"
        case Needs.SCRIPT:
            what = f"package.json{where} has no script `{need.name}`; {near}"
        case Needs.TARGET:
            what = f"the Makefile{where} has no target `{need.name}`; {near}"
        case Needs.FILE:
            what = f"`{need.name}` does not exist; correct the command, or create it in a task"
    return f"`{command.text[:_LONG]}`: {what}"


def _words(task: Task) -> Iterator[Finding]:
    """A vague phrase in a clause that names no thing: Kimi would have to search for its object."""
    prose = re.sub(r"```.*?```", "", task.requirements, flags=re.DOTALL)
    found: list[str] = []
    for clause in _CLAUSE.split(f"{task.title}\n{prose}"):
        vague = _VAGUE.search(clause)
        if vague and not _OBJECT.search(clause):
            found.append(vague[0])
    if found:
        said = ", ".join(f"“{word}”" for word in list(dict.fromkeys(found))[:_SHOWN])
        yield hint(task, "vague", f"{said} names no object; say which, in `requirements`")


def _size(spec: Spec, task: Task) -> Iterator[Finding]:
    budget = task.budget or spec.budget or USUAL_BUDGET
    least, _ = by_the_rule(tasks=1, files=len(task.writes))
    if least > budget:
        message = f"about {least} steps at least, and its budget is {budget}; split the task"
        yield hint(task, "too_large", message)


def _age(task: Task, survey: Survey) -> Iterator[Finding]:
    newer = [p for entry in task.files for p in entry.written_paths if p in survey.changed]
    if newer:
        more = f" and {len(newer) - 1} more" if len(newer) > 1 else ""
        message = f"`{newer[0]}`{more} changed after the plan was written; check that it still fits"
        yield hint(task, "plan_older", message)
