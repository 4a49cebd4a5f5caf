"""Laws that a model of time obeys whatever its constants are."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import numpy as np
import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import operators
from harness.errors import NotPredictable
from harness.footprint import kv_bytes_per_token, state_bytes_per_sequence, weight_bytes
from harness.operators import Dtypes, Group, Load
from harness.profiles import chip, model
from harness.quantity import KINDS
from harness.roofline import laws, memory
from harness.roofline.collectives import collective_time
from harness.roofline.kernels import Kernels
from harness.architecture import of_model as architecture
from harness.roofline.step import step_time
from harness.trace import COLLECTIVE_KINDS, MATMUL_KINDS, Op, Trace
from tests.roofline.support import altered, at, constants_of, scaled, without

# Dense, sparse and latent-attention models, on chips with and without own kernels, alone and split.
STACKS = [
    "llama-3.1-8b@h100-sxm:1", "qwen3-32b@h100-sxm:4", "qwen3-32b/int4@zhenwu-810e:2", "gpt-oss-120b@b200-sxm:1",
    "deepseek-r1@mi355x:8", "qwen3-235b-a22b/fp8@zhenwu-m890:8", "qwen3.8-2.4t-a95b/int4@b200-sxm:8",
    "llama-3.1-8b@zhenwu-810e:8,tp=1",
]  # fmt: skip
BF16 = Dtypes("bf16", "bf16", "bf16")
anywhere = pytest.mark.parametrize("text", STACKS)
factors = st.floats(1.0, 50.0)


def arch(model_id: str):
    return architecture(model(model_id))


def decode_trace(model_id: str, tp: int, batch: int = 8, past: int = 2048, dtypes: Dtypes = BF16) -> Trace:
    return operators.trace(arch(model_id), Load((Group(batch, 1, past),)), dtypes, phase="decode", tp=tp)


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(STACKS),
    st.dictionaries(st.sampled_from(["memory.bandwidth", "compute.", "scaleup.bandwidth"]), factors, min_size=1),
)
def test_more_of_a_chip_never_slows_a_step(text, more):
    before = at(text, n=16)
    after = at(text, n=16, on=altered(chip(before_chip(text)), more))
    for step in ("prefill", "decode"):
        assert (getattr(after, step).seconds <= getattr(before, step).seconds * (1 + 1e-12)).all()
    for figure in ("ttft_ms", "tpot_ms"):
        assert after.figures[figure].value <= before.figures[figure].value * (1 + 1e-12)


def before_chip(text: str) -> str:
    return text.partition("@")[2].partition(":")[0]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(STACKS), st.floats(0, 1), st.floats(0, 1), st.integers(0, 10**6))
def test_less_data_and_fewer_flops_never_slow_an_operator(text, fewer_bytes, fewer_flops, pick):
    kernels = Kernels(chip(before_chip(text)), 16, 0)
    p = at(text, n=1)
    ops = [op for s in (p.prefill, p.decode) for listed in s.operators.values() for op, _, _ in listed]
    op = ops[pick % len(ops)]
    run = collective_time if op.kind in COLLECTIVE_KINDS else Kernels.time
    small, large = run(kernels, shrunk(op, fewer_bytes, fewer_flops)), run(kernels, op)
    assert (small.work_s + small.fixed_s <= (large.work_s + large.fixed_s) * (1 + 1e-12)).all()


def shrunk(op: Op, bytes_: float, flops: float) -> Op:
    """An operator with its bytes and FLOPs multiplied."""
    sizes = {k: getattr(op, k) * bytes_ for k in ("weight_read", "act_read", "act_write", "kv_read", "kv_write")}
    shape = (op.shape[0] * bytes_, op.shape[1]) if op.kind in COLLECTIVE_KINDS else op.shape
    return replace(op, flops=op.flops * flops, shape=shape, **sizes)


@pytest.mark.parametrize("text", [s for s in STACKS if "qwen3.8" not in s])
def test_shorter_prompts_and_fewer_requests_never_slow_a_token(text):
    per = at(text).deployment.replicas
    loads = ((256, 1), (256, 4), (2048, 4), (8192, 4), (8192, 8))
    points = [at(text, isl=isl, concurrency=c * per) for isl, c in loads]
    assert all(not p.notes for p in points)
    for figure in ("ttft_ms", "tpot_ms"):
        times = [p.figures[figure].value for p in points]
        assert times == sorted(times)


@pytest.mark.parametrize(("model_id", "chip_id", "tp"), [
    ("qwen3-32b", "h100-sxm", 4), ("qwen3-235b-a22b", "zhenwu-m890", 8), ("deepseek-r1", "b200-sxm", 8),
    ("qwen3-32b", "zhenwu-810e", 16), ("gpt-oss-120b", "mi300x", 1), ("qwen3-32b", "h100-sxm", 16),
])  # fmt: skip
def test_other_units_scale_every_time_alike(model_id, chip_id, tp, tmp_path):
    """With FLOPs in fifths, bytes in thirds and seconds in sevenths, the same step takes 7 times the number."""
    flop, byte, second = 5.0, 3.0, 7.0
    for path in laws.FOLDER.glob("*.toml"):
        (tmp_path / path.name).write_text(tomli_w.dumps(in_other_seconds(tomllib.loads(path.read_text()), second)))
    before, base = decode_trace(model_id, tp), chip(chip_id)
    plain = step_time(Kernels(base, 32, 0), before)
    rates = {k: byte / second for k in ("memory.bandwidth", "scaleup.bandwidth", "scaleout.bandwidth")}
    other = altered(base, {**rates, "compute.": flop / second})
    with constants_of(tmp_path):
        scaled_up = step_time(Kernels(other, 32, 0), Trace([(shrunk(op, byte, flop), n) for op, n in before]))
    for name, seconds in plain.parts.items():
        np.testing.assert_allclose(scaled_up.parts[name], second * seconds, rtol=1e-12)
    assert scaled_up.bounds == plain.bounds


def in_other_seconds(data: dict, factor: float) -> dict:
    for law in data.get("laws", {}).values():
        law["prior"]["t0_s"] = [v * factor for v in law["prior"]["t0_s"]]
        for own in law.get("chips", {}).values():
            own["t0_s"] *= factor
    constants = data.get("constants", {})
    if small := constants.get("small_kernel_t0_s"):
        small |= {k: small[k] * factor for k in ("value", "low", "high")}
    if "step_s" in constants:
        constants["step_s"] *= factor
    return data


@anywhere
def test_the_parts_of_a_step_sum_to_the_whole(text):
    p, scale = at(text), laws.deployment()
    for step, work in ((p.decode, scale.work), (p.prefill, scale.prefill_work)):
        np.testing.assert_allclose(step.seconds, np.sum(list(step.parts.values()), axis=0), rtol=1e-12)
        assert set(step.parts) == set(step.operators) | {"engine"} == set(step.bounds)
        for name, listed in step.operators.items():
            again = sum(
                n * (scale.network * (t.fixed_s + t.work_s) if op.kind in COLLECTIVE_KINDS
                     else scale.fixed * t.fixed_s + np.maximum(work * t.work_s, t.floor_s))
                for op, n, t in listed
            )  # fmt: skip
            np.testing.assert_allclose(step.parts[name], again, rtol=1e-12)
            assert all((step.parts[name] >= n * t.floor_s).all() for _, n, t in listed), "faster than its roofline"


@anywhere
def test_the_step_holds_every_operator_of_the_trace(text):
    """Two layer plans that share an operator's name (windowed and full attention) are both there."""
    p = at(text)
    stack_tp, layers = p.deployment.tp, arch(text.partition("@")[0].partition("/")[0])
    load = Load((Group(p.batch, 1, 2048 + 128.0),))
    whole = operators.trace(layers, load, p.dtypes, phase="decode", tp=stack_tp)
    kept = sum(n * op.flops for listed in p.decode.operators.values() for op, n, _ in listed)
    assert kept == pytest.approx(whole.flops)


