"""An OpenAI-compatible endpoint as a runner (vLLM, SGLang, llama.cpp server and others serve it).

Standard library only: one POST a prompt to `<url>/completions` (one a turn to `<url>/chat/completions` where a suite
acts through the endpoint's own function calling), several at a time, retried when the server
asks for patience. The key is read from the environment (`STACKLINE_API_KEY`, else `OPENAI_API_KEY`).
"""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from http.client import HTTPException

from harness.answers import Answer
from harness.errors import StacklineError, UserMistake
from harness.runners.base import Progress

_RETRY_AFTER_S = (1.0, 4.0, 15.0)
_PATIENCE = (408, 429, 500, 502, 503, 504)


class ApiRunner:
    """Raw prompts, so that scores compare with the reference model's; no log-likelihoods."""

    weight_dtype = ""
    tokenizer = None

    def __init__(self, model: str, url: str, concurrency: int = 8, timeout_s: float = 600.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise UserMistake(f"endpoint '{url}': expected api:MODEL@http(s)://HOST/v1")
        self.id, self.model = f"api:{model}", model
        self.url = url.rstrip("/") + "/completions"
        self.chat_url = url.rstrip("/") + "/chat/completions"
        self.concurrency, self.timeout_s = concurrency, timeout_s
        self.key = os.environ.get("STACKLINE_API_KEY") or os.environ.get("OPENAI_API_KEY", "")

    def generate(
        self,
        prompts: Sequence[str],
        max_tokens: int,
        stop: Sequence[str] = (),
        temperature: float = 0.0,
        *,
        top_p: float = 1.0,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> list[Answer]:
        """One answer a prompt; a refused or failed one comes back as finish "error" with its reason."""
        answers: list[Answer | None] = [None] * len(prompts)
        for indices, (answer,) in self.generate_parts(
            prompts, max_tokens, stop, temperature, top_p=top_p, seed=seed, progress=progress
        ):
            answers[indices[0]] = answer
        return answers

    def generate_parts(
        self, prompts, max_tokens, stop=(), temperature=0.0, *, top_p=1.0, seed=0, progress=None
    ) -> Iterator[tuple[list[int], list[Answer]]]:
        """The same, each answer as it comes: (its index, itself)."""
        settings = {"model": self.model, "max_tokens": max_tokens, "temperature": temperature, "top_p": top_p,
                    "seed": seed, "stop": list(stop)[:4] or None}  # fmt: skip

        pool = ThreadPoolExecutor(self.concurrency)
        try:
            asked = {pool.submit(self._ask, {**settings, "prompt": p}, stop): i for i, p in enumerate(prompts)}
            for done in as_completed(asked):
                if progress:
                    progress(1)
                yield [asked[done]], [done.result()]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # Ctrl-C does not wait for open requests

    def chat(
        self, conversations: Sequence[tuple[list[dict], list[dict]]], max_tokens: int, temperature: float = 0.0,
        seed: int = 0,
    ) -> list[tuple[dict | None, str, float]]:
        """A chat completion for each (messages, tools): (reply, why there is none, seconds)."""
        with ThreadPoolExecutor(self.concurrency) as pool:
            settings = {"max_tokens": max_tokens, "temperature": temperature, "seed": seed}
            return list(pool.map(lambda one: self._chat(*one, settings), conversations))

    def _chat(self, messages: list[dict], tools: list[dict], settings: dict) -> tuple[dict | None, str, float]:
        body = {"model": self.model, "messages": messages, "tools": tools or None, **settings}
        begun = time.perf_counter()
        try:
            reply = self._post(self.chat_url, body)
        except StacklineError as error:
            return None, str(error), time.perf_counter() - begun
        return reply, "", time.perf_counter() - begun

    def _ask(self, body: dict, stop: Sequence[str]) -> Answer:
        begun = time.perf_counter()
        try:
            reply = self._post(self.url, body)
            choice, usage = reply["choices"][0], reply.get("usage") or {}
            text, finish = choice["text"], choice.get("finish_reason") or "stop"
            if not isinstance(text, str):
                raise StacklineError(f"{self.url} answered without a text")
        except (StacklineError, KeyError, IndexError, TypeError) as error:
            return Answer("", finish="error", error=str(error) or type(error).__name__)
        # The protocol takes four stop strings; the rest is cut here.
        cut = min((at for mark in stop if (at := text.find(mark)) >= 0), default=len(text))
        return Answer(text[:cut], (), usage.get("prompt_tokens"), usage.get("completion_tokens"),
                      "length" if finish == "length" and cut == len(text) else "stop", None,
                      time.perf_counter() - begun)  # fmt: skip

    def _post(self, url: str, body: dict) -> dict:
        data = json.dumps({k: v for k, v in body.items() if v is not None}).encode()
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.key}"} if self.key else {})
        for pause_s in (*_RETRY_AFTER_S, None):
            try:
                request = urllib.request.Request(url, data, headers)
                with urllib.request.urlopen(request, timeout=self.timeout_s) as reply:
                    return json.loads(reply.read())
            except urllib.error.HTTPError as error:
                reason = f"{url} answered {error.code}"
                if error.code not in _PATIENCE:
                    raise StacklineError(reason) from error
            except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
                reason = f"{url}: {getattr(error, 'reason', error)}"
            except ValueError as error:
                raise StacklineError(f"{url} answered something that is not JSON") from error
            if pause_s is None:
                raise StacklineError(reason)
            time.sleep(pause_s)
        raise AssertionError("unreachable")

    def loglikelihood(self, pairs: Sequence[tuple[str, str]], *, progress: Progress | None = None) -> list[float]:
        raise NotImplementedError("a completions endpoint gives no log-likelihood of a given text")

    def close(self) -> None: ...
