"""Every command and every program that README.md and docs/ show is run, or stands below with the reason why not.

Those of the tutorials are typed in order by `test_guide.py`; the others here, in one folder that holds what a reader is
said to have: own runs, own questions, own weights, an endpoint. Where a command would take minutes, words that make it
smaller are added to its end, never taken away.
"""

from __future__ import annotations

import gzip
import json
import re
import shlex
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import OUTSIDE, ROOT
from tests.shown import PAGES, in_blocks, in_sentences, steps
from tests.test_evaluations import ROWS
from tests.test_guide import TUTORIALS

SMALL = "--limit 1 --no-agents --model llama-3.1-8b"
QUICK = f"{SMALL} --suite science-choice --chip h20-96gb"
# What is added to a command that would take minutes: of several that fit, the first.
SMALLER = (
    ("run --full", "--suite science-choice --chip h20-96gb --model llama-3.1-8b --no-agents"),
    ("run --limit 10", SMALL), ("run --chip all", f"{SMALL} --suite science-choice"),
    ("run --suite service-desk", f"{SMALL} --chip h20-96gb"), ("run --suite repo-repair", f"{SMALL} --chip h20-96gb"),
    ("run --suite long-horizon", f"{SMALL} --chip h20-96gb"),
    ("run --epochs", f"{SMALL} --chip h20-96gb"), ("run --suite contest-math", f"{SMALL} --chip h20-96gb"),
    ("run --data", f"{SMALL} --chip h20-96gb"), ("run", QUICK),
    ("calibrate --kernels", "-o constants"),  # without it the project's own constants are written
)  # fmt: skip
# What stands for a place that the reader fills in.
FILLED = (
    ("chips check <id>", "chips check h20-96gb"), ("models check <id>", "models check qwen3-235b-a22b"),
    ("suites show <id>", "suites show science-choice"), ("workloads check <id>", "workloads check chat"),
    ("plot <name> RUN", "plot roofline results/RUN"), ("chips show ID", "chips show zhenwu-m890"),
    ("cn|us|eu", "cn"), ("--precision NAME", "--precision fp8"),
    ("--kernels DIR", f"--kernels {OUTSIDE}/measurements/kernels"),
    ("--serving FILE", "--serving requests.jsonl"), ("FILE", "points-of-others.csv"),
    ("--stack STACK", "--stack llama-3.1-8b@h100-sxm"), ("run --suite our-questions", "run --suite science-choice"),
)  # fmt: skip
# Names of commands in a sentence, which are no commands to type.
NAMES = {
    "stackline predict", "stackline simulate", "stackline compare", "stackline calibrate", "stackline report",
    "stackline suites new", "stackline stacks compare", "vllm bench", "vllm bench serve --save-detailed",
}  # fmt: skip
NOT_RUN = {
    "pip install -e . && stackline run": "installs into the reader's environment; test_slow.py installs the wheel into "
    "a new one, and makes the default run",
    'pip install -e ".[test]" && pytest': "is the run that this test is a part of; .ci/run types it, word for word",
    "pytest -m slow": "is the run that this test is a part of",
    "pip install 'stackline[ifeval]'": "installs from the package index what the tests have",
    "stackline run --data gsm8k=hub --data mgsm=hub:de --limit 50": "needs the hub; test_evaluation_hub.py runs its "
    "client against a server of the test's own",
    "stackline run --data gsm8k=hub@0123456789abcdef0123456789abcdef01234567": "needs the hub, as above",
    "vllm serve WEIGHTS --tensor-parallel-size 8 --kv-cache-dtype fp8 --max-model-len 9216 --no-enable-prefix-caching":
        "needs eight H20",
    "vllm bench serve --model WEIGHTS --dataset-name random --random-input-len 8192 --random-output-len 1024 "
    "--ignore-eos --max-concurrency 16 --num-prompts 160": "needs eight H20",
    "sh results/baseline/rebuild": "writes the committed example; test_worked_example.py runs its comparison",
    "python -m harness.validation.record FILE": "writes the figures that test_regression.py holds",
    "python -m harness.validation.extract FILE": "writes the shipped table; test_extract.py runs it elsewhere",
    "python tests/benchmarks/predict_speed.py": "measures for minutes; no test is timed",
}  # fmt: skip


def all_shown() -> list[str]:
    """Each command once, those in blocks first: a sentence may speak of what one of them made."""
    blocks = [c for page in PAGES if Path(page).stem not in TUTORIALS for c in in_blocks(page)]
    return list(dict.fromkeys([*blocks, *(c for page in PAGES for c in in_sentences(page))]))


def to_run() -> list[str]:
    inputs = [command for command in all_shown() if command.startswith("printf ")]
    typed_by_tutorials = {c for name in TUTORIALS for c in in_blocks(f"docs/{name}.md")}
    left = {*NAMES, *NOT_RUN, *inputs, *typed_by_tutorials}
    return [command for command in all_shown() if command not in left]


