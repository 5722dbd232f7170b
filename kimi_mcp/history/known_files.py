"""Which files' commands are the user's own, or trusted by them."""

from dataclasses import dataclass
from enum import StrEnum

from kimi_mcp.history.store import Store


class Origin(StrEnum):
    """Why a file's content is known."""

    WRITTEN = "written"
    """`plan_to_spec` wrote it on this machine."""
    TRUSTED = "trusted"
    """The user said so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """One content at one place; the same file changed is another one."""

    path: str
    hash: str
    origin: Origin
    at: str


class KnownFiles(Store):
    """Remembers contents by the file's absolute path and their SHA-256."""

    __slots__ = ()

    def know(self, path: str, content_hash: str, *, origin: Origin, at: str) -> None:
        """Remember that this content at this place is known."""
        with self.writing() as unit:
            unit.run("know_file", path=path, hash=content_hash, origin=origin, at=at)

    def is_known(self, path: str, content_hash: str) -> bool:
        """Tell whether exactly this content at this place is known."""
        with self.reading() as unit:
            return unit.run("known_file", path=path, hash=content_hash).fetchone() is not None

    def forget(self, path: str) -> int:
        """Forget every content at *path*; return how many there were."""
        with self.writing() as unit:
            return unit.run("forget_file", path=path).rowcount

    def known_files(self) -> tuple[KnownFile, ...]:
        """Return all of them, by path, the newest first within one."""
        with self.reading() as unit:
            return tuple(
                KnownFile(
                    path=row["path"], hash=row["hash"], origin=Origin(row["origin"]), at=row["at"]
                )
                for row in unit.run("known_files")
            )
