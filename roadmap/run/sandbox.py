"""What the child may not do: dump core, outlive its parent, reach the network.

The network is closed twice. An audit hook stops Python code and knows the line. On Linux a seccomp
filter also stops C code and child processes: the calls that can reach another machine are put
before the parent (`roadmap.run.watch`), which looks at the address. The machine's own loopback and
Unix sockets stay open, because processes that train together talk over them.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import struct
import sys

TYPE_CHECKING = False  # as in the worker
if TYPE_CHECKING:
    from typing import Any

    from roadmap.run.worker import Channel

# Numbers of the calls below per architecture, from Linux's asm/unistd.h.
ARCHITECTURES = {
    "x86_64": (0xC000003E, 317, {"connect": 42, "sendto": 44, "sendmsg": 46, "sendmmsg": 307}),
    "aarch64": (0xC00000B7, 277, {"connect": 203, "sendto": 206, "sendmsg": 211, "sendmmsg": 269}),
}
_IO_URING_SETUP = 425  # the same everywhere; its requests would pass every filter

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_SET_MODE_FILTER, _NEW_LISTENER, _SPEC_ALLOW = 1, 8, 4
_ALLOW, _NOTIFY, _ERRNO = 0x7FFF0000, 0x7FC00000, 0x00050000
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06


def enter(job: dict[str, Any], channel: Channel) -> None:
    """Close the doors behind this process, for good."""
    import faulthandler
    import resource
    import signal

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not os.path.exists("/proc/self/statm"):  # noqa: PTH110
        # The parent cannot watch the memory, so the kernel must.
        resource.setrlimit(resource.RLIMIT_DATA, (job["memory"], job["memory"]))
    # The parent reads the stack from this file after a crash, and asks for it before a kill.
    stack = open(job["stack"], "wb", buffering=0)  # noqa: PTH123, SIM115
    faulthandler.enable(stack, all_threads=False)
    faulthandler.register(signal.SIGUSR1, stack, all_threads=False)
    globals()["_stack"] = stack  # faulthandler keeps the number of the file, not the file
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != job["parent"]:
            os._exit(1)
    filter_calls(channel)
    sys.addaudithook(network_hook(job["path"], channel))


def flush() -> None:
    """Write out what Python and C still hold back."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(ValueError, AttributeError):  # closed or replaced by the cell
            stream.flush()
    ctypes.CDLL(None).fflush(None)


def network_hook(path: str, channel: Channel) -> Any:
    """The audit hook that refuses addresses outside this machine."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if not event.startswith("socket."):
            return
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            address = args[1]
            if not isinstance(address, tuple) or inside(address[0]):
                return
            target = f"{address[0]}:{address[1]}"
        elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
            if inside(args[0]):
                return
            target = args[0].decode() if isinstance(args[0], bytes) else str(args[0])
        else:
            return
        channel.send("network", line=_line(path), message=target)
        raise PermissionError(errno.EACCES, f"experiments may not use the network ({target})")

    return hook


def inside(host: object) -> bool:
    """Whether a host name or numeric address is this machine."""
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("utf-8", "replace")
    if not isinstance(host, str):
        return host is None
    host = host.strip("[]").lower().removeprefix("::ffff:")
    return (
        host in ("", "localhost", "::", "::1", "0.0.0.0", os.uname().nodename.lower())
        or host.endswith(".localhost")
        or (host.startswith("127.") and host.replace(".", "").isdigit())
    )


def _line(path: str) -> int:
    """The line of the experiment that is being executed."""
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename == path:
            return frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return 0


def filter_calls(channel: Channel) -> bool:
    """Install the seccomp filter and hand its listener to the parent; False where there is none."""
    machine = os.uname().machine
    if sys.platform != "linux" or machine not in ARCHITECTURES:
        return False
    _, seccomp, _ = ARCHITECTURES[machine]
    program = filter_program(machine, channel.descriptor)
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog { unsigned short len; struct sock_filter *filter; }
    header = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(code))
    pointer = ctypes.create_string_buffer(header, len(header))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    number = ctypes.c_long(seccomp)
    listener = libc.syscall(
        number, _SET_MODE_FILTER, _NEW_LISTENER | _SPEC_ALLOW, ctypes.byref(pointer)
    )
    if listener < 0:
        return False
    _send_descriptor(channel, listener)
    os.close(listener)
    return True


def filter_program(machine: str, channel: int) -> bytes:
    """The filter as BPF: notify the parent of calls with an address, allow everything else."""
    architecture, _, calls = ARCHITECTURES[machine]

    def step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("HBBI", code, yes, no, value)

    # struct seccomp_data { int nr; u32 arch; u64 instruction_pointer; u64 args[6]; }
    def argument(n: int) -> bytes:
        return step(_LOAD, 16 + 8 * n)

    program = [step(_LOAD, 4), step(_EQUAL, architecture, 1, 0), step(_RETURN, _ALLOW)]
    program += [step(_LOAD, 0)]
    program += [step(_EQUAL, _IO_URING_SETUP, 0, 1), step(_RETURN, _ERRNO | errno.ENOSYS)]
    program += [step(_EQUAL, calls["connect"], 0, 1), step(_RETURN, _NOTIFY)]
    program += [step(_EQUAL, calls["sendmmsg"], 0, 1), step(_RETURN, _NOTIFY)]
    # sendto without an address is send: nobody need look at it. The address is 64 bits wide.
    program += [step(_EQUAL, calls["sendto"], 0, 6), argument(4), step(_EQUAL, 0, 0, 2)]
    program += [step(_LOAD, 16 + 8 * 4 + 4), step(_EQUAL, 0, 1, 0), step(_RETURN, _NOTIFY)]
    program += [step(_RETURN, _ALLOW)]
    # sendmsg on our own channel hands over the listener, before anyone could answer.
    program += [step(_EQUAL, calls["sendmsg"], 0, 3), argument(0)]
    program += [step(_EQUAL, channel, 1, 0), step(_RETURN, _NOTIFY)]
    program += [step(_RETURN, _ALLOW)]
    return b"".join(program)


def _send_descriptor(channel: Channel, descriptor: int) -> None:
    import _socket

    sock = _socket.socket(fileno=channel.descriptor)
    rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("i", descriptor))
    try:
        sock.sendmsg([b'{"event": "listener"}\n'], [rights])
    finally:
        sock.detach()