def typed(command: str, port: int) -> str:
    """The command as it is run."""
    for place, value in FILLED:
        command = command.replace(place, value)
    words = command.removeprefix("stackline ")
    more = next((more for start, more in SMALLER if words == start or words.startswith(f"{start} ")), "")
    for option, value in re.findall(r"(--\w+) (\S+)", more):
        if option in ("--suite", "--model") and f"{option} " in words:
            more = more.replace(f"{option} {value}", "")
    command = f"{command} {more}".strip().replace("localhost:8000", f"127.0.0.1:{port}")
    return command.replace("stackline ", f"{shlex.quote(sys.executable)} -m harness ", 1)


class Endpoint(BaseHTTPRequestHandler):
    """The reference model as an OpenAI-compatible endpoint: completions, one at a time."""

    engine, alone = None, threading.Lock()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.alone:
            answer = self.engine.generate([asked["prompt"]], asked["max_tokens"], stop=asked.get("stop") or [])[0]
        usage = {"prompt_tokens": answer.prompt_tokens, "completion_tokens": len(answer.token_ids)}
        reply = {"choices": [{"text": answer.text, "finish_reason": "stop"}], "usage": usage}
        body = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def port(weights_folder):
    from harness.runners import runner

    Endpoint.engine = runner("reference")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, weights_folder) -> Path:
    """What a reader is said to have."""
    from harness.reference import weights

    place = tmp_path_factory.mktemp("reader")
    measured = ROOT / "harness/validation/measurements.csv"
    shutil.copy(measured, place / "points-of-others.csv")
    (place / "operating_points.csv.gz").write_bytes(gzip.compress(measured.read_bytes()))
    rows = pd.read_csv(measured)
    rows[rows["model"].isin(["deepseek-r1", "gpt-oss-120b"])].to_csv(place / "mine.csv", index=False)
    for line in (*in_blocks("docs/check-my-measurements.md"), *in_blocks("README.md")):
        if line.startswith("printf "):
            shell(line.replace("mine.csv", "my-runs.csv"), place)
    gemm = [f"h20-96gb,bfloat16,{m},4096,4096,{20 + m / 4}\n" for m in (1, 64, 512, 2048, 8192)]
    (place / "my-gemm.csv").write_text("chip,gemm_dtype,m,n,k,time_us\n" + "".join(gemm), "utf-8")
    (place / "requests.csv").write_text("arrival_s,isl,osl\n0,1200,80\n0.7,900,120\n1.1,2400,60\n2.9,1500,200\n")
    record = [{"queued_ts": k / 2, "first_token_ts": k / 2 + 0.1, "last_token_ts": k / 2 + 1, "input_toks": 800,
               "output_toks": 90} for k in range(20)]  # fmt: skip
    (place / "requests.jsonl").write_text("".join(json.dumps(one) + "\n" for one in record), "utf-8")
    config = next(c for c in in_blocks("harness/models/README.md") if c.startswith("python -c"))
    shell(config.replace("python", shlex.quote(sys.executable), 1), place)
    for name, rows in (("gsm8k/test.jsonl", ROWS["gsm8k"]), ("xcopa/test.it.jsonl", ROWS["xcopa"])):
        (place / name).parent.mkdir()
        (place / name).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (place / "results").mkdir()
    shutil.copytree(ROOT / "results/baseline", place / "results/baseline")
    weights._download(place, print).rename(place / "my-model.gguf")
    shell(f"{shlex.quote(sys.executable)} -m harness run {QUICK} --out results/RUN", place)
    return place


def shell(command: str, place: Path) -> str:
    done = subprocess.run(command, shell=True, cwd=place, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, f"{command}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.mark.slow  # some seconds each, minutes together
@pytest.mark.parametrize("command", to_run())
def test_a_command_that_is_shown_works(command: str, folder: Path, port: int) -> None:
    if "DIR" in command and not (OUTSIDE / "measurements/kernels").exists():
        pytest.skip("no measurements/kernels in STACKLINE_REFERENCE_DATA")
    shell(typed(command, port), folder)


@pytest.mark.slow
@pytest.mark.parametrize("program", [text for page in PAGES for kind, text in steps(page) if kind == "python"])
def test_a_program_that_is_shown_works(program: str, folder: Path) -> None:
    assert shell(f"{shlex.quote(sys.executable)} -c {shlex.quote(program)}", folder)


def test_what_is_not_run_is_shown_somewhere() -> None:
    """A reason for a command that no page shows any more is left behind."""
    assert not {*NAMES, *NOT_RUN} - set(all_shown())
    assert not [place for place, _ in FILLED if not any(place in command for command in all_shown())]


def test_the_commands_are_found() -> None:
    found = to_run()
    assert len(found) > 55 and all(re.match(r"(stackline|python) ", command) for command in found)
