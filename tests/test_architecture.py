"""Layer plans: what attention sees against counting by hand, work against weights, cache and state by kind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import operators, profiles
from harness.architecture import Compressed, Gqa, Kda, Lightning, Mla, from_table, to_table
from harness.discovery import MODEL, find
from harness.footprint import kv_bytes_per_token, state_bytes_per_sequence, weight_bytes
from harness.operators import Dtypes, Group, Load

WIDE = Dtypes("bf16", "bf16", "bf16")
PLANNED = [i for i in find(MODEL) if "architecture" in profiles.model(i).tables]
small = st.integers(0, 40)


def architecture(model_id: str):
    model = profiles.model(model_id)
    return from_table(model.tables["architecture"], model.path)


def by_hand(new: int, past: int, sees) -> int:
    """Query-key pairs below the diagonal: for each new position, how many positions `sees` lets it see."""
    return sum(sees(p) for p in range(past, past + new))


# What attention sees


@given(new=st.integers(1, 30), past=small, chunk=st.integers(1, 12))
def test_a_chunk_is_seen_up_to_the_query(new, past, chunk):
    _, pairs, masked = Load((Group(1, new, past),)).attended(chunk=chunk)
    assert pairs - masked == by_hand(new, past, lambda p: p % chunk + 1)
    assert pairs >= 0 and masked >= 0


@given(new=st.integers(1, 30), past=small, most=st.integers(1, 12))
def test_chosen_tokens_are_all_that_came_before_until_there_are_more(new, past, most):
    kv, pairs, masked = Load((Group(1, new, past),)).selected(most)
    assert (pairs, masked) == (by_hand(new, past, lambda p: min(p + 1, most)), 0)
    assert kv == min(past + new, new * most)


@given(groups=st.integers(1, 6), past_groups=st.integers(0, 6), ratio=st.sampled_from([2, 4, 8]))
def test_compressed_entries_stand_for_a_fixed_number_of_tokens(groups, past_groups, ratio):
    new, past = groups * ratio, past_groups * ratio
    kv, pairs, _ = Load((Group(1, new, past),)).selected(0, ratio)
    assert kv == (past + new) / ratio
    assert pairs == pytest.approx(by_hand(new, past, lambda p: (p + 1) / ratio))


@given(past=st.integers(0, 5000), count=st.integers(1, 4))
def test_a_load_of_arrays_is_the_loads_of_its_elements(past, count):
    cases = ((1, past), (7, past + 3))
    many = Load((Group(count, *np.array(cases).T),))
    for sees in (
        lambda load: load.attended(chunk=64),
        lambda load: load.attended(window=32),
        lambda load: load.selected(16),
        lambda load: load.selected(0, 4),
    ):
        alone = [sees(Load((Group(count, n, p),))) for n, p in cases]
        for part, together in enumerate(sees(many)):
            assert np.broadcast_to(together, 2).tolist() == [one[part] for one in alone]


# Work against weights


@pytest.mark.parametrize("model_id", PLANNED)
def test_one_token_multiplies_each_active_weight_once(model_id):
    """The products of a decode step do two operations a weight that is a matrix and in use."""
    arch = architecture(model_id)
    trace = operators.trace(arch, Load((Group(1, 1, 0),)), WIDE, phase="decode")
    products = sum(op.flops * n for op, n in trace if op.kind in ("gemm", "moe"))
    matrices = arch.active_parameters - arch.parts["norm"]
    if not arch.tied_embeddings:
        matrices -= arch.parts["embedding"]
    # What is left are biases, convolutions, sinks and the positions of compressors: below half a percent.
    assert products / 2 == pytest.approx(matrices, rel=0.005)


@pytest.mark.parametrize("model_id", PLANNED)
@pytest.mark.parametrize("phase", ["decode", "prefill"])
def test_weights_read_at_one_token_are_the_active_ones(model_id, phase):
    arch = architecture(model_id)
    trace = operators.trace(arch, Load((Group(1, 1, 4096),)), WIDE, phase=phase)
    read = sum(op.weight_read * n for op, n in trace if op.name != "embedding") / 2
    body = arch.active_parameters - (0 if arch.tied_embeddings else arch.parts["embedding"])
    assert read == pytest.approx(body, rel=0.01)


@pytest.mark.parametrize("model_id", PLANNED)
def test_splitting_over_chips_leaves_no_weight_out(model_id):
    arch = architecture(model_id)
    whole = weight_bytes(arch, WIDE)
    assert whole == pytest.approx(2 * arch.parameters)
    for tp in (2, 4, 8):
        share = weight_bytes(arch, WIDE, tp)
        assert whole / tp <= share <= whole
    assert kv_bytes_per_token(arch, "bf16", 8) >= kv_bytes_per_token(arch, "bf16") / 8


@pytest.mark.parametrize("model_id", PLANNED)
def test_a_plan_is_written_out_and_read_back(model_id):
    arch = architecture(model_id)
    assert from_table(to_table(arch), profiles.model(model_id).path) == arch


@pytest.mark.parametrize("model_id", PLANNED)
def test_a_longer_context_is_never_less_work(model_id):
    arch = architecture(model_id)
    flops = [operators.trace(arch, Load((Group(1, 1, past),)), WIDE, phase="decode").flops for past in (0, 100, 50_000)]
    assert flops == sorted(flops) and flops[0] > 0


# Kinds of attention


def test_a_sparse_attention_reads_no_more_cache_than_it_chooses():
    dense = Mla(128, 512, 128, 64, 128, 1536)
    sparse = Mla(128, 512, 128, 64, 128, 1536, index_heads=64, index_dim=128, index_top_k=2048)
    step = operators.Step(Load((Group(1, 1, 100_000),)), "decode", WIDE, 7168, 1, 1)

    def attention(a: Mla) -> float:
        return next(op.kv_read for op in operators.softmax.mla(step, a, "absorbed") if op.name == "attention")

    assert attention(sparse) == 2048 * 576 * 2 and attention(dense) == 100_001 * 576 * 2
    index = next(op for op in operators.softmax.mla(step, sparse, "absorbed") if op.name == "index_scores")
    assert index.kv_read == 100_001 * 128 * 2  # but every index key is read


def test_a_compressed_cache_is_what_deepseek_v4_keeps():
    four = Compressed(128, 512, 1536, 16, 1024, 128, ratio=4, overlap=2, index_heads=64, index_dim=128, index_top_k=9)
    assert four.kv_elements_per_token == 512 / 4 + 128 / 4
    assert Compressed(128, 512, 1536, 16, 1024, 128, ratio=128).kv_elements_per_token == 4
    assert Compressed(128, 512, 1536, 16, 1024, 128).kv_elements_per_token == 0
    assert four.state_elements == 128 * 512 and four.kv_share(8) == 1


@pytest.mark.parametrize("attention", [Kda(32, 128), Lightning(64, 128)])
def test_linear_attention_keeps_a_state_and_no_cache(attention):
    assert attention.kv_elements_per_token == 0
    assert attention.state_elements == attention.heads * 128 * 128
    assert attention.kv_share(4) == 0.25


def test_a_state_is_the_same_at_any_context():
    arch = architecture("minimax-m1-80k")
    assert state_bytes_per_sequence(arch, "bf16") == 70 * 64 * 128 * 128 * 4


def test_a_parallel_block_reduces_over_chips_once():
    arch = architecture("gpt-j-6b")
    names = [op.name for op, _ in operators.plan(arch, Load.of([1]), WIDE, phase="decode", tp=2)]
    assert names.count("mlp.all_reduce") == 1 and "attn.all_reduce" not in names


def test_a_second_latent_of_the_experts_narrows_their_rows():
    arch = architecture("kimi-k3")
    ops = {op.name: op for op, _ in operators.plan(arch, Load.of([1]), WIDE, phase="decode")}
    assert ops["experts"].shape[1] == 3584 and {"latent_down", "latent_up"} <= set(ops)


def test_keys_that_are_the_values_are_projected_once():
    one, two = Gqa(8, 2, 64, shared_kv=True), Gqa(8, 2, 64)
    assert two.parameters(512) - one.parameters(512) == 512 * 2 * 64
    assert one.kv_elements_per_token == two.kv_elements_per_token
