"""An OpenAI-compatible endpoint as a runner, against a real server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from harness.errors import UserMistake
from harness.results import load_results
from harness.run.evaluate import with_options
from harness.run.job import Options, run
from harness.runners import runner
from harness.suites import suite


class Endpoint(BaseHTTPRequestHandler):
    """Answers "B", refuses prompts that hold the word it was told to refuse, counts what it was asked."""

    asked: ClassVar[list[dict]] = []
    refuse = ""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body)
        if self.refuse and self.refuse in body["prompt"]:
            self.send_error(400)
            return
        usage = {"prompt_tokens": 7, "completion_tokens": 2}
        reply = json.dumps({"choices": [{"text": " B\nmore", "finish_reason": "stop"}], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def url(monkeypatch) -> Iterator[str]:
    monkeypatch.setattr(Endpoint, "asked", [])
    monkeypatch.setattr(Endpoint, "refuse", "")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()


def test_answers_come_in_order_with_their_token_counts(url):
    answers = runner(f"api:some-model@{url}").generate(["one", "two", "three"], 8, stop=["\n"])
    assert [a.text for a in answers] == [" B"] * 3 and answers[0].prompt_tokens == 7
    assert {body["model"] for body in Endpoint.asked} == {"some-model"} and Endpoint.asked[0]["max_tokens"] == 8


def test_a_refused_prompt_is_an_error_with_its_reason(url, monkeypatch):
    monkeypatch.setattr(Endpoint, "refuse", "two")
    answers = runner(f"api:m@{url}").generate(["one", "two"], 8)
    assert [a.finish for a in answers] == ["stop", "error"] and "400" in answers[1].error


def test_a_runner_that_cannot_score_is_shown_the_options():
    item = suite("science-choice").items()[0]
    prompt = with_options(item)
    assert prompt.endswith("Answer:") and all(
        f"{a}. {c}\n" in prompt for a, c in zip("ABCD", item.choices, strict=True)
    )


@pytest.mark.parametrize("text, letter", [("B", 1), (" (C) because", 2), ("D. it is", 3), ("a)", 0)])
def test_a_letter_is_read_as_its_option(text, letter):
    one = suite("science-choice")
    item = one.items()[0]
    assert one.grade(item, text).extracted == item.choices[letter]


def test_prompts_that_failed_are_left_out_and_said(url, monkeypatch, tmp_path):
    items = suite("science-choice").items(0, 6)
    monkeypatch.setattr(Endpoint, "refuse", items[0].data["question"])
    options = Options(suites=("science-choice",), chips=("h20-96gb",), models=("smollm2-135m-instruct",), limit=6,
                      runner=f"api:m@{url}", out=tmp_path / "r")  # fmt: skip
    rows = load_results(run(options, lambda text: None)).rows
    accuracy = rows.query("metric == 'accuracy'").iloc[0]
    assert accuracy.n == 5 and "1 of 6 prompts failed" in accuracy.note
    right = sum(item.choices[1] == item.answer for item in items[1:])
    assert accuracy.value == pytest.approx(right / 5)
    assert rows.query("metric == 'errors'").value.iloc[0] == 1


def test_an_address_that_is_none_is_the_users_mistake():
    with pytest.raises(UserMistake, match="http"):
        runner("api:m@localhost:8000")
