"""Evaluations from the hub: the real client against a small server that answers as the hub does."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import pytest

from harness.errors import UnknownId, UserMistake
from harness.evaluations import load_from_hub, parse
from harness.evaluations._hub import Place, place
from tests.test_evaluations import ROWS

SHA = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "main/test.jsonl": "".join(json.dumps(row) + "\n" for row in ROWS["gsm8k"]),
    "main/train.jsonl": json.dumps({"question": "Q?", "answer": "A\n#### 3"}) + "\n",
    "README.md": "---\nconfigs:\n- config_name: main\n  data_files:\n  - split: train\n    path: main/train.jsonl\n"
    "  - split: test\n    path: main/test.jsonl\n---\n",
}


class Hub(BaseHTTPRequestHandler):
    """What the client asks of a public dataset, of a gated one, and of none."""

    def log_message(self, *args):
        pass

    def reply(self, code: int, body: bytes = b"{}", headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), "X-Repo-Commit": SHA, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        if "Idavidrein" in path:
            return self.reply(403, headers={"X-Error-Code": "GatedRepo"})
        if "openai/gsm8k" not in path:
            return self.reply(404, headers={"X-Error-Code": "RepoNotFound"})
        rest = path.partition("openai/gsm8k")[2].strip("/")
        if rest.startswith("revision/") and rest.partition("/")[2] not in (SHA, "main"):
            return self.reply(404, headers={"X-Error-Code": "RevisionNotFound"})
        if not rest or rest.startswith("revision/"):
            siblings = [{"rfilename": name} for name in FILES]
            about = {"id": "openai/gsm8k", "sha": SHA, "siblings": siblings, "tags": [], "private": False,
                     "gated": False, "disabled": False}  # fmt: skip
            return self.reply(200, json.dumps(about).encode())
        if rest.startswith("tree/"):
            return self.reply(200, json.dumps(self.entries(rest.partition(SHA)[2].strip("/"))).encode())
        name = rest.partition(f"resolve/{SHA}/")[2]
        if name not in FILES:
            return self.reply(404, headers={"X-Error-Code": "EntryNotFound"})
        body = FILES[name].encode()
        return self.reply(200, body, {"ETag": f'"{hashlib.sha1(body).hexdigest()}"'})

    do_HEAD = do_GET

    def do_POST(self):
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        paths = json.loads(asked)["paths"] if asked.startswith("{") else [p.partition("=")[2] for p in asked.split("&")]
        wanted = {unquote(p) for p in paths}
        self.reply(200, json.dumps([e for e in self.entries() if e["path"] in wanted]).encode())

    @staticmethod
    def entries(under: str = "") -> list[dict]:
        folders = [{"type": "directory", "oid": SHA, "size": 0, "path": "main"}]
        files = [{"type": "file", "oid": hashlib.sha1(text.encode()).hexdigest(), "size": len(text), "path": name}
                 for name, text in FILES.items()]  # fmt: skip
        return [e for e in folders + files if not under or e["path"].startswith(f"{under}/")]


@pytest.fixture(scope="module")
def hub():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def run(endpoint: str, tmp_path, *data: str) -> subprocess.CompletedProcess:
    """`stackline run --data ...` of a process whose hub is at the endpoint."""
    options = ["--runner", "null", "--no-agents", "--chip", "h20-96gb", "--model", "smollm2-135m-instruct"]
    env = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1"}
    env.pop("HF_HUB_OFFLINE", None)
    command = [sys.executable, "-m", "harness", "run", *options, "--out", str(tmp_path / "run")]
    for one in data:
        command += ["--data", one]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=180)


@pytest.mark.slow  # a process of its own: the client reads where the hub is when it is imported
def test_a_run_reads_the_hub_and_says_which_revision(hub, tmp_path):
    done = run(hub, tmp_path, "gsm8k=hub")
    assert done.returncode == 0, done.stderr
    assert f"--data gsm8k=hub@{SHA}" in done.stderr
    entry = json.loads((tmp_path / "run/manifest.json").read_text())["suites"]["gsm8k"]
    assert f"openai/gsm8k at revision {SHA}" in entry["differs"] and "1 examples before each item" in entry["differs"]
    prompt = json.loads((tmp_path / "run/answers.jsonl").read_text().splitlines()[0])["prompt"]
    assert prompt == "Question: Q?\nAnswer: A\n#### 3\n\nQuestion: Two bags of 600 each?\nAnswer:"


@pytest.mark.slow
def test_what_the_hub_refuses_is_said(hub, tmp_path):
    for data, word in (("gpqa-diamond=hub", "HF_TOKEN"), ("mbpp=hub", "no dataset"), ("gsm8k=hub@nope", "no revision")):
        done = run(hub, tmp_path, data)
        assert done.returncode == 2 and word in done.stderr, done.stderr
    done = run("http://127.0.0.1:9", tmp_path, "gsm8k=hub")
    assert done.returncode == 2 and "cannot reach the hub" in done.stderr


def test_a_place_on_the_hub_is_read_from_its_text():
    assert place("a/b, {lang}, test", "de") == Place("a/b", "de", "test")
    assert place("a/b, , test", "").of("train") == Place("a/b", "", "train")


def test_a_language_is_asked_for_before_the_hub_is():
    with pytest.raises(UserMistake, match="mgsm=hub:LANGUAGE"):
        load_from_hub("mgsm")
    with pytest.raises(UnknownId, match="language of xcopa"):
        load_from_hub("xcopa", "xx")
    with pytest.raises(UserMistake, match="download its files"):
        parse(["bfcl=hub"])