@anywhere
def test_every_figure_lies_in_its_interval_and_is_above_zero(text):
    for concurrency in (1, 8, 4096):
        for name, figure in at(text, concurrency=concurrency, n=200).figures.items():
            assert 0 < figure.p10 <= figure.value <= figure.p90 < float("inf"), name


def test_a_single_chip_has_no_network_part():
    one, four = at("qwen3-32b@h100-sxm:1"), at("qwen3-32b@h100-sxm:4")
    for step in (one.prefill, one.decode):
        assert "network" not in step.bounds.values()
        assert not {op.kind for listed in step.operators.values() for op, _, _ in listed} & set(COLLECTIVE_KINDS)
    assert "network" in four.decode.bounds.values()
    assert "scaleup.bandwidth" not in one.used["tpot_ms"] and "scaleup.bandwidth" in four.used["tpot_ms"]


def test_what_two_stacks_share_cancels_in_their_ratio():
    def spread(x: np.ndarray) -> float:
        low, high = np.quantile(x, (0.1, 0.9))
        return float(np.log(high / low))

    def seconds(text: str, seed: int) -> np.ndarray:
        return at(text, n=400, seed=seed).decode.seconds

    shared = seconds("qwen3-32b@zhenwu-m890:1", 0) / seconds("llama-3.1-8b@zhenwu-m890:1", 0)
    apart = seconds("qwen3-32b@zhenwu-m890:1", 0) / seconds("llama-3.1-8b@zhenwu-m890:1", 1)
    assert spread(shared) < 0.6 * spread(apart)


