"""A view of the machine in which only some folders can be written (Linux mount namespaces).

Landlock, which the fence rests on, restrains neither `chmod`, `touch` and `chown` nor connections
to the sockets of local services (tried on Linux 6.18). Where the kernel lets this user make
namespaces, those are closed too: everything is mounted read-only but the writable folders, known
sockets and secrets are covered, `/dev/shm` is private, and on request the network is loopback only.

The kernel does not say beforehand what it will allow: some distributions let the namespace be made
and then refuse everything in it. So `possible` tries, in a process of its own.
"""

import contextlib
import ctypes
import fcntl
import os
import socket
import stat
import struct
from collections.abc import Sequence

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
SYS_MOUNT_SETATTR = 442  # the same number on every architecture; Linux 5.12
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
MOUNT_ATTR_RDONLY = 1
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 1, 64
PR_CAPBSET_DROP = 24
LAST_CAPABILITY = 63
#: What root in a container needs for unpacking archives: CHOWN, DAC_OVERRIDE, FOWNER, FSETID,
#: SETGID, SETUID. The rest opens doors that Landlock does not watch, such as another process's
#: environment (CAP_PERFMON) or files by their handle (CAP_DAC_READ_SEARCH).
KEPT_CAPABILITIES = frozenset({0, 1, 3, 4, 6, 7})

_LIBC = ctypes.CDLL(None, use_errno=True)


class _Attributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns", ctypes.c_uint64),
    )


def possible(*, writable: Sequence[str], hidden: Sequence[str], cut_network: bool) -> bool:
    """Try `enter` with these arguments in a process that ends at once."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            enter(writable=writable, hidden=hidden, cut_network=cut_network)
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def enter(*, writable: Sequence[str], hidden: Sequence[str], cut_network: bool) -> None:
    """Move this process into namespaces of its own, for good.

    Args:
        writable: existing folders; everything else becomes read-only.
        hidden: files and folders to cover with empty ones; one that is gone is passed over, for
            the sockets of other programs come and go.
        cut_network: leave only a fresh loopback.

    Raises:
        OSError: the kernel refuses; the process may then be half way and must end.
    """
    _unshare(CLONE_NEWNS | (CLONE_NEWNET if cut_network else 0))
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    for folder in writable:
        _mount(folder, folder, None, MS_BIND | MS_REC)
    _set_read_only("/", is_read_only=True)
    for folder in writable:
        _set_read_only(folder, is_read_only=False)
    for path in hidden:
        _cover(path)
    if os.path.isdir("/dev/shm"):  # noqa: PTH112, S108
        _mount("none", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")  # noqa: S108
    if cut_network:
        _raise_loopback()


def drop_capabilities() -> None:
    """Take from root what it does not need for building; nothing happens for anybody else."""
    for capability in range(LAST_CAPABILITY + 1):
        if capability not in KEPT_CAPABILITIES:
            _LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def _unshare(flags: int) -> None:
    user, group = os.geteuid(), os.getegid()
    if _LIBC.unshare(flags) == 0:
        return
    # only root may do that directly; anybody else inside a user namespace, where one is allowed
    _check(_LIBC.unshare(flags | CLONE_NEWUSER), "unshare")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(text)


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, data: str | None = None
) -> None:
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    result = _LIBC.mount(*encoded, ctypes.c_ulong(flags), data and data.encode())
    _check(result, f"mount {target}")


def _cover(path: str) -> None:
    try:
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116  start time
    except OSError:  # where we cannot look, the job cannot either
        return
    with contextlib.suppress(FileNotFoundError):  # gone meanwhile
        if is_folder:
            _mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV, "size=4k,mode=0500")
        else:
            _mount("/dev/null", path, None, MS_BIND)


def _set_read_only(path: str, *, is_read_only: bool) -> None:
    bits = (MOUNT_ATTR_RDONLY, 0) if is_read_only else (0, MOUNT_ATTR_RDONLY)
    attributes = _Attributes(*bits, 0, 0)
    result = _LIBC.syscall(
        ctypes.c_long(SYS_MOUNT_SETATTR),
        ctypes.c_int(AT_FDCWD),
        os.fsencode(path),
        ctypes.c_uint(AT_RECURSIVE),
        ctypes.byref(attributes),
        ctypes.c_size_t(ctypes.sizeof(attributes)),
    )
    _check(result, f"mount_setattr {path}")


def _raise_loopback() -> None:
    with socket.socket() as any_socket:
        request = struct.pack("16sh14x", b"lo", IFF_UP | IFF_RUNNING)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
