"""The command lines that confine a program, strongest first. The self-test decides which is believed.

Each builder returns a command whose last words are the interpreter and its flags, after the mark
"--python--" (see process.limited); or None where its tools are not installed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from harness.sandbox.process import NOBODY

_FLAGS = ["-I", "-S", "-B"]  # isolated: no user site, no environment, no .pyc
_TMP_BYTES = 16 << 20
_SYSTEM = ("/bin", "/lib", "/lib32", "/lib64", "/sbin")


def interpreter() -> str | None:
    """The running interpreter if the confined user can read it, else the system's."""
    for path in (os.path.realpath(sys.executable), "/usr/bin/python3"):
        if _runs_unprivileged(path):
            return path
    return None


def bubblewrap(python: str) -> list[str] | None:
    """Own namespaces of every kind, an empty root, /usr and the interpreter read-only, a small /tmp."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return None
    command = [bwrap, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    if "--disable-userns" in _help(bwrap):
        command += ["--unshare-user", "--disable-userns"]
    command += ["--setenv", "PATH", "/usr/bin:/bin", "--setenv", "PYTHONHASHSEED", "0", "--cap-drop", "ALL"]
    for path in _read_only(python):
        command += ["--ro-bind", path, path]
    for path in filter(os.path.islink, _SYSTEM):
        command += ["--symlink", os.readlink(path), path]
    command += ["--proc", "/proc", "--dev", "/dev", "--size", str(_TMP_BYTES), "--tmpfs", "/tmp"]
    # /dev holds a tmpfs and so does /: both would be room without a limit.
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    return [*command, "--python--", python, *_FLAGS]


def user_namespaces(python: str) -> list[str] | None:
    """The same without a package: unshare(1), a new root by pivot_root(8), no capabilities left."""
    tools = ("unshare", "mount", "pivot_root", "umount", "setpriv")
    if any(shutil.which(tool, path="/usr/bin:/bin:/usr/sbin:/sbin") is None for tool in tools):
        return None
    steps = ["set -e", "mount -t tmpfs -o mode=755,size=1m none /tmp", "cd /tmp", "mkdir old tmp dev proc"]
    for path in _read_only(python):
        inside = shlex.quote(path.lstrip("/"))
        make = f"mkdir -p {inside}" if os.path.isdir(path) else f"mkdir -p $(dirname {inside}); : > {inside}"
        steps += [make, f"mount --rbind {shlex.quote(path)} {inside}"]
        steps += [f"mount -o remount,bind,ro,nosuid,nodev {inside} || mount -o remount,bind,ro,nosuid {inside}"]
    for path in filter(os.path.islink, _SYSTEM):
        steps.append(f"ln -s {shlex.quote(os.readlink(path))} {path.lstrip('/')}")
    for device in ("null", "zero", "urandom"):
        steps.append(f": > dev/{device}; mount --bind /dev/{device} dev/{device}")
    steps.append("mount -t proc none proc")  # umount(8) reads it
    steps += [f"mount -t tmpfs -o mode=1777,size={_TMP_BYTES} none tmp", "pivot_root . old", "cd /tmp"]
    steps += ["umount -l /old", "mount -o remount,ro,bind /"]
    drop = "setpriv --bounding-set=-all --inh-caps=-all --no-new-privs"
    script = "\n".join([*steps, f'exec env -i PATH=/usr/bin:/bin PYTHONHASHSEED=0 {drop} "$@"'])
    namespaces = [
        "unshare",
        "--user",
        "--map-root-user",
        "--net",
        "--pid",
        "--mount",
        "--ipc",
        "--uts",
        "--fork",
    ]
    return [*namespaces, "--kill-child", "/bin/sh", "-c", script, "sh", "--python--", python, *_FLAGS]


def unconfined(python: str) -> list[str]:
    """No confinement: a folder of its own under the limits alone. For those who asked for it in so many words."""
    script = 'd=$(mktemp -d) && cd "$d" && "$@"; s=$?; cd / && rm -rf "$d"; exit $s'
    return ["env", "-i", "PATH=/usr/bin:/bin", "PYTHONHASHSEED=0", "/bin/sh", "-c", script, "sh", "--python--", python,
            *_FLAGS]  # fmt: skip


LEVELS: dict[str, Callable[[str], list[str] | None]] = {
    "bubblewrap": bubblewrap,
    "user-namespaces": user_namespaces,
}


def _read_only(python: str) -> list[str]:
    """What a program may read: the system, and the interpreter's own folder if that is elsewhere."""
    paths = ["/usr", *(p for p in _SYSTEM if os.path.isdir(p) and not os.path.islink(p))]
    # The second holds nothing but links into /usr, through which Debian finds awk.
    paths += filter(os.path.exists, ("/etc/ld.so.cache", "/etc/alternatives"))
    prefix = Path(python).parent.parent
    if not any(prefix.is_relative_to(p) for p in paths):
        paths.append(str(prefix))
    return paths


def _runs_unprivileged(python: str) -> bool:
    as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    try:
        done = subprocess.run(
            [python, *_FLAGS, "-c", "import json, resource"],
            cwd="/",
            env={},
            capture_output=True,
            timeout=30,
            **as_nobody,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _help(bwrap: str) -> str:
    return subprocess.run([bwrap, "--help"], capture_output=True, text=True, timeout=30).stdout
