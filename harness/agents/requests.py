"""An episode's turns as requests for the serving stage: what an agent suite asks of a server."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from harness.agents.episode import Turn
from harness.errors import UserMistake


def request_frame(
    episodes: Sequence[Sequence[Turn]], person_gap_s: float, arrivals_s: Sequence[float] | None = None
) -> pd.DataFrame:
    """Episodes' turns, one row each: session, turn, isl, osl (tokens), gap_s, gap_kind, arrival_s.

    The columns are those that `harness.simulate` reads.

    A gap after a tool is its measured time; a scripted party answers at once, so how long a person would take is the
    caller's `person_gap_s`. Sessions arrive at `arrivals_s`, all at 0 unless given. Raises UserMistake where the
    runner counted no tokens: a length is not guessed. A turn that wrote nothing took one token, its end.
    """
    rows = []
    for k, turns in enumerate(episodes):
        for i, turn in enumerate(turns):
            if turn.prompt_tokens is None or turn.output_tokens is None:
                raise UserMistake("these episodes have no token counts; play them with a runner that counts tokens")
            before = turns[i - 1] if i else None
            person = before is not None and before.reply is not None
            rows.append({
                "session": f"episode-{k}", "turn": i, "isl": turn.prompt_tokens, "osl": max(1, turn.output_tokens),
                "arrival_s": (arrivals_s[k] if arrivals_s is not None else 0.0) if before is None else np.nan,
                "gap_s": np.nan if before is None else person_gap_s if person else before.tool_s,
                "gap_kind": None if before is None else "person" if person else "tool",
            })  # fmt: skip
    return pd.DataFrame(rows)
