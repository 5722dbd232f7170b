"""The clone as the checks find it: exactly the commit, and what setup made.

What lies in the clone without being in the commit could make a check pass that should not: a
patched test runner in an ignored folder, a module that only exists on disk, a hook. So everything
that Kimi made or changed outside the commit is moved aside first, and `.git` is laid anew. What a
check leaves behind is undone in the same way before it is run a second time.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.state import TaskFolder
from kimi_mcp.workspace.clone import Ledger, overlay, renew_git
from kimi_mcp.workspace.leftovers import fresh, leftovers, set_aside
from kimi_mcp.workspace.stamps import Stamp, stamp_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A clone whose checks are to prove something about *commit*."""

    ledger: Ledger
    folder: TaskFolder
    commit: str
    #: What setup had made beside the commit, before Kimi began.
    before: Mapping[str, Stamp]

    def clear(self, *, aside: Path) -> tuple[tuple[str, ...], bool]:
        """Make the clone hold exactly the commit and what setup had made.

        Returns:
            The paths that were moved to *aside*, and whether something of setup's is among the
            changed ones or gone, so that setup must run again.
        """
        return self._clear(self.before, aside=aside)

    def mark(self) -> int:
        """Return this moment as the file system counts it, in nanoseconds."""
        file = self.folder.root / "mark"
        file.touch()
        return stamp_of(file).ctime_ns

    def undo(self, since_ns: int, *, aside: Path) -> bool:
        """Undo what was done in the clone since a `mark`, to files of the commit as well.

        What earlier checks have made stays, for a test may need the build before it.

        Returns:
            Whether something of setup's was changed, so that setup must run again.
        """
        found = leftovers(self.ledger, self.commit, clone=self.folder.clone)
        earlier = {path: stamp for path, stamp in found.items() if stamp.ctime_ns < since_ns}
        overlay(self.ledger, self.commit, clone=self.folder.clone, index=self.folder.index)
        _, is_setup_hurt = self._clear(earlier, aside=aside)
        return is_setup_hurt

    def _clear(self, kept: Mapping[str, Stamp], *, aside: Path) -> tuple[tuple[str, ...], bool]:
        clone = self.folder.clone
        foreign = fresh(kept, leftovers(self.ledger, self.commit, clone=clone))
        set_aside(clone, foreign, into=aside)
        # what Kimi left in the temporary folder helps no check either
        shutil.rmtree(self.folder.temporary, ignore_errors=True)
        renew_git(self.ledger, self.commit, clone=clone, index=self.folder.index, aside=aside)
        is_setup_hurt = not all(os.path.lexists(clone / path) for path in self.before)
        return foreign, is_setup_hurt
