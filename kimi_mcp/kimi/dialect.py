"""What differs between the two programs called `kimi`, as one value. Data only.

The modules `code` and `legacy` make one each, `dialects` knows both by name. What stands outside of
them is the same for both.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from kimi_mcp.kimi.command import Turn
from kimi_mcp.kimi.failure import Failure, Witness
from kimi_mcp.kimi.observations import Observation

DialectName: TypeAlias = Literal["code", "legacy"]


class HomeFiles(Protocol):
    """Names the files of a home besides its configuration, with their texts."""

    def __call__(self, *, guidance: str | None, has_agents: bool) -> Mapping[str, str | None]:
        """Return a text for each name; nothing where there must be no such file."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one of the programs is called, where it keeps things, and what it says."""

    name: DialectName
    home_variable: str  # which names its home
    home_folder: str  # of a user
    shared: tuple[str, ...]  # folders of the user's home that hold credentials and their lock
    guidance: tuple[str, ...]  # files of a repository that it reads by itself
    journals: str  # where they lie in a home, as a glob
    agent_tools: frozenset[str]  # tools that start agents
    guarded_tools: frozenset[str]  # tools that run commands or write files
    is_hint_final: bool  # whether nothing but its exit comes after a complete answer
    new_session: Callable[[], str | None]  # an id where it must be given in advance
    arguments: Callable[[tuple[str, ...], Turn], list[str]]
    environment: Callable[[Mapping[str, str], Mapping[str, str], Turn], dict[str, str]]
    home_files: HomeFiles
    decode_output: Callable[[bytes], list[Observation]]
    decode_journal: Callable[[bytes, str], list[Observation]]
    journal_of: Callable[[Path], tuple[str, str]]  # session and agent of a journal
    failure: Callable[[Witness], Failure | None]
