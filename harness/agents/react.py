"""Tools in plain text, for any runner with `generate`: Thought, Action, Observation, Answer.

After ReAct (Yao et al. 2023, arXiv 2210.03629), with Python call text as the action. `Action: []` hands back to the
other party, as an answer without words does.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.agents.messages import Message, Move
from harness.answers import Answer
from harness.calls import Malformed
from harness.runners.base import Runner
from harness.worlds import World, offered, step

STOP = ("\nObservation:", "\nUser:", "\n\n")
_LEADS = {"user": "User: ", "tool": "Observation: ", "assistant": ""}


def prompt(world: World, messages: Sequence[Message]) -> str:
    """The instructions, the functions and what was said so far, ending where the agent goes on."""
    return offered(world) + "".join(f"{_LEADS[m.role]}{m.text}\n" for m in messages)


def move(answer: Answer) -> Move:
    """What a text means: its first Action or Answer line decides; a bare list of calls is an action too."""
    for line in answer.text.splitlines():
        try:
            found = step(line)
        except Malformed as why:
            return Move(answer, error=str(why))
        if found is not None:
            return Move(answer, found.calls, found.said)
    return Move(answer, error="write a line 'Action: [f(a=1)]' or 'Answer: ...'")


class ReactActor:
    """A runner as an actor: one `generate` a round for all episodes."""

    def __init__(
        self, runner: Runner, max_tokens: int, stop: Sequence[str] = STOP, temperature: float = 0.0, seed: int = 0
    ) -> None:
        self.runner, self.max_tokens, self.stop = runner, max_tokens, stop or STOP
        self.temperature, self.seed, self._rounds = temperature, seed, 0

    def act(self, worlds: Sequence[World], messages: Sequence[Sequence[Message]]) -> list[Move]:
        prompts = [prompt(w, m) for w, m in zip(worlds, messages, strict=True)]
        self._rounds += 1  # another seed each round: equal draws turn after turn would be no sample
        sampling = {"temperature": self.temperature, "seed": self.seed * 1009 + self._rounds}
        if getattr(self.runner, "keeps_turns", False):
            sampling["turns"] = True  # a conversation's next prompt goes on from its last
        answers = self.runner.generate(prompts, self.max_tokens, self.stop, **sampling)
        return [move(a) for a in answers]
