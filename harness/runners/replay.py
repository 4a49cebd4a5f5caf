"""Recorded answers as a runner: an `answers.jsonl` of an earlier run, looked up by prompt."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from harness.answers import Answer
from harness.errors import BadFile, MissingFile, UserMistake
from harness.runners.base import Progress


class ReplayRunner:
    """Answers prompts that the file holds, word for word; refuses any other."""

    weight_dtype = ""
    tokenizer = None

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.id = f"replay:{self.path.name}"
        if not self.path.is_file():
            raise MissingFile(path, "answers file")
        try:
            lines = self.path.read_text("utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise BadFile(self.path, "file", "bytes that are not UTF-8", "answers of a run") from error
        self._answers: dict[str, dict] = {}
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                self._answers[row["prompt"]] = {"text": row["text"], "finish": row["finish"], **row}
            except (ValueError, KeyError, TypeError) as error:
                raise BadFile(self.path, f"line {number}", line, "an answer of a run, with its prompt") from error
        self.model = next((r.get("model") for r in self._answers.values() if r.get("model")), "replay")

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
        out = []
        for prompt in prompts:
            row = self._find(prompt)
            out.append(Answer(row["text"], (), row.get("prompt_tokens"), row.get("output_tokens"), row["finish"]))
            if progress:
                progress(1)
        return out

    def loglikelihood(self, pairs: Sequence[tuple[str, str]], *, progress: Progress | None = None) -> list[float]:
        if not any(row.get("nats") for row in self._answers.values()):
            raise NotImplementedError(f"{self.path} holds no log-likelihoods")
        scores = []
        for prompt, continuation in pairs:
            recorded = self._find(prompt).get("nats", {})
            if continuation not in recorded:
                raise UserMistake(f"{self.path}: no log-likelihood of {continuation!r} was recorded")
            scores.append(recorded[continuation])
            if progress:
                progress(1)
        return scores

    def _find(self, prompt: str) -> dict:
        if prompt not in self._answers:
            raise UserMistake(f"{self.path}: holds no answer to the prompt that begins {prompt[:60]!r}")
        return self._answers[prompt]

    def close(self) -> None: ...
