"""Tools in plain text, for any runner with `generate`: Thought, Action, Observation, Answer.

After ReAct (Yao et al. 2023, arXiv 2210.03629), with Python call text as the action. `Action: []` hands back to the
other party, as an answer without words does.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.agents.messages import Message, Move
from harness.answers import Answer
from harness.calls import Malformed, parsed
from harness.runners.base import Runner
from harness.worlds import World, asked

STOP = ("\nObservation:", "\nUser:", "\n\n")
_LEADS = {"user": "User: ", "tool": "Observation: ", "assistant": ""}


def prompt(world: World, messages: Sequence[Message]) -> str:
    """The instructions, the functions and what was said so far, ending where the agent goes on."""
    return asked(world) + "".join(f"{_LEADS[m.role]}{m.text}\n" for m in messages)


def move(answer: Answer) -> Move:
    """What a text means: its first Action or Answer line decides; a bare list of calls is an action too."""
    for line in answer.text.strip().splitlines():
        lead, _, rest = line.strip().partition(":")
        if lead == "Answer":
            return Move(answer, said=rest.strip())
        if lead == "Action" or line.strip().startswith("["):
            return _action(answer, rest if lead == "Action" else line)
    return Move(answer, error="write a line 'Action: [f(a=1)]' or 'Answer: ...'")


def _action(answer: Answer, text: str) -> Move:
    try:
        calls = tuple(parsed(text))
    except Malformed as why:
        return Move(answer, error=str(why))
    return Move(answer, calls) if calls else Move(answer, said="")


class ReactActor:
    """A runner as an actor: one `generate` a round for all episodes."""

    def __init__(self, runner: Runner, max_tokens: int, temperature: float = 0.0, seed: int = 0) -> None:
        self.runner, self.max_tokens, self.temperature, self.seed = runner, max_tokens, temperature, seed
        self._rounds = 0

    def act(self, worlds: Sequence[World], messages: Sequence[Sequence[Message]]) -> list[Move]:
        prompts = [prompt(w, m) for w, m in zip(worlds, messages, strict=True)]
        self._rounds += 1  # another seed each round: equal draws turn after turn would be no sample
        answers = self.runner.generate(
            prompts, self.max_tokens, STOP, self.temperature, seed=self.seed * 1009 + self._rounds
        )
        return [move(a) for a in answers]
