"""One confined process: started, fed, read up to a limit, and ended with all its children."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass

NOBODY = 65534
MEMORY_EXIT = 86  # what _inside.py ends with on MemoryError


@dataclass(frozen=True)
class Limits:
    """What a program may use. `processes` times `memory_bytes` bounds the whole."""

    wall_s: float = 8.0
    cpu_s: int = 5
    memory_bytes: int = 256 << 20
    processes: int = 24
    file_bytes: int = 8 << 20
    output_bytes: int = 256 << 10


@dataclass(frozen=True)
class Outcome:
    """How a program ended: passed | wrong | error | timeout | memory | output | sandbox."""

    status: str
    stdout: str
    stderr: str
    seconds: float


def execute(command: list[str], stdin: str, limits: Limits) -> Outcome:
    """Run `command` under `limits` with `stdin`; kill its process group on any breach."""
    start = time.monotonic()
    try:
        process = _start(command, limits)
    except OSError as error:
        return Outcome("sandbox", "", str(error), time.monotonic() - start)
    try:
        streams, breach = _converse(process, stdin.encode(), limits, start + limits.wall_s)
    finally:
        _end(process)
    stdout, stderr = (s.decode("utf-8", "replace") for s in streams)
    return Outcome(breach or _status(process.returncode), stdout, stderr, time.monotonic() - start)


def _start(command: list[str], limits: Limits) -> subprocess.Popen:
    # The limit on processes is not enforced for root, whatever user namespace it enters, so root becomes
    # nobody first. The other limits are set inside, by `limited`.
    as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    return subprocess.Popen(
        limited(command, limits),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        start_new_session=True,
        bufsize=0,
        **as_nobody,
    )


def limited(command: list[str], limits: Limits) -> list[str]:
    """The command with its limits set by the shell inside the sandbox, just before Python starts.

    Inside, because there the count of processes starts at zero; an ordinary user may well have more
    processes outside than a candidate is allowed.
    """
    python = command.index("--python--")
    rules = (
        f"ulimit -c 0 && ulimit -v {limits.memory_bytes >> 10} && ulimit -t {limits.cpu_s} "
        f"&& ulimit -f {limits.file_bytes >> 9} && ulimit -n 64 && "
        f'{{ ulimit -u {limits.processes} 2>/dev/null || ulimit -p {limits.processes}; }} && exec "$@"'
    )
    return [*command[:python], "/bin/sh", "-c", rules, "sh", *command[python + 1 :]]


def _converse(
    process: subprocess.Popen, data: bytes, limits: Limits, deadline: float
) -> tuple[tuple[bytes, bytes], str]:
    """Feed stdin and read both outputs until they close or a limit breaks; the breach is "" if none did."""
    read = {process.stdout: bytearray(), process.stderr: bytearray()}
    breach = ""
    with selectors.DefaultSelector() as selector:
        for pipe in read:
            selector.register(pipe, selectors.EVENT_READ)
        os.set_blocking(process.stdin.fileno(), False)
        selector.register(process.stdin, selectors.EVENT_WRITE)
        while selector.get_map() and not breach:
            for key, _ in selector.select(max(0.0, deadline - time.monotonic())):
                if key.fileobj is process.stdin:
                    data = _feed(process.stdin, data)
                    done = not data
                else:
                    piece = os.read(key.fd, 65536)
                    read[key.fileobj] += piece
                    done = not piece
                if done:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
            if sum(map(len, read.values())) > limits.output_bytes:
                breach = "output"
            elif time.monotonic() >= deadline:
                breach = "timeout"
    if not breach:
        try:
            process.wait(max(0.05, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            breach = "timeout"
    return (bytes(read[process.stdout]), bytes(read[process.stderr])), breach


def _feed(pipe, data: bytes) -> bytes:
    """Write what the pipe takes; what is left. A reader that has gone wants no more."""
    try:
        return data[os.write(pipe.fileno(), data[:65536]) :]
    except BlockingIOError:
        return data
    except OSError:
        return b""


def _end(process: subprocess.Popen) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        pipe.close()


def _status(code: int) -> str:
    if code == 0:
        return "passed"
    if code == MEMORY_EXIT:
        return "memory"
    # bwrap and sh report a signal as 128 + its number: XCPU, and the KILL that follows it.
    killed = {signal.SIGXCPU, signal.SIGKILL}
    return "timeout" if -code in killed or code - 128 in killed else "error"
