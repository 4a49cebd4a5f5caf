"""The reference model agrees with other implementations on the same weights."""

from __future__ import annotations

import numpy as np
import pytest

from harness.reference.model import Cache
from tests.conftest import OUTSIDE, golden, read

pytestmark = pytest.mark.golden


@pytest.mark.parametrize("path", golden("tokenizer.json"))
def test_every_string_has_the_same_token_ids_and_comes_back(engine, path):
    for entry in read(path)["strings"]:
        assert engine.tokenizer.encode(entry["text"]) == entry["ids"], entry["text"]
        assert engine.tokenizer.decode(entry["ids"]) == entry["text"]


@pytest.mark.parametrize("path", golden("tokenizer.json"))
def test_chats_render_as_transformers_renders_them(engine, path):
    for chat in read(path)["chats"]:
        rendered = engine.tokenizer.chat(chat["messages"], chat["add_generation_prompt"])
        assert rendered == chat["rendered"]
        assert engine.tokenizer.encode(rendered) == chat["ids"]


@pytest.mark.parametrize("path", golden("logits.json"))
def test_logits_and_continuation_log_probs_are_within_a_thousandth(engine, path):
    for prompt in read(path)["prompts"]:
        truth, ids, continuation = prompt["torch_f64"], prompt["prompt_ids"], prompt["continuation_ids"]
        cache = Cache(engine.model.config, len(ids) + len(continuation))
        first = engine.model.forward([ids], [cache])
        assert np.abs(first[0][truth["top20_ids"]] - truth["top20_logits"]).max() < 1e-3
        rows = np.arange(len(continuation) - 1)
        rest = engine.model.forward([continuation[:-1]], [cache], rows) if len(rows) else first[:0]
        logits = np.concatenate([first, rest]).astype(np.float64)
        log_z = np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1)) + logits.max(1)
        total = (logits[np.arange(len(continuation)), continuation] - log_z).sum()
        assert total == pytest.approx(truth["continuation_logprob_sum"], abs=1e-3)


@pytest.mark.parametrize("path", golden("greedy.json", slow=True))
def test_greedy_text_is_equal_up_to_the_first_near_tie(engine, path):
    rows = read(path)["rows"]
    answers = engine.generate([row["prompt"] for row in rows], 64, ignore_eos=True)
    for row, answer in zip(rows, answers, strict=True):
        truth = row["torch_f32"]
        sure = next((i for i, margin in enumerate(truth["margins"]) if margin < 1e-3), 64)
        assert list(answer.token_ids[:sure]) == truth["ids"][:sure]


@pytest.mark.skipif(not (OUTSIDE / "golden/hidden_norms.npz").exists(), reason="no hidden_norms.npz outside")
@pytest.mark.parametrize("prompt", ["p0", "p6"])
def test_norms_of_every_layer_are_within_a_ten_thousandth(engine, prompt):
    truth = np.load(OUTSIDE / "golden/hidden_norms.npz")
    ids = truth[f"{prompt}_ids"].tolist()
    probe: list = []
    engine.model.forward([ids], [Cache(engine.model.config, len(ids))], np.arange(len(ids)), probe=probe)
    names = {"embedding": "embed_norm", "attention": "attn_out_norm", "mlp": "mlp_out_norm",
             "layer": "layer_out_norm", "final_norm": "final_norm"}  # fmt: skip
    for name, layer, x in probe:
        expected = truth[f"{prompt}_{names[name]}"]
        np.testing.assert_allclose(np.linalg.norm(x, axis=1), expected if layer < 0 else expected[layer], rtol=1e-4)
