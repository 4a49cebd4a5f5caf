"""What a hostile program would try first, tried once before any other program is trusted to a level."""

from __future__ import annotations

import json
import os
from pathlib import Path

from harness.sandbox.process import Limits, execute

_PROBE = """
import json, os, socket, sys
home, allowed, host_pid = json.loads(sys.stdin.read())
found = []

def refused(what, attempt):
    try:
        attempt()
    except (OSError, MemoryError):
        return
    found.append(what)

def connect():
    socket.create_connection(("1.1.1.1", 53), timeout=1).close()

def send():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("1.1.1.1", 53))

def write(path):
    with open(path, "w") as file:
        file.write("x")

def fork_many():
    for _ in range(100):
        if os.fork() == 0:
            import time
            time.sleep(5)
            os._exit(0)

refused("the network is reachable", connect)
refused("the network takes packets", send)
for folder in ("/", "/usr", "/etc", "/dev/shm", home):
    refused(f"{folder} can be written", lambda: write(folder + "/stackline-probe"))
if os.path.isdir(home) and set(os.listdir(home)) - set(allowed):
    found.append("the home folder can be read")
if host_pid > 99:  # a smaller number may well exist in here too
    refused("processes outside can be signalled", lambda: os.kill(host_pid, 0))
refused("memory is not limited", lambda: bytearray(1 << 30))
with open("/tmp/allowed", "w") as file:
    file.write("x")
refused("the number of processes is not limited", fork_many)
print(json.dumps(found), flush=True)
os._exit(0)
"""


def failures(command: list[str]) -> list[str]:
    """What the confinement of `command` does not hold; empty if it holds everything."""
    home = Path.home()
    python = command[command.index("--python--") + 1]
    # An interpreter that lives under the home folder leaves its own folder visible there, and no other.
    allowed = [Path(python).relative_to(home).parts[0]] if Path(python).is_relative_to(home) else []
    outcome = execute([*command, "-c", _PROBE], json.dumps([str(home), allowed, os.getpid()]), Limits(wall_s=20))
    if outcome.status != "passed":
        return [f"does not start ({outcome.status}: {outcome.stderr.strip()[-160:]})"]
    try:
        return list(json.loads(outcome.stdout))
    except ValueError:
        return [f"its self-test answered {outcome.stdout[:80]!r}"]
