"""The specs folder on disk: finding, numbering, reading and writing spec files.

Paths in and out are relative to the repository's root. Nothing outside the repository or in its
`.git` is ever read or written, through no symbolic link either. A number is taken by creating
`.NNN.reserved` (fails when it exists) just long enough to create the spec's own file, so two
sessions never share one.
"""

import os
import posixpath
import re
import secrets
import unicodedata
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.errors import Refused, nearest
from kimi_mcp.reading import expanded, held_folder, read_text, shown
from kimi_mcp.spec.model import Spec
from kimi_mcp.spec.parse import parse

_LONGEST_NUMBER = 6
#: Replies name such a file as it is, so it holds nothing that could pass for words of ours.
_NUMBERED = re.compile(r"(\d{1,6})-[\w.+-]*\.md")
_SLUG_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Shelf:
    """The specs folder *folder* (relative) of the repository at *root*."""

    root: Path
    folder: str = "specs"
    limit_bytes: int = 1_000_000  # of one spec

    def paths(self) -> tuple[str, ...]:
        """Give the numbered specs, lowest number first."""
        try:
            names = [path.name for path in self._directory().iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return ()
        numbered = [(number, name) for name in names if (number := _number(name)) is not None]
        return tuple(f"{self.folder}/{name}" for _, name in sorted(numbered))

    def find(self, reference: str) -> str:
        """Give the path of the spec that *reference* names: a number, a file name or a path.

        Raises: `Refused` when there is none, naming the nearest; when there are several, naming
            them; when the path leads out of the repository.
        """
        word = reference.strip()
        if word.isdecimal() and len(word) <= _LONGEST_NUMBER:
            return self._one(word, [p for p in self.paths() if _number(_name(p)) == int(word)])
        inside = self.inside(word)
        if _is_something(self.root / inside):
            return inside
        same = [p for p in self.paths() if word in {_name(p), _name(p).removesuffix(".md")}]
        return self._one(word, same)

    def inside(self, path: str) -> str:
        """Give *path* (absolute, or from the root) from the root, links resolved.

        Raises: `Refused` when it is no path, or ends outside the repository or in its `.git`.
        """
        root = os.path.realpath(self.root)
        real = os.path.realpath(self.root / expanded(path))
        relative = os.path.relpath(real, root).replace(os.sep, "/")
        if relative == ".." or relative.startswith("../"):
            message = (
                f"`{shown(path)}` is outside the repository; a spec is dispatched from its own one"
            )
            raise Refused(message)
        if any(part.lower() == ".git" for part in relative.split("/")):
            raise Refused(f"`{shown(path)}` is in a `.git` folder; specs stand in the checkout")
        return relative

    def text(self, path: str) -> str:
        """Read a spec's text.

        Raises: `Refused` when it is too long, or cannot be read as UTF-8 text.
        """
        return read_text(
            self.root / path,
            what="The spec",
            limit_bytes=self.limit_bytes,
            limit_name="limits.spec_bytes",
            within=(self.root,),
        )

    def spec(self, path: str) -> Spec:
        """Read and parse a spec.

        Raises: `SpecInvalid` with the line of every problem; `Refused` when it cannot be read.
        """
        return parse(self.text(path), name=path)

    def next_path(self, title: str) -> tuple[int, str]:
        """Give the number and path that `reserved` would take now; nothing is written."""
        number = self._highest() + 1
        return number, self._path(number, title)

    @contextmanager
    def reserved(self, title: str) -> Generator[tuple[int, str]]:
        """Hold the next free number until the spec's file has been written.

        Raises: `Refused` when the specs folder cannot be written.
        """
        directory = self._directory()
        number = self._highest() + 1
        try:
            directory.mkdir(parents=True, exist_ok=True)
            while True:
                mark = directory / f".{number:03d}.reserved"
                try:
                    os.close(os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
                except FileExistsError:
                    number += 1
                    continue
                if all(_number(_name(path)) != number for path in self.paths()):
                    break
                mark.unlink()  # written by someone else after we looked
                number = self._highest() + 1
        except OSError as error:
            message = f"`{self.folder}` cannot be written ({error.strerror}); check `specs_dir`"
            raise Refused(message) from error
        try:
            yield number, self._path(number, title)
        finally:
            mark.unlink(missing_ok=True)

    def write(self, path: str, text: str) -> None:
        """Write a spec in one step: a reader sees the old text or the new one.

        Raises: `Refused` when it cannot be written.
        """
        folder, name = posixpath.split(self.inside(path))
        fresh = f".spec-{secrets.token_hex(4)}.tmp"
        try:
            with held_folder(self.root, folder) as held:
                handle = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600, dir_fd=held)
                try:
                    with os.fdopen(handle, "wb") as file:
                        file.write(text.encode("utf-8", "replace"))
                        os.fchmod(handle, _mode(name, held))
                    os.replace(fresh, name, src_dir_fd=held, dst_dir_fd=held)
                except OSError:
                    os.unlink(fresh, dir_fd=held)
                    raise
        except OSError as error:
            message = f"`{shown(path)}` cannot be written ({error.strerror}); check it"
            raise Refused(message) from error

    def _directory(self) -> Path:
        return self.root / self.inside(self.folder)

    def _highest(self) -> int:
        return max((_number(_name(path)) or 0 for path in self.paths()), default=0)

    def _path(self, number: int, title: str) -> str:
        return f"{self.folder}/{number:03d}-{slug(title)}.md"

    def _one(self, word: str, found: list[str]) -> str:
        if len(found) == 1:
            return found[0]
        if found:
            message = f"spec `{word}` is ambiguous; give one of these paths: {', '.join(found)}"
            raise Refused(message)
        known = {_name(path): path for path in self.paths()}
        near = nearest(word, [*known.values()] if "/" in word else [*known])
        message = f"No spec `{shown(word)}`. Nearest: {near}."
        raise Refused(message)


def slug(title: str) -> str:
    """Give *title* as a file name's ASCII words; `spec` where no letter of it is ASCII."""
    ascii_ = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", ascii_).strip("-")
    return words[:_SLUG_LENGTH].rstrip("-") or "spec"


def _is_something(path: Path) -> bool:
    """Tell whether something stands there that a person may take for a file."""
    return os.path.lexists(path) and not path.is_dir()


def _mode(name: str, folder: int) -> int:
    """Give the permissions that a file has, or a new one gets."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode & 0o777
    except FileNotFoundError:
        return 0o644


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _number(name: str) -> int | None:
    found = _NUMBERED.fullmatch(name)
    return int(found[1]) if found else None
