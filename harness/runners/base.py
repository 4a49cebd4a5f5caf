"""What every runner offers: `generate`, and `loglikelihood` where it can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from harness.answers import Answer

Progress = Callable[[int], None]  # told how many more prompts are finished


class Runner(Protocol):
    """Something that answers. `loglikelihood` raises NotImplementedError where the runner gives none."""

    id: str
    model: str  # id of the model that answers
    weight_dtype: str
    tokenizer: Any

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
    ) -> list[Answer]: ...

    def loglikelihood(self, pairs: Sequence[tuple[str, str]], *, progress: Progress | None = None) -> list[float]: ...

    def close(self) -> None: ...
