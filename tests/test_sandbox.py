"""Model-written code: right code passes, wrong code fails by its own class, hostile code gets nowhere."""

import os
import time
from pathlib import Path

import pytest

from harness import sandbox
from harness.errors import SandboxUnavailable
from harness.sandbox import confine
from harness.sandbox.selftest import failures

QUICK = sandbox.Limits(wall_s=2)
DOUBLE = "def double(x):\n    return x * 2\n"
CALLS = [("double(4)", 8), ("double('ab')", "abab"), ("double([1])", [1, 1])]


@pytest.fixture(scope="module", autouse=True)
def a_sandbox():
    try:
        return sandbox.level()
    except SandboxUnavailable as why:
        if os.environ.get("STACKLINE_REQUIRE_SANDBOX") == "1":
            pytest.fail(str(why))
        pytest.skip(str(why))


@pytest.fixture(params=sorted(confine.LEVELS))
def each_level(request, monkeypatch):
    """Every level of confinement that this machine offers, the fallback too."""
    python = confine.interpreter()
    command = confine.LEVELS[request.param](python)
    if command is None or failures(command):
        pytest.skip(f"{request.param} is not available here")
    monkeypatch.setattr(sandbox, "level", lambda: sandbox.Level(request.param, "", python))


def status(candidate, calls=CALLS, limits=QUICK):
    return sandbox.check(candidate, calls, limits).status


def test_the_level_says_what_it_is(a_sandbox):
    assert a_sandbox.name in confine.LEVELS and a_sandbox.name in a_sandbox.note


def test_right_code_passes(each_level):
    assert status(DOUBLE) == "passed"


def test_wrong_values_are_wrong():
    assert status("def double(x):\n    return x\n") == "wrong"


@pytest.mark.parametrize("body", ["return 1 / 0", "return undefined", "raise ValueError", "import nowhere"])
def test_exceptions_are_errors(body):
    assert status(f"def double(x):\n    {body}\n") == "error"


def test_code_that_is_no_python_is_an_error():
    outcome = sandbox.check("def double(x:\n", CALLS)
    assert outcome.status == "error" and "SyntaxError" in outcome.stderr


def test_endless_loops_time_out():
    start = time.monotonic()
    assert status("while True: pass", limits=sandbox.Limits(wall_s=0.5)) == "timeout"
    assert time.monotonic() - start < 3


def test_cpu_time_is_limited_before_the_clock():
    assert status("while True: pass", limits=sandbox.Limits(wall_s=20, cpu_s=1)) == "timeout"


def test_too_much_memory_is_told_apart():
    assert status("hoard = bytearray(1 << 33)") == "memory"


def test_too_much_output_is_told_apart():
    assert status("while True: print('x' * 1000)") == "output"


def test_printing_is_no_answer():
    assert status("print('[8, \"abab\", [1, 1]]')\n" + DOUBLE) == "passed"
    assert status("print('[8, \"abab\", [1, 1]]')\ndef double(x): pass") == "wrong"


def test_tuples_lists_and_numbers_compare_as_in_python():
    assert status("def f(): return (1, 2)", [("f()", (1, 2))]) == "passed"
    assert status("def f(): return (1, 2)", [("f()", [1, 2])]) == "wrong"
    assert status("def f(): return {3: {1, 2}}", [("f()", {3: {2, 1}})]) == "passed"
    assert status("def f(): return 0.1 + 0.2", [("f()", 0.3)]) == "passed"
    assert status("def f(): return float('nan')", [("f()", 0.3)]) == "wrong"
    assert status("def f(): return 3.0", [("f()", 3)]) == "passed"


def test_a_program_may_read_stdin_and_print():
    outcome = sandbox.run("print(input()[::-1])", stdin="abc")
    assert (outcome.status, outcome.stdout) == ("passed", "cba\n")


def test_many_candidates_come_back_in_order():
    jobs = [(DOUBLE, CALLS), ("def double(x): return x", CALLS), ("1/0", CALLS), (DOUBLE, CALLS)]
    assert [o.status for o in sandbox.check_all(jobs)] == ["passed", "wrong", "error", "passed"]


def test_without_any_level_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setattr(confine, "LEVELS", {"nothing": lambda python: None})
    with pytest.raises(SandboxUnavailable, match=r"nothing: not installed.*install bubblewrap"):
        sandbox.level.__wrapped__()