@anywhere
def test_the_same_seed_gives_the_same_numbers(text):
    first, again = at(text, seed=3), at(text, seed=3)
    assert first.figures == again.figures
    np.testing.assert_array_equal(first.decode.seconds, again.decode.seconds)
    assert at(text, seed=4).figures != first.figures


@anywhere
def test_more_concurrency_never_lowers_throughput_until_memory_is_full(text):
    rates, full = [], False
    for concurrency in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128, 256, 512):
        p = at(text, concurrency=concurrency)
        if full := bool(p.notes):
            break
        rates.append(p.figures["total_tok_s_per_chip"].value)
    assert rates == sorted(rates) and len(rates) >= 4
    if full:  # past that, requests wait: the rate stays and the first token comes later
        every = p.memory.sequences * p.deployment.replicas
        later = at(text, concurrency=4 * every)
        assert later.batch == p.memory.sequences and later.bound_by == "capacity"
        even = at(text, concurrency=every)
        assert later.figures["total_tok_s_per_chip"] == even.figures["total_tok_s_per_chip"]
        assert later.figures["ttft_ms"].value > even.figures["ttft_ms"].value


def test_figures_are_what_the_definitions_say():
    """With one draw there is one number a figure, so the equations hold exactly."""
    isl, osl, batch = 1000, 200, 8
    p = at("qwen3-32b@zhenwu-m890:2,price=contract", isl=isl, osl=osl, concurrency=batch, n=1)
    f = {name: figure.value for name, figure in p.figures.items()}
    e2e_s = (f["ttft_ms"] + (osl - 1) * f["tpot_ms"]) / 1e3
    assert f["tok_s_per_user"] == pytest.approx(1000 / f["tpot_ms"])
    assert f["output_tok_s_per_chip"] == pytest.approx(batch * osl / e2e_s / 2)
    assert f["total_tok_s_per_chip"] == pytest.approx(batch * (isl + osl) / e2e_s / 2)
    assert f["energy_j_per_output_tok"] == pytest.approx(f["power_w_per_chip"] / f["output_tok_s_per_chip"])
    rent_h = chip("zhenwu-m890").get("price.contract").sample(1)[0] * 3600
    assert f["usd_per_m_output_tok"] == pytest.approx(rent_h / 3600 / f["output_tok_s_per_chip"] * 1e6)
    assert f["power_w_per_chip"] <= chip("zhenwu-m890").get("power.tdp").sample(1)[0]


def test_replicas_share_the_concurrency():
    one, four = at("llama-3.1-8b@h100-sxm:1,tp=1", concurrency=8), at("llama-3.1-8b@h100-sxm:4,tp=1", concurrency=32)
    assert one.figures == four.figures and four.deployment.replicas == 4


@pytest.mark.parametrize("concurrency", [1, 3, 5])
def test_replicas_without_a_request_answer_nothing(concurrency):
    """The rate of all chips together is that of the requests there are."""
    alone = at("llama-3.1-8b@h100-sxm:1,tp=1", concurrency=1).figures["output_tok_s_per_chip"].value
    spread = at("llama-3.1-8b@h100-sxm:8,tp=1", concurrency=concurrency).figures["output_tok_s_per_chip"].value
    assert 8 * spread == pytest.approx(concurrency * alone)


