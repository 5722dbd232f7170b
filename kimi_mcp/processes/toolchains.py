"""Which folders of this machine a build reads: system folders, and the toolchains on PATH.

An allow list, for Landlock can deny nothing inside of what it allows. So of the home folder only
toolchains are named, never a folder in which programs keep secrets: of a prefix like `~/x` with
`~/x/bin` on PATH, just the folders that belong to an installation.
"""

import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix", "/snap",
    "/proc", "/sys", "/var/lib/dpkg", "/var/cache/fontconfig",
    "/System", "/Library", "/private/etc", "/private/var/db",
)  # fmt: skip
#: Links in `/etc` that lead out of the system folders.
SYSTEM_LINKS = ("/etc/resolv.conf", "/etc/localtime")
#: What version managers put into a home, relative to it.
IN_HOME = (
    ".asdf", ".bun/bin", ".bun/install/global", ".cargo/bin", ".deno/bin", ".dotnet", ".elan",
    ".fnm", ".ghcup", ".goenv", ".jenv", ".juliaup", ".local/bin", ".local/lib", ".local/pipx",
    ".local/share/fnm", ".local/share/mise/installs", ".local/share/mise/shims",
    ".local/share/pipx", ".local/share/pnpm", ".local/share/uv/python", ".local/share/uv/tools",
    ".nodenv", ".nvm", ".opam", ".proto", ".pyenv", ".rbenv", ".rustup", ".sdkman", ".volta",
    "anaconda3", "go/bin", "miniconda3", "miniforge3",
)  # fmt: skip
#: What an installation consists of, beside its `bin`.
OF_A_PREFIX = ("include", "lib", "lib32", "lib64", "libexec", "pyvenv.cfg", "share")
LINE_BYTES = 1024  # of a script's first line
PROGRAM_FOLDERS = frozenset({"bin", "sbin"})
#: Sockets of services that would act for whoever asks, outside of any fence; and root's secrets.
HIDDEN = (
    "/run/user", "/run/dbus", "/run/docker.sock", "/run/containerd", "/run/podman",
    "/run/systemd/private", "/run/snapd.socket", "/run/libvirt", "/run/screen",
    "/etc/shadow", "/etc/gshadow", "/etc/sudoers.d", "/etc/ssh",
)  # fmt: skip
HIDDEN_PATTERNS = (".X11-unix", ".ICE-unix", "screen-*", "ssh-*", "tmux-*")  # in /tmp
HIDDEN_IN_HOME = (".docker/run", ".gnupg", ".colima", ".1password", ".tmux")


def home_toolchains(host: Mapping[str, str]) -> tuple[str, ...]:
    """Return the toolchains in the user's home, relative to it."""
    home = Path(host.get("HOME", "/nonexistent"))
    return tuple(name for name in IN_HOME if os.path.exists(home / name))  # noqa: PTH110  false where it may not look


def readable(host: Mapping[str, str]) -> tuple[str, ...]:
    """Return the absolute paths of everything that a build on this machine reads."""
    home = Path(host.get("HOME", "/nonexistent"))
    return tuple(
        dict.fromkeys(
            [
                *SYSTEM,
                *(os.path.realpath(link) for link in SYSTEM_LINKS),
                *(str(home / name) for name in home_toolchains(host)),
                *_on_path(host.get("PATH", "")),
            ]
        )
    )


def hidden(host: Mapping[str, str]) -> tuple[str, ...]:
    """Return what no job has any business with, the sockets of local services above all."""
    home = Path(host.get("HOME", "/nonexistent"))
    in_tmp = [
        str(path)
        for pattern in HIDDEN_PATTERNS
        for path in Path("/tmp").glob(pattern)  # noqa: S108  where those programs put them
    ]
    return (*HIDDEN, *in_tmp, *(str(home / name) for name in HIDDEN_IN_HOME))


def program_folders(program: Path) -> tuple[str, ...]:
    """Return what the installation of an executable or script consists of."""
    real = Path(os.path.realpath(program))
    packages = [folder for folder in real.parents if folder.name == "node_modules"]
    if packages:
        return (str(packages[-1]),)
    # where it is named, too: a virtual environment's Python is a link out of it
    return tuple(
        dict.fromkeys(
            part
            for one in (program, real, *_interpreter(real))
            for part in (str(one), *_installation(one.parent), *_led_to(one.parent))
        )
    )


@cache
def _on_path(path: str) -> tuple[str, ...]:
    return tuple(_roots(path))


def _roots(path: str) -> Iterator[str]:
    for name in dict.fromkeys(path.split(os.pathsep)):
        folder = Path(name)
        if folder.is_absolute() and not _is_system(folder):
            yield from _installation(folder)
            yield from _led_to(folder)


def _installation(folder: Path) -> Iterator[str]:
    """Name the parts of the installation whose programs lie in *folder*."""
    yield str(folder)
    if folder.name == "shims":  # a version manager's, whose versions lie beside it
        yield str(folder.parent)
    elif folder.name in PROGRAM_FOLDERS:
        yield from (str(folder.parent / part) for part in OF_A_PREFIX)


def _led_to(folder: Path) -> Iterator[str]:
    """Name the installations that links among the programs in *folder* lead to."""
    try:
        with os.scandir(folder) as entries:
            links = [entry.path for entry in entries if entry.is_symlink()]
    except OSError:
        return
    for target in sorted({Path(os.path.realpath(link)) for link in links}):
        packages = [parent for parent in target.parents if parent.name == "node_modules"]
        if packages:
            yield str(packages[-1])
        elif not _is_system(target) and target.parent != folder:
            yield str(target)
            yield from _installation(target.parent)


def _interpreter(script: Path) -> tuple[Path, ...]:
    """Name the program in a script's first line."""
    try:
        with script.open("rb") as file:
            first = file.readline(LINE_BYTES)
    except OSError:
        return ()
    words = os.fsdecode(first[2:]).split() if first.startswith(b"#!") else []
    return (Path(words[0]),) if words and not _is_system(Path(words[0])) else ()


def _is_system(path: Path) -> bool:
    return path.is_relative_to("/usr") or path.parts[1:2] in {("bin",), ("sbin",), ("opt",)}