def test_a_level_that_confines_nothing_fails_its_self_test():
    assert failures(["/usr/bin/env", "--python--", confine.interpreter(), "-I"]) != []


FORGERIES = {
    "exits 0 before the tests": "import sys; sys.exit(0)",
    "ends the process at once": "import os; os._exit(0)",
    "says that it passed": "print('passed'); import os; os.write(1, b'passed'); os._exit(0)",
    "returns what equals everything": (
        "class Liar:\n    __eq__ = lambda a, b: True\n"
        "    __hash__ = lambda a: 0\n    __repr__ = lambda a: '8'\n"
        "def double(x): return Liar()"
    ),
    "returns an int that shows as another": (
        "class Liar(int):\n    __repr__ = __str__ = lambda a: '8'\n    __eq__ = lambda a, b: True\n"
        "def double(x): return Liar(3)"
    ),
    "patches the builtins": (
        "import builtins, json\nbuiltins.eval = lambda *a: 8\njson.dumps = lambda *a, **k: 'true'\n"
        "builtins.type = lambda *a: int\nbuiltins.len = lambda x: 3"
    ),
    "patches the judge's own module": (
        "import sys\nm = sys.modules['__main__']\nm.plain = lambda *a: True\nm.leave = lambda e: None\nraise SystemExit"
    ),
    "writes to every file descriptor": (
        "import os\nfor fd in range(3, 64):\n    try:\n        os.write(fd, b'[true, true, true]')\n"
        "    except OSError:\n        pass\nos._exit(0)"
    ),
    "kills its parent": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nos._exit(0)",
    "kills everything": "import os, signal\nos.kill(-1, signal.SIGKILL)\nos._exit(0)",
    "looks for the tests": (
        "import gc\ntexts = [o for o in gc.get_objects() if isinstance(o, dict) and 'calls' in o]\n"
        "def double(x): return next((c for t in texts for c in t['calls']), None)"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("candidate", FORGERIES.values(), ids=FORGERIES)
def test_a_verdict_cannot_be_forged(each_level, candidate):
    assert status(candidate) in ("wrong", "error", "timeout", "output")


HOSTILE = {
    "fork bomb": "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
    "memory bomb": "hoard = []\nwhile True: hoard.append(bytearray(1 << 20))",
    "memory bomb in many processes": (
        "import os\nfor _ in range(10):\n    try:\n        os.fork()\n    except OSError:\n        break\n"
        "hoard = []\nwhile True: hoard.append(bytearray(1 << 20))"
    ),
    "endless output": "import sys\nwhile True: sys.stderr.write('x' * 65536)",
    "endless files": (
        "k = 0\nwhile True:\n    k += 1\n    with open(f'/tmp/{k}', 'wb') as f: f.write(b'x' * (1 << 20))"
    ),
    "the network": "import socket\nsocket.create_connection(('1.1.1.1', 53), timeout=2)",
    "the loopback": "import socket\nsocket.create_connection(('127.0.0.1', 22), timeout=2)",
    "writing to /usr": "open('/usr/stackline', 'w')",
    "writing to the root": "open('/stackline', 'w')",
    "writing to /dev/shm": "open('/dev/shm/stackline', 'w')",
    "becoming root": "import os\nos.setuid(0)\nos.mkdir('/root/x')",
    "mounting": "import ctypes\nassert ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0",
    "a longer leash": "import resource\nresource.setrlimit(resource.RLIMIT_NPROC, (9999, 9999))",
    "ignoring signals": "import signal\nfor s in (15, 2): signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
    "deep answers": "x = []\nfor _ in range(10 ** 5): x = [x]\ndef double(y): return x",
}


@pytest.mark.slow
@pytest.mark.parametrize("candidate", HOSTILE.values(), ids=HOSTILE)
def test_hostile_programs_end_in_time_and_reach_nothing(each_level, candidate):
    start = time.monotonic()
    assert status(candidate) != "passed"
    assert time.monotonic() - start < 12
    assert status(DOUBLE) == "passed"


@pytest.mark.slow
def test_the_home_folder_and_this_checkout_are_not_to_be_seen(each_level, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    for path in (Path(__file__), secret, Path("/etc/passwd"), Path("/etc/shadow")):
        assert status(f"open({str(path)!r})") == "error"
    outcome = sandbox.run(f"import os; print(os.path.isdir({str(Path.home())!r}) and os.listdir({str(Path.home())!r}))")
    python = sandbox.level().python
    assert outcome.stdout.strip() in ("False", "[]") or python.startswith(str(Path.home()))


@pytest.mark.slow
def test_nothing_of_the_environment_comes_along(each_level, monkeypatch):
    monkeypatch.setenv("STACKLINE_SECRET", "secret")
    outcome = sandbox.run("import os; print(sorted(os.environ))")
    assert outcome.status == "passed" and "STACKLINE_SECRET" not in outcome.stdout


@pytest.mark.slow
def test_no_process_outlives_its_program(each_level):
    marker = "987.6543"
    status(f"import os, time\nfor _ in range(5):\n    if os.fork() == 0:\n        os.setsid()\n        "
           f"os.execv('/usr/bin/sleep', ['sleep', '{marker}'])\nos._exit(0)")  # fmt: skip
    time.sleep(0.3)
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(entry.read_bytes())
        except OSError:
            continue
    assert not [line for line in lines if line.startswith(b"sleep") and marker.encode() in line]


def test_every_row_of_the_documents_table_names_a_test():
    """docs/sandbox.md claims nothing that no test tries, and leaves no hostile program of the tests out."""
    from tests import test_repo_repair as repair

    text = Path(__file__).parent.with_name("docs").joinpath("sandbox.md").read_text("utf-8")
    named = [row.split("|")[3].strip() for row in text.splitlines() if row.startswith("| ") and row.count("|") == 4]
    programs = {**HOSTILE, **FORGERIES, **repair.HOSTILE, **repair.SHELL_HOSTILE}
    functions = [name for module in (globals(), vars(repair)) for name in module if name.startswith("test_")]
    assert len(named) > 30
    for name in named[1:]:
        assert name in programs or any(name in function for function in functions), name
    most = sandbox.Limits()
    for words in (f"{most.processes} processes", f"{most.memory_bytes >> 20} MiB of memory", f"{most.cpu_s} s of CPU"):
        assert words in " ".join(text.split()), words
    assert {*HOSTILE, *FORGERIES} - set(named) <= {
        "deep answers", "writing to /dev/shm", "ends the process at once", "patches the builtins",
        "returns an int that shows as another",
    }  # fmt: skip


@pytest.fixture
def nothing_confines(monkeypatch):
    """A machine on which no confinement passes; the flag and the level found are put back."""
    monkeypatch.setattr(confine, "LEVELS", {"bubblewrap": lambda python: None})
    monkeypatch.setattr(sandbox, "_unconfined_allowed", False)
    sandbox.level.cache_clear()
    yield
    sandbox.level.cache_clear()


def test_without_confinement_programs_run_only_on_the_users_word(nothing_confines):
    with pytest.raises(SandboxUnavailable, match="--allow-unsafe-exec"):
        sandbox.check("x = 1", [("x", 1)])
    sandbox.allow_unconfined()
    assert sandbox.level().name == "unconfined" and "bubblewrap: not installed" in sandbox.level().note
    assert sandbox.check("def double(x):\n    return 2 * x", [("double(4)", 8)]).status == "passed"
    assert sandbox.check("def double(x):\n    return x", [("double(4)", 8)]).status == "wrong"


def test_unconfined_programs_keep_their_limits_and_leave_no_folder(nothing_confines, tmp_path):
    sandbox.allow_unconfined()
    short = sandbox.Limits(wall_s=3, cpu_s=1)
    assert sandbox.run("while True: pass", limits=short).status == "timeout"
    assert sandbox.run("x = bytearray(1 << 30)").status == "memory"
    where = sandbox.run("import os; open('made', 'w').write('x'); print(os.getcwd())").stdout.strip()
    assert where not in ("", "/") and not Path(where).exists()


def test_the_users_word_changes_nothing_where_something_confines(monkeypatch):
    if sandbox.level().name == "unconfined":
        pytest.skip("nothing confines here")
    found = sandbox.level()
    monkeypatch.setattr(sandbox, "_unconfined_allowed", False)
    sandbox.allow_unconfined()
    assert sandbox.level() == found