@pytest.mark.parametrize(
    "text", ["deepseek-r1@h100-sxm:4", "llama-3.1-70b@zhenwu-810e:1", "qwen3.8-2.4t-a95b@mi300x:8"]
)
def test_what_does_not_fit_is_refused_in_one_line_with_its_size(text):
    with pytest.raises(NotPredictable, match=r"weights need \d+\.\d GB a chip") as error:
        at(text)
    assert "\n" not in str(error.value) and error.value.exit_code == 2


def test_a_cache_that_does_not_fit_is_told_from_weights_that_do_not():
    with pytest.raises(NotPredictable, match=r"weights and one sequence's cache need \d+\.\d GB"):
        at("qwen3-32b@h100-sxm:1", isl=40000, osl=900, on=altered(chip("h100-sxm"), {"memory.capacity": 0.86}))


def test_the_share_of_memory_an_engine_may_use_is_heeded():
    rooms = [at(f"llama-3.1-8b@h100-sxm:1,gpu_mem={share}").memory.usable_bytes for share in (0.5, 0.9)]
    assert rooms[0] / rooms[1] == pytest.approx(5 / 9)
    with pytest.raises(NotPredictable, match="GB"):
        at("llama-3.1-8b@h100-sxm:1,gpu_mem=0.1")


def test_a_context_past_the_models_is_refused():
    at("qwen3-32b@b200-sxm:1", isl=40000, osl=960)
    with pytest.raises(NotPredictable, match="40961 tokens are past the context of 40960"):
        at("qwen3-32b@b200-sxm:1", isl=40000, osl=961)


@pytest.mark.parametrize("option", ["pp=2", "dp=2,ep=8,tp=4", "ep=8", "spec=2.5", "disagg=1x1", "chunk=512"])
def test_what_is_not_modelled_is_refused_and_not_ignored(option):
    with pytest.raises(NotPredictable, match="not modelled"):
        at(f"qwen3-235b-a22b@b200-sxm:8,{option}")


def test_the_weakest_kind_travels_to_every_figure_that_used_it():
    p = at("llama-3.1-8b@zhenwu-m890:1")
    assert p.weakest_kind("tpot_ms") == "estimated" and p.weakest_kind("memory_used_share") == "datasheet"
    assert {p.weakest_kind(f) for f in ("power_w_per_chip", "energy_j_per_output_tok", "usd_per_m_output_tok")} == {
        "assumed"
    }
    assert at("llama-3.1-8b@h100-sxm:1").weakest_kind("tpot_ms") == "datasheet"


def test_a_network_that_no_collective_crosses_lends_its_kind_to_nothing():
    small = altered(chip("zhenwu-m890"), {"scaleup.domain": 1 / 64})
    inside, across = at("llama-3.1-70b@zhenwu-m890:8"), at("llama-3.1-70b@zhenwu-m890:8", on=small)
    assert small.get("scaleout.bandwidth").kind == "assumed" and small.get("scaleup.domain").point == 1
    assert inside.weakest_kind("tpot_ms") == "estimated" and across.weakest_kind("tpot_ms") == "assumed"
    assert KINDS.index("assumed") == len(KINDS) - 1


def test_a_group_wider_than_its_domain_waits_for_the_slower_network():
    op = Op("x", "all_reduce", "decode", (1e9, 16), 0, "bf16", "bf16")
    slow = collective_time(Kernels(chip("h100-sxm"), 4, 0), op).memory_s
    near = collective_time(Kernels(altered(chip("h100-sxm"), {"scaleup.domain": 2}), 4, 0), op).memory_s
    assert (slow / near).min() == pytest.approx(450 / 50)


def test_an_all_reduce_moves_the_rings_bytes_over_one_direction_of_the_link():
    """900 GB/s printed for both directions is 450 one way; 8 chips pass 2 x 7/8 of the message."""
    kernels, op = Kernels(chip("h100-sxm"), 1, 0), Op("x", "all_reduce", "decode", (1e9, 8), 0, "bf16", "bf16")
    e_bw = laws.law("all_reduce", "h100-sxm", 1, 0).e_bw[0]
    assert collective_time(kernels, op).memory_s[0] == pytest.approx(2 * 7 / 8 * 1e9 / (e_bw * 450e9))
    gather = replace(op, kind="all_gather")
    assert collective_time(kernels, gather).memory_s[0] == pytest.approx(7 / 8 * 1e9 / (e_bw * 450e9))


