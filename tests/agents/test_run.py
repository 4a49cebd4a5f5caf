"""A suite that acts, in a run: turns kept, sessions served, limits said, an endpoint's own function calls."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

import harness
from harness.agents import Limits
from harness.errors import UserMistake
from harness.results import load_results
from harness.run.job import Options, run
from harness.suites import suite
from harness.workloads import load_trace


def acted(tmp_path, **more):
    options = Options(suites=("service-desk",), models=("smollm2-135m-instruct",), chips=("h100-sxm",), workers=1,
                      out=tmp_path / "run", agents=False, **more)  # fmt: skip
    found = load_results(run(options, lambda _: None))
    lines = [json.loads(line) for line in (found.folder / "turns.jsonl").read_text("utf-8").splitlines()]
    return found, found.rows.set_index("metric"), lines


@pytest.mark.slow
def test_turns_are_kept_and_sessions_are_a_trace(tmp_path, weights_folder):
    found, rows, lines = acted(tmp_path, limit=2, limits=Limits(turns=3))
    assert rows.loc["turns_mean", "value"] == len(lines) / 2 and max(line["turn"] for line in lines) < 3
    assert rows.loc["prompt_tokens_mean", "value"] == sum(line["prompt_tokens"] for line in lines) / 2
    ended = {line["id"]: line["finish"] for line in lines}
    over = sum(finish != "stop" for finish in ended.values()) / 2
    assert rows.loc["ended_by_limit", "value"] == rows.loc["truncated", "value"] == over
    trace = load_trace(found.folder / "requests-service-desk.csv")
    served = harness.simulate("llama-3.1-8b@h100-sxm", trace)
    assert len(served) == len(lines) and (served.status == "ok").all()


class Endpoint(BaseHTTPRequestHandler):
    """Cancels whatever number it is told by a function call, then says so."""

    bodies: ClassVar[list[dict]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.bodies.append(body)
        number = next((w.strip(".") for w in body["messages"][1]["content"].split() if w.strip(".").isdigit()), "0")
        call = {"id": "c", "type": "function",
                "function": {"name": "cancel_order", "arguments": json.dumps({"order_id": number})}}  # fmt: skip
        said = {"content": f"Order {number} is cancelled."}
        message = said if body["messages"][-1]["role"] == "tool" else {"content": None, "tool_calls": [call]}
        reply = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}],
                            "usage": {"prompt_tokens": 9, "completion_tokens": 3}}).encode()  # fmt: skip
        self.send_response(200)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: object) -> None: ...


@pytest.mark.slow
def test_an_endpoints_own_function_calls_act(tmp_path, monkeypatch):
    monkeypatch.setattr(Endpoint, "bodies", [])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    items = [i for i in suite("service-desk").items(level=1)]
    _, rows, lines = acted(tmp_path, full=True, runner=f"api:m@{url}", native_tools=True, limits=Limits(turns=4))
    server.shutdown()
    cancels = {i.id for i in items if i.group == "shop-cancel"}
    right = [json.loads(line) for line in (tmp_path / "run" / "answers.jsonl").read_text("utf-8").splitlines()]
    assert cancels <= {line["id"] for line in right if line["value"] == 1.0}
    assert {t["function"]["name"] for t in Endpoint.bodies[0]["tools"]} >= {"verify"}
    assert Endpoint.bodies[0]["messages"][0]["role"] == "system" and rows.loc["turns_mean", "value"] >= 2
    assert lines[0]["prompt_tokens"] == 9


def test_function_calls_are_an_endpoints(tmp_path):
    with pytest.raises(UserMistake, match="--native-tools"):
        acted(tmp_path, native_tools=True)
