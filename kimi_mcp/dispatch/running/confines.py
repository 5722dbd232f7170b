"""What the programs of one task get to see: their environment, their homes, and the fence.

Setup and checks share one `HOME` and one set of caches; Kimi has its own. Whatever Kimi leaves in
its home or caches, a module that every Python loads or a test result that a build tool believes, no
check comes across it. The Kimi home with its credentials is for Kimi alone.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.dispatch.running.derived_setup import SEARCHED
from kimi_mcp.kimi import guarding
from kimi_mcp.kimi.dialects import DIALECTS
from kimi_mcp.processes import toolchains
from kimi_mcp.processes.confinement import Confinement
from kimi_mcp.processes.environment import of_a_worker
from kimi_mcp.state import TaskFolder

#: Files of a checkout in which people keep secrets; a worker needs none of them.
SECRET_FILES = frozenset({".env", ".envrc", ".netrc", ".npmrc", ".pypirc", ".git-credentials"})


class Confines:
    """The surroundings of one task's programs.

    Args:
        folder: the task's.
        orders: what the dispatch goes by.
        host: the runner's environment.
        repository: what may be read of the user's repository; see `of_repository`.
        port: the first of the ports that are this task's alone.
    """

    def __init__(
        self,
        folder: TaskFolder,
        *,
        orders: Orders,
        host: Mapping[str, str],
        repository: Sequence[str],
        port: int,
    ) -> None:
        self._folder = folder
        self._orders = orders
        self._host = host
        self._repository = tuple(repository)
        self._port = port
        self._caches = Path(orders.caches or folder.root / "caches")

    def at(self, folder: TaskFolder) -> "Confines":
        """Return the same surroundings for another folder of the task."""
        return Confines(
            folder,
            port=self._port,
            orders=self._orders,
            host=self._host,
            repository=self._repository,
        )

    def lay(self) -> None:
        """Make the folders that the programs are given; those that exist are kept."""
        home = self._folder.user_home
        if not home.is_dir():
            home.mkdir(parents=True, mode=0o700)
            self._link_toolchains(home)
        self._folder.temporary.mkdir(exist_ok=True, mode=0o700)
        for caches in (self._own_caches, self._kimis_caches):
            caches.mkdir(parents=True, exist_ok=True, mode=0o700)

    def hand_over(self) -> None:
        """Give Kimi a home, a copy of setup's; the one of an earlier attempt is kept."""
        if not self._folder.worker_home.is_dir():
            shutil.copytree(self._folder.user_home, self._folder.worker_home, symlinks=True)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of setup and checks: some of the host's, and places of the task's own."""
        folder = self._folder
        return self._at_home_in_the_clone(
            of_a_worker(
                self._host,
                home=folder.user_home,
                temporary=folder.temporary,
                caches=self._own_caches,
            )
        )

    @property
    def kimis_environment(self) -> dict[str, str]:
        """The environment of Kimi, without what only Kimi itself reads."""
        folder = self._folder
        return self._at_home_in_the_clone(
            of_a_worker(
                self._host,
                home=folder.worker_home,
                temporary=folder.temporary,
                caches=self._kimis_caches,
            )
        )

    def around_setup(self) -> Confinement | None:
        """Return the fence of a setup command: with the network."""
        return self._around((str(self._folder.user_home), str(self._own_caches)))

    def around_check(self) -> Confinement | None:
        """Return the fence of a check: without the network, where the settings cut it."""
        return self._around(
            (str(self._folder.user_home), str(self._own_caches)),
            cut_network=self._orders.is_check_network_cut,
        )

    def around_kimi(self) -> Confinement | None:
        """Return Kimi's fence: with its own home, and the user's credentials to be refreshed."""
        orders, user = self._orders, Path(self._orders.kimi_home)
        shared = [str(user / name) for name in DIALECTS[orders.kimi_dialect].shared]
        programs = [Path(part) for part in orders.kimi_argv if Path(part).is_absolute()]
        return self._around(
            (
                str(self._folder.worker_home),
                str(self._kimis_caches),
                str(self._folder.home),
                *shared,
            ),
            read=(
                *orders.kimi_files,
                *guarding.FILES,
                *(part for program in programs for part in toolchains.program_folders(program)),
            ),
        )

    @property
    def written_by_kimi(self) -> tuple[str, ...]:
        """The folders in which Kimi's file tools may write, the clone first."""
        folder = self._folder
        own = (folder.clone, folder.temporary, folder.worker_home, self._kimis_caches)
        return (*map(str, own), *self._orders.allow_write)

    def _at_home_in_the_clone(self, environment: dict[str, str]) -> dict[str, str]:
        """Have what setup installed in the clone be found first; give servers a port."""
        installed = [str(self._folder.clone / folder) for folder in SEARCHED]
        search = os.pathsep.join([*installed, environment.get("PATH", os.defpath)])
        return {**environment, "PATH": search, "PORT": str(self._port)}

    def _around(
        self, write: Sequence[str], *, read: Sequence[str] = (), cut_network: bool = False
    ) -> Confinement | None:
        orders, folder = self._orders, self._folder
        if orders.fence == "off":
            return None
        return Confinement(
            read=(
                *toolchains.readable(self._host),
                *self._repository,
                *orders.allow_read,
                *read,
            ),
            write=(str(folder.clone), str(folder.temporary), *write, *orders.allow_write),
            hidden=toolchains.hidden(self._host),
            cut_network=cut_network,
            is_required=orders.fence == "required",
        )

    @property
    def _own_caches(self) -> Path:
        return self._caches / "checks"

    @property
    def _kimis_caches(self) -> Path:
        return self._caches / "kimi"

    def _link_toolchains(self, home: Path) -> None:
        """Let version managers and what the user allows be found where programs look for them."""
        users = Path(self._host.get("HOME", "/nonexistent"))
        allowed = [Path(path) for path in (*self._orders.allow_read, *self._orders.allow_write)]
        in_home = [path.relative_to(users) for path in allowed if path.is_relative_to(users)]
        for name in [*map(Path, toolchains.home_toolchains(self._host)), *in_home]:
            link = home / name
            if (users / name).exists() and not os.path.lexists(link):
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(users / name)


def of_repository(
    root: Path, *, objects: Path, ledger: Path, home: Path, state: Path
) -> tuple[str, ...]:
    """Name what a worker may read of the user's repository: its objects and the checkout's files.

    Not its `.git`, whose configuration may hold a password, and none of the usual files of secrets.
    Where the checkout holds the home folder or our state folder, those parts are left out.
    """
    entries = [
        str(entry)
        for entry in root.iterdir()
        if entry.name != ".git"
        and entry.name not in SECRET_FILES
        and not entry.name.startswith(".env.")
        and not state.is_relative_to(entry)
    ]
    checkout = [] if home.is_relative_to(root) else entries
    return (str(ledger), *_with_alternates(objects), *checkout)


def _with_alternates(objects: Path) -> list[str]:
    """Follow `info/alternates`, for git reads those object folders too."""
    found: list[Path] = []
    waiting = [objects]
    while waiting:
        folder = waiting.pop()
        if folder in found:
            continue
        found.append(folder)
        try:
            lines = (folder / "info/alternates").read_text(encoding="utf-8").splitlines()
        except OSError:
            continue
        waiting += [folder / line for line in lines if line and not line.startswith("#")]
    return [str(folder) for folder in found]