def test_a_link_of_unknown_direction_is_drawn_from_both_readings():
    draws = Kernels(chip("zhenwu-m890"), 2000, 0).draw("scaleup.bandwidth")
    assert set(np.unique(draws)) == {400e9, 800e9} and 0.4 < np.mean(draws == 400e9) < 0.6


def test_a_chip_without_a_link_is_refused_only_where_one_is_needed():
    alone = without(chip("h100-sxm"), "scaleup.bandwidth", "scaleout.bandwidth", "scaleup.domain")
    assert at("llama-3.1-8b@h100-sxm:1", on=alone).figures["tpot_ms"].value > 0
    with pytest.raises(NotPredictable, match=r"has no scaleup\.bandwidth: not published"):
        at("llama-3.1-8b@h100-sxm:2", on=alone)


@pytest.mark.parametrize("key", ["memory.bandwidth", "memory.capacity", "compute.bf16"])
def test_a_chip_without_a_needed_number_is_refused_in_one_line(key):
    with pytest.raises(NotPredictable) as error:
        at("llama-3.1-8b@h100-sxm:1", on=without(chip("h100-sxm"), key))
    assert "\n" not in str(error.value) and "H100" in str(error.value)


def test_a_chip_without_a_power_limit_has_no_energy_and_no_zero():
    p = at("llama-3.1-8b@h100-sxm:1", on=without(chip("h100-sxm"), "power.tdp"))
    assert "power_w_per_chip" not in p.figures and "energy_j_per_output_tok" not in p.figures
    assert p.figures["tpot_ms"].value > 0


def test_a_price_is_of_the_class_asked_for_or_absent():
    named = at("llama-3.1-8b@h100-sxm:1,price=ondemand")
    assert named.price.price_class == "ondemand" and "price.ondemand" in named.used["usd_per_m_output_tok"]
    assert "usd_per_m_output_tok" not in at("llama-3.1-8b@h100-sxm:1,price=spot").figures


@pytest.mark.parametrize("model_id", ["gpt-oss-120b", "qwen3-235b-a22b", "deepseek-r1", "qwen3.8-2.4t-a95b"])
@settings(max_examples=20, deadline=None)
@given(tokens=st.integers(1, 10**5))
def test_a_batch_touches_top_k_experts_at_least_and_all_at_most(model_id, tokens):
    experts = [op for op, _ in decode_trace(model_id, 1, tokens) if op.kind == "moe"]
    assert experts
    for op in experts:
        top_k, local, touched = op.shape[3:]
        assert top_k - 1e-6 <= touched <= local
    if tokens == 1:
        assert touched == pytest.approx(top_k)


@pytest.mark.parametrize("model_id", ["llama-3.1-70b", "qwen3-235b-a22b", "deepseek-r1"])
def test_narrower_weights_are_fewer_bytes(model_id):
    sizes = {d: weight_bytes(arch(model_id), Dtypes(d, "bf16", "bf16")) for d in ("bf16", "fp8", "int4")}
    read = {d: sum(n * op.weight_read for op, n in decode_trace(model_id, 1, dtypes=Dtypes(d, "bf16", "bf16")))
            for d in sizes}  # fmt: skip
    for of in (sizes, read):
        assert of["int4"] < 0.6 * of["fp8"] + 0.1 * of["bf16"] and 0.5 <= of["fp8"] / of["bf16"] < 0.6


@pytest.mark.parametrize("model_id", ["llama-3.1-70b", "qwen3-32b", "gpt-oss-120b", "qwen3-235b-a22b"])
@pytest.mark.parametrize("tp", [1, 2, 4, 8])
def test_what_is_stored_is_what_a_long_batch_reads(model_id, tp):
    """Weights on a chip and weights read by a batch that touches every expert, within 2 %: two ways to one number."""
    reads = sum(n * op.weight_read for op, n in decode_trace(model_id, tp, 20000) if op.kind in MATMUL_KINDS)
    layers = arch(model_id)
    embedding = 0 if layers.tied_embeddings else layers.vocab * layers.hidden * 2 / tp
    assert reads + embedding == pytest.approx(weight_bytes(layers, BF16, tp), rel=0.02)


