"""What requests see of an engine's steps: closed-loop serving, or one static batch, in closed form.

Per replica b requests run together. With D the decode step of b at the mean context, P one request's own prefill, and
p = a prefill's share of a batched prefill step:
    TPOT = D / a + X,   X = n PB = w (b - 1) p / osl,   less min(n, 1) saved where both run in one step
w: interleave; a: tokens that speculation has accepted a step; n: batched prefill steps, of PB each, that come with a
decode step (there p is shared by the ranks that prefill at the same time, elsewhere by all); saved: what both steps
have in common, in engines that run them as one (`mixed.py`), whose n is 1 at most where one step holds all prompts
    TTFT = arrival + first P + (wait + (looks - 1) / 2) D + busy X + s [queue (b - 1) p / 2 + compile]
s is the share of the run's requests that came in its first wave, all at once; looks: the decode steps that the engine
lets pass between two looks at its queue (`admission.py`); compile: what the first wave waits for kernels, in the mean
alone (`compiling.py`). Every other term falls with a faster chip.
Requests beyond what memory holds wait for whole requests to finish. E2E = TTFT + (osl - 1) TPOT; output tokens/s of
the replica = b osl / E2E after the first wave, less for the run's start and end (`tokens_s`).
A static batch has TTFT = (b + 1) p / 2 and TPOT = D / a + (b - 1) p / 2 (osl - 1): its prompts are prefilled one after
the other, and those that are through wait for the rest.
Left out: lengths that differ between requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.roofline import laws
from harness.roofline.scales import of_engine


@dataclass(frozen=True)
class Demand:
    """What a replica is asked, [rows] each: requests at once (`asked` wanted, `batch` running), lengths in tokens."""

    asked: np.ndarray
    batch: np.ndarray
    isl: np.ndarray  # tokens to prefill (the cached prefix is not among them)
    osl: np.ndarray
    ranks: np.ndarray  # attention ranks and pipeline stages: what a replica's requests are shared over
    aside: np.ndarray  # of these, those that prefill at the same time
    together: np.ndarray  # requests of a rank in one prefill step
    wave: np.ndarray  # share of the run's requests that arrive together at its start
    static: np.ndarray  # bool: one batch
    split: np.ndarray  # bool: prefill runs on other chips, decoding does not wait for it
    mixed: np.ndarray  # bool: a prefill step and a decode step are one
    looks: np.ndarray  # decode steps between two looks at the queue of arrivals
    engine: np.ndarray  # engine family names, "" where blank
    compiles: np.ndarray  # bool: the first wave waits for kernels to be compiled
    accepted: float = 1.0  # tokens a decode step yields a sequence


@dataclass(frozen=True)
class Latency:
    """Seconds [rows]: means and medians over requests, and the weights of the steps' times in them."""

    ttft: np.ndarray
    ttft_median: np.ndarray
    tpot: np.ndarray
    tpot_median: np.ndarray
    e2e: np.ndarray  # mean of the requests that come after the first wave, or of a static batch
    prefills: np.ndarray  # batched prefill steps that come with a decode step
    prefilling: np.ndarray  # seconds of the time a token that those take
    queued: np.ndarray  # seconds of the TTFT spent waiting for memory


def latency(
    x: Demand,
    decode: np.ndarray,
    alone: np.ndarray,
    batched: np.ndarray,
    saved: np.ndarray,
    scales: Mapping[str, float],
) -> Latency:
    """Latencies from the times of a decode step, of one request's prefill, of a batched prefill step (s, [rows]).

    saved: what a decode step and a batched prefill step take less as one (s, [rows]), where they are.
    """
    others = np.maximum(x.batch - 1, 0)
    each = batched / (x.together * x.ranks)
    steady = scales["interleave"] * others / (x.osl * x.together * x.aside)
    # Of a batch sent at once a request waits, in the mean, for half of the others' prompts before its first token and
    # for the other half after it.
    at_once = others / 2 / (np.maximum(x.osl - 1, 1) * x.together * x.ranks)
    prefills = ~x.split * np.where(x.static, at_once, steady)
    # A mixed step takes a prompt of every rank that has one: more steps than one only for what does not fit in one.
    fewest = np.maximum(prefills * x.aside / x.ranks, 1)
    prefills = np.where(x.mixed, np.minimum(prefills, fewest), prefills)
    prefilling = prefills * batched - np.where(x.mixed, np.minimum(prefills, 1) * saved, 0.0)
    tpot = decode / x.accepted + prefilling
    arrival = scales["arrival_s"] * of_engine(scales, "arrival", x.engine)
    own = arrival + scales["token_s"] * x.isl + scales["first"] * alone
    steps = (scales["wait"] + (x.looks - 1) / 2) * np.minimum(others, 1)
    waits = steps * decode + scales["busy"] * prefilling
    first_wave = others * each * x.wave / 2
    at_first = each * (x.batch + 1) / 2  # one wave, given to the engine itself: nothing arrives
    e2e = own + waits + (x.osl - 1) * tpot
    queued = np.where(x.static, 0.0, np.maximum(x.asked - x.batch, 0) / x.batch * e2e)
    compiling = np.where(x.compiles, scales["compile_s"] * x.wave, 0.0)
    ttft = np.where(x.static, at_first, own + waits + scales["queue"] * first_wave + compiling)
    median = np.where(x.static, at_first, own + waits + scales["queue_median"] * first_wave)
    whole = np.where(x.static, at_first + (x.osl - 1) * tpot, e2e)
    return Latency(ttft + queued, median + queued, tpot, tpot * scales["median"], whole, prefills, prefilling, queued)


def tokens_s(x: Demand, e2e: np.ndarray) -> np.ndarray:
    """Output tokens/s of a replica over a whole run [rows], from its requests' end-to-end times, s.

    n requests of which b run at once take (n / b + tail) E2E: fewer run at the start and while the last ones finish.
    What the first wave waits for is others' prefills, which `latency` counts in the time a token already.
    """
    running = np.minimum(x.batch, x.asked)
    ends = np.where(x.static, 0.0, laws.assumed("tail").point * x.wave * running / x.asked)
    return running * x.osl / e2e / (1 + ends)
