"""Another harness's float32 results on the same weights, item by item: the same choices, the same text.

Every file of `evals/reference` is tried, so that a further set needs no line here. Real items stay outside the project;
the logits and greedy texts of `test_golden.py` hold the same promise for whoever has no such folder.
"""

from __future__ import annotations

import json
from itertools import groupby

import numpy as np
import pytest

from harness.reference.model import Cache
from tests.conftest import OUTSIDE

FOLDER = OUTSIDE / "evals/reference"
FILES = sorted(FOLDER.glob("*.jsonl"))
NEAR_TIE = 1e-2  # nats: a choice or a token nearer than this may fall either way
PER_TOKEN = 1e-3  # nats of difference that are allowed for each token of a continuation

pytestmark = [
    pytest.mark.golden,
    pytest.mark.slow,
    pytest.mark.skipif(not FILES, reason="no evals/reference in STACKLINE_REFERENCE_DATA"),
]


def rows_of(kind: str) -> list:
    """Parameters: the files whose rows hold `kind`, by name."""
    read = {path.stem: [json.loads(line) for line in path.read_text("utf-8").splitlines()] for path in FILES}
    return [pytest.param(rows, id=name) for name, rows in read.items() if kind in rows[0]]


@pytest.mark.parametrize("rows", rows_of("continuations"))
def test_every_choice_that_is_no_near_tie_is_the_same(engine, rows):
    pairs = [(row["prompt"], text) for row in rows for text in row["continuations"]]
    found = iter(engine.loglikelihood(pairs))
    for row in rows:
        own = np.array([next(found) for _ in row["continuations"]])
        other = np.array(row["hf"]["loglik"])
        tokens = [max(1, len(engine.tokenizer.encode(text))) for text in row["continuations"]]
        assert (np.abs(own - other) <= PER_TOKEN * np.array(tokens)).all(), row["id"]
        first, second = np.sort(other)[::-1][:2]
        assert first - second <= NEAR_TIE or own.argmax() == other.argmax() == row["hf"]["choice_acc"], row["id"]


@pytest.mark.parametrize("rows", rows_of("gen_kwargs"))
def test_greedy_text_is_the_same_up_to_the_first_near_tie(engine, rows):
    settings = [(json.dumps(row["gen_kwargs"]), row) for row in rows]
    for kwargs, members in groupby(sorted(settings, key=lambda s: s[0]), key=lambda s: s[0]):
        group, how = [row for _, row in members], json.loads(kwargs)
        assert not how["do_sample"]
        answers = engine.generate([row["prompt"] for row in group], how["max_gen_toks"], how["until"])
        for row, answer in zip(group, answers, strict=True):
            if answer.text != row["hf"]["output"]:
                assert parted_at_a_near_tie(engine, row["prompt"], answer.token_ids, row["hf"]["output"]), row["id"]


def parted_at_a_near_tie(engine, prompt: str, ids, other: str) -> bool:
    """Whether the first token that leads away from `other` was chosen by less than NEAR_TIE."""
    decode = engine.tokenizer.decode
    same = next(k for k in range(len(ids) + 1) if k == len(ids) or not other.startswith(decode(ids[: k + 1])))
    before = engine.tokenizer.encode(prompt) + list(ids[:same])
    logits = engine.model.forward([before], [Cache(engine.model.config, len(before))])[0]
    second, first = np.sort(logits)[-2:]
    return bool(first - second <= NEAR_TIE)
