"""The type of an answer, shared by the reference model, every runner and the results."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """One generated answer. `token_ids` is empty where the runner does not know its tokens.

    finish: "stop" (end token or stop string), "length" (cut at max_tokens), "error". Times are seconds of
    wall clock from the prompt's admission to the batch; None where not measured.
    """

    text: str
    token_ids: tuple[int, ...] = ()
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    finish: str = "stop"
    ttft_s: float | None = None
    e2e_s: float | None = None
    error: str = ""
