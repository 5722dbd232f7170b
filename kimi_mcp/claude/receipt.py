"""What setup did, remembered so that it can be undone to the byte.

For each file the bytes before our first change are kept, and a hash of what we left. As long as a
file is as we left it, undoing gives the old bytes back; else only what is ours is taken out of it,
and the old bytes come back where nothing else has changed in meaning.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kimi_mcp.claude.arrangement import write_bytes
from kimi_mcp.claude.json_text import NotEditable, read
from kimi_mcp.claude.places import Places
from kimi_mcp.errors import Unready

_CHANGED = "changed since"

Contents = dict[str, bytes | None]


@dataclass(slots=True)
class Receipt:
    """One scope's memory."""

    file: Path
    texts: dict[str, str] = field(default_factory=dict[str, str])
    """What we put into whole files of ours, by path."""
    replaced: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """Registrations that were there before."""
    registered: list[list[str]] = field(default_factory=list[list[str]])
    """Scope, project and name of what we registered ourselves."""
    folders: list[str] = field(default_factory=list[str])
    """Folders that were not there before, the inner first."""
    images: dict[str, tuple[str | None, str]] = field(
        default_factory=dict[str, tuple[str | None, str]]
    )
    """For each path what it held before (base64) and the hash of what we left."""

    @classmethod
    def of(cls, places: Places) -> "Receipt":
        """Read what is remembered of a scope.

        Raises:
            Unready: it is damaged.
        """
        key = hashlib.sha256(str(places.base).encode()).hexdigest()[:12]
        file = places.own / f"{places.scope}-{key}.json"
        try:
            kept: dict[str, Any] = json.loads(file.read_bytes())
            images = {path: (pair[0], str(pair[1])) for path, pair in kept["images"].items()}
            lists = kept["replaced"], kept["registered"], kept["folders"]
            return cls(file, kept["texts"], *lists, images)
        except FileNotFoundError:
            return cls(file)
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise Unready(f"{file} is damaged; delete it, and run setup again.") from error

    def remember(self, before: Contents, folders: Iterable[Path]) -> None:
        """Keep what the files held, now that they have been changed."""
        for path, old in before.items():
            new = _content(Path(path))
            known = self.images.get(path)
            if new == old and known is None:
                continue
            if known is None:
                self.images[path] = (_packed(old), _digest(new))
            elif new != old:
                is_ours = known[1] == _digest(old)
                self.images[path] = (known[0], _digest(new) if is_ours else _CHANGED)
        self.folders += [str(one) for one in folders if str(one) not in self.folders]
        whole = {
            "texts": self.texts,
            "replaced": self.replaced,
            "registered": self.registered,
            "folders": self.folders,
            "images": self.images,
        }
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_bytes(self.file, json.dumps(whole).encode())
        self.file.chmod(0o600)

    def exact(self) -> set[str]:
        """Name the files that are as we left them."""
        return {
            path for path, (_, left) in self.images.items() if left == _digest(_content(Path(path)))
        }

    def restore(self, exact: Iterable[str]) -> None:
        """Give the old bytes back, after our own was taken out; *exact* were as we left them."""
        for path, (packed, _) in self.images.items():
            old = None if packed is None else base64.b64decode(packed)
            now = _content(Path(path))
            if now != old and (path in set(exact) or _means(now) == _means(old)):
                write_bytes(Path(path), old)

    def forget(self) -> None:
        """Drop the memory of this scope, once nothing of ours is left in its files."""
        self.file.unlink(missing_ok=True)


def contents(files: Iterable[Path]) -> Contents:
    """Read files as they are."""
    return {str(file): _content(file) for file in files}


def missing_folders(files: Iterable[Path]) -> list[Path]:
    """Name the folders above *files* that are not there, the inner first."""
    above = {parent for file in files for parent in file.parents if not parent.exists()}
    return sorted(above, key=lambda one: -len(one.parts))


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Unready(f"{file} cannot be read: {error.strerror}.") from error


def _packed(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _digest(content: bytes | None) -> str:
    return "none" if content is None else hashlib.sha256(content).hexdigest()


def _means(content: bytes | None) -> Mapping[str, Any] | bytes | None:
    """Read JSON as its meaning, without what Claude Code leaves empty; anything else as it is."""
    try:
        found = read((content or b"").decode("utf-8"))
    except (NotEditable, UnicodeDecodeError):
        return content
    return {key: value for key, value in found.items() if value not in ({}, [])}
