# Runs inside the sandbox as a program's text (see harness/sandbox), and imports nothing of Stackline.
# stdin: {"repos": [{"files": {path: text}, "probes": [probe, ...]}, ...], "preload": [module, ...]}; a probe is
# {"python": [setup, expression]} or {"shell": command}. stdout: a list of results for each repository, a result for
# each probe. Every probe has a process and a fresh copy of the files of its own, so that none spoils another. What is
# right is not known in here: the results are compared outside.
import json
import os
import select
import signal
import sys
import time

SECONDS, MOST = 5.0, 20_000  # of one probe: time, and bytes of its result
plain = sys.modules["__main__"].plain


def written(folder, files):
    """The files, in a folder of their own."""
    os.mkdir(folder)
    for path, text in files.items():
        place = os.path.join(folder, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    os.chdir(folder)


def printed(function, *arguments):
    """What a function prints, for probes of command lines."""
    import contextlib
    import io

    held = io.StringIO()
    with contextlib.redirect_stdout(held):
        function(*arguments)
    return held.getvalue()


def python(setup, expression):
    """The value of an expression in the repository, or the name of what it raised."""
    sys.path.insert(0, os.getcwd())
    namespace = {"printed": printed}
    try:
        exec(setup, namespace)
        return {"value": plain(eval(expression, namespace))}
    except Exception as error:
        return {"raises": type(error).__name__}


def child(folder, files, probe, pipe):
    """In the probe's own process: the result goes down the pipe."""
    os.setsid()
    written(folder, files)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 2)
    if "shell" in probe:
        os.dup2(pipe, 1)
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "PYTHON": sys.executable}
        os.execve("/bin/sh", ["sh", "-c", probe["shell"]], environment)
    os.dup2(nothing, 1)
    data = json.dumps(python(*probe["python"])).encode()
    while data:
        data = data[os.write(pipe, data) :]
    os._exit(0)


def heard(pipe):
    """(all that comes through a pipe, whether it ended in time and size)."""
    data, deadline = b"", time.monotonic() + SECONDS
    while len(data) <= MOST:
        if not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return data, False
        piece = os.read(pipe, 65536)
        if not piece:
            return data, True
        data += piece
    return data, False


def result(folder, files, probe):
    """What a probe says; a program that ends without a word is known by its exit status."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(ours)
            child(folder, files, probe, theirs)
        finally:
            os._exit(1)
    os.close(theirs)
    data, whole = heard(ours)
    os.close(ours)
    if not whole:
        try:
            os.killpg(pid, signal.SIGKILL)
        except OSError:
            pass
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    text = data.decode("utf-8", "replace")
    if not whole:
        return {"stopped": text if "shell" in probe else ""}
    if "shell" in probe:
        return {"exit": status, "out": text}
    try:
        return json.loads(text)
    except ValueError:
        return {"ended": status}


def results(number, repo):
    """A repository's results; after a probe that had to be stopped the others are not tried."""
    found = []
    for k, probe in enumerate(repo["probes"]):
        stopped = found and ("stopped" in found[-1] or "skipped" in found[-1])
        found.append({"skipped": True} if stopped else result(f"/tmp/repo-{number}-{k}", repo["files"], probe))
    return found


def main():
    request = json.load(sys.stdin)
    for name in request["preload"]:  # once, and not in every probe's process
        try:
            __import__(name)
        except Exception:
            pass
    sys.stdout.write(json.dumps([results(number, repo) for number, repo in enumerate(request["repos"])]))


main()