@pytest.mark.parametrize("model_id", ["llama-3.1-70b", "gpt-oss-120b", "deepseek-r1", "qwen3-235b-a22b"])
@pytest.mark.parametrize("tp", [1, 4, 8, 16])
def test_the_cache_that_is_stored_is_the_cache_that_is_read(model_id, tp):
    past = 4000
    stored = past * kv_bytes_per_token(arch(model_id), "bf16", tp) + state_bytes_per_sequence(
        arch(model_id), "bf16", tp
    )
    read = sum(n * op.kv_read for op, n in decode_trace(model_id, tp, 1, past - 1) if op.kind == "attention")
    assert read == pytest.approx(stored, rel=0.002)  # a window reads its new token besides


def test_kv_heads_are_copied_where_chips_are_more_and_a_latent_always():
    dense = [kv_bytes_per_token(arch("llama-3.1-70b"), "bf16", tp) for tp in (1, 8, 16)]
    assert dense == [80 * 2 * 8 * 128 * 2, 80 * 2 * 128 * 2, 80 * 2 * 128 * 2]
    assert {kv_bytes_per_token(arch("deepseek-r1"), "bf16", tp) for tp in (1, 8)} == {61 * 576 * 2}


@pytest.mark.parametrize("past, share", [(0, (4096 + 1) / 2 / 4096), (4096, (4096 + 4097 / 2) / 8192)])
def test_a_causal_kernel_skips_what_is_masked_and_the_trace_counts_it(past, share):
    """A query sees all of the past and, of the new tokens, those up to itself."""
    load, kernels = Load.of([4096], [past]), Kernels(chip("h100-sxm"), 1, 0)
    trace = operators.trace(arch("qwen3-32b"), load, BF16, phase="prefill")
    op = next(op for op, _ in trace if op.kind == "attention")
    assert op.causal and op.flops == 4 * 4096 * (4096 + past) * 64 * 128
    whole = kernels.time(replace(op, causal=False)).compute_s
    assert kernels.time(op).compute_s == pytest.approx(share * whole)


@settings(max_examples=40, deadline=None)
@given(m=st.integers(1, 16384), chip_id=st.sampled_from(["h100-sxm", "mi355x", "zhenwu-810e"]))
def test_a_product_takes_its_fixed_time_and_the_longer_of_bytes_and_flops(m, chip_id):
    op = Op("x", "gemm", "prefill", (m, 8192, 8192), 2 * m * 8192**2, "bf16", "bf16", "", 2 * 8192**2,
            2 * m * 8192, 2 * m * 8192)  # fmt: skip
    kernels, law = Kernels(chip(chip_id), 8, 0), laws.law("gemm.bf16", chip_id, 8, 0)
    time = kernels.time(op)
    memory_s = op.total_bytes / (law.e_bw * kernels.draw("memory.bandwidth"))
    compute_s = op.flops / (law.e_fl * kernels.draw("compute.bf16"))
    np.testing.assert_allclose(time.work_s, np.where(memory_s > compute_s, memory_s, compute_s))
    np.testing.assert_array_equal(time.fixed_s, law.t0_s)
    if m in (1, 16384):
        assert time.bound == ("memory" if m == 1 else "compute")


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["llama-3.1-70b", "qwen3-235b-a22b", "deepseek-r1"]),
    st.sampled_from(["h100-sxm", "zhenwu-m890"]),
    st.integers(1, 256),
)
def test_the_smallest_group_holds_what_half_of_it_does_not(model_id, chip_id, sequences):
    layers, on = arch(model_id), chip(chip_id)
    dtypes = Dtypes("fp8", "bf16", "bf16")
    try:
        tp = memory.smallest_tp(layers, dtypes, on, 8192, sequences, 16)
    except NotPredictable as error:
        assert "in 16 chips" in str(error) or "over 16 chip(s)" in str(error)
        return
    assert memory.fit(layers, dtypes, on, 8192, tp).sequences >= sequences
    if tp > 1:
        try:
            assert memory.fit(layers, dtypes, on, 8192, tp // 2).sequences < sequences
        except NotPredictable:
            pass


def test_a_group_that_holds_some_sequences_is_refused_for_the_rest():
    with pytest.raises(NotPredictable, match="100000 sequences of 8192 tokens do not fit in 8 chips"):
        memory.smallest_tp(arch("llama-3.1-70b"), BF16, chip("h100-sxm"), 8192, 100000, 8)


def test_scaled_values_keep_their_draws():
    """The tests above rest on this: an altered chip differs by a factor alone."""
    value = chip("zhenwu-m890").get("memory.bandwidth")
    np.testing.assert_allclose(scaled(value, 3.0).sample(50), 3 * value.sample(50))
