"""A runner that answers at once with nothing: what remains is the harness's own time."""

from __future__ import annotations

from collections.abc import Sequence

from harness.answers import Answer
from harness.runners.base import Progress


class NullRunner:
    """Empty answers, no tokens, no log-likelihoods."""

    id = model = "null"
    weight_dtype = ""
    tokenizer = None

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
        if progress:
            progress(len(prompts))
        return [Answer("") for _ in prompts]

    def loglikelihood(self, pairs: Sequence[tuple[str, str]], *, progress: Progress | None = None) -> list[float]:
        raise NotImplementedError("the null runner scores nothing")

    def close(self) -> None: ...
