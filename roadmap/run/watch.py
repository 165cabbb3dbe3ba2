"""What the parent watches while an experiment runs: its processes' memory and its addresses."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from roadmap.run.sandbox import ARCHITECTURES, inside

# linux/seccomp.h: struct seccomp_notif, struct seccomp_notif_resp and their ioctls
_NOTIFICATION = struct.Struct("=QIIiIQ6Q")
_RESPONSE = struct.Struct("=QqiI")
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_CONTINUE = 1
_LOCAL_FAMILIES = (
    socket.AF_UNSPEC,
    socket.AF_UNIX,
    getattr(socket, "AF_NETLINK", socket.AF_UNIX),
    getattr(socket, "AF_ALG", socket.AF_UNIX),
)
_NAME_SERVICE = 53


def processes(pid: int) -> list[int]:
    """`pid` and all processes that descend from it, where the system can tell."""
    found = [pid]
    for parent in found:
        try:
            for task in Path(f"/proc/{parent}/task").iterdir():
                children = (task / "children").read_bytes()
                found += [int(child) for child in children.split()]
        except OSError:
            continue
    return found


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes held by a family of processes: `resident` in all, `private` without mapped files."""

    resident: int
    private: int


def memory(pid: int) -> Memory:
    """The memory of `pid` and its descendants; zeros where the system cannot tell.

    Pages of mapped files are left out of `private`: the system drops them when it needs room.
    """
    resident = private = 0
    for process in processes(pid):
        try:
            status = Path(f"/proc/{process}/status").read_bytes()
        except OSError:
            continue
        fields = dict(line.split(b":", 1) for line in status.splitlines() if b":" in line)
        sizes = {
            k: int(v.split()[0]) * 1024 for k, v in fields.items() if k[:3] in (b"VmR", b"Rss")
        }
        resident += sizes.get(b"VmRSS", 0)
        private += sizes.get(b"RssAnon", 0) + sizes.get(b"RssShmem", 0)
    return Memory(resident, private)


def kill(pid: int) -> None:
    """Kill the session that `pid` leads and everything that descends from it."""
    for process in reversed(processes(pid)):
        _signal(os.kill, process, signal.SIGKILL)
    _signal(os.killpg, pid, signal.SIGKILL)


def ask_for_stack(pid: int) -> None:
    """Make the child write where it is into its stack file."""
    _signal(os.kill, pid, signal.SIGUSR1)


def _signal(send: Callable[[int, int], None], target: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended by itself
        send(target, number)


@dataclass(frozen=True, slots=True)
class Call:
    """A system call that waits for our answer. `target` is an address outside this machine."""

    number: int
    target: str | None


class Listener:
    """Decides on the calls that a child's seccomp filter puts before us."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._calls = {n: c for c, n in ARCHITECTURES[os.uname().machine][2].items()}

    def fileno(self) -> int:
        """For a selector."""
        return self.descriptor

    def close(self) -> None:
        """Whoever still waits for an answer gets ENOSYS."""
        os.close(self.descriptor)

    def receive(self) -> Call | None:
        """The call that waits for an answer; None if its caller has died meanwhile."""
        buffer = bytearray(_NOTIFICATION.size)
        try:
            fcntl.ioctl(self.descriptor, _RECEIVE, buffer)
        except OSError:
            return None
        number, pid, _, name, _, _, *arguments = _NOTIFICATION.unpack(buffer)
        return Call(number, self._target(self._calls.get(name, ""), pid, arguments))

    def reply(self, call: Call) -> None:
        """Refuse the call if it has a target outside, else let it go on."""
        answer = (0, 0, _CONTINUE) if call.target is None else (0, -errno.EACCES, 0)
        with contextlib.suppress(OSError):  # the caller has died, or was interrupted and asks anew
            fcntl.ioctl(self.descriptor, _SEND, _RESPONSE.pack(call.number, *answer))

    def _target(self, call: str, pid: int, arguments: list[int]) -> str | None:
        try:
            with open(f"/proc/{pid}/mem", "rb", buffering=0) as image:  # noqa: PTH123

                def read(address: int, size: int) -> bytes:
                    image.seek(address)
                    return image.read(size)

                if call == "connect":
                    return outside(read(arguments[1], min(arguments[2], 128)))
                if call == "sendto":
                    return outside(read(arguments[4], min(arguments[5], 128)))
                # struct mmsghdr is a struct msghdr (56 bytes) and a length, 64 bytes together.
                count = min(arguments[2], 1024) if call == "sendmmsg" else 1
                for n in range(count):
                    name, size = struct.unpack("=QI", read(arguments[1] + 64 * n, 12))
                    target = outside(read(name, min(size, 128))) if name else None
                    if target is not None:
                        return target
        except (OSError, ValueError, OverflowError, struct.error):
            # We may not look (or the pointer is wild): the audit hook is the guard that is left.
            return None
        return None


def outside(sockaddr: bytes) -> str | None:
    """`host:port` if a socket address is not on this machine, else None.

    Port 0 is harmless: nothing can be sent there, and getaddrinfo connects to it to sort addresses.
    Name servers are outside even on loopback, because they ask others.
    """
    if len(sockaddr) < 2:
        return None
    (family,) = struct.unpack_from("=H", sockaddr)
    if family == socket.AF_INET and len(sockaddr) >= 8:
        host, (port,) = (
            socket.inet_ntop(family, sockaddr[4:8]),
            struct.unpack_from("!H", sockaddr, 2),
        )
    elif family == socket.AF_INET6 and len(sockaddr) >= 24:
        host, (port,) = (
            socket.inet_ntop(family, sockaddr[8:24]),
            struct.unpack_from("!H", sockaddr, 2),
        )
    else:
        return None if family in _LOCAL_FAMILIES else f"address family {family}"
    if port == 0 or (inside(host) and port != _NAME_SERVICE):
        return None
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
