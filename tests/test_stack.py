"""A stack in words is read back as written, and every bad form is one line that says what to do."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.errors import NotPredictable, UserMistake
from harness.profiles import DTYPES, chip, model
from harness.stack import _CHOICES, OPTIONS, Deployment, Stack, parse, read_deployment, resolve_dtypes

_COUNTS = ("tp", "pp", "ep", "dp", "max_seqs", "max_batched_tokens", "chunk")
IDS = st.from_regex(r"[a-z0-9][a-z0-9.\-]{0,20}", fullmatch=True)


def values(key: str) -> st.SearchStrategy[str]:
    """Values that an option takes."""
    if key in _COUNTS:
        return st.integers(1, 4096).map(str)
    if key in _CHOICES:
        return st.sampled_from(_CHOICES[key])
    if key == "gpu_mem":
        return st.integers(1, 100).map(lambda n: str(n / 100))
    if key == "date":
        return st.sampled_from(("2026", "2025-10", "2026-03-15"))
    if key == "spec":
        return st.integers(10, 80).map(lambda n: str(n / 10))
    return st.from_regex(r"[a-z0-9.\-]{1,8}", fullmatch=True)


@st.composite
def stacks(draw) -> Stack:
    keys = draw(st.lists(st.sampled_from(OPTIONS), unique=True, max_size=5))
    where = draw(st.none() | st.tuples(IDS, st.integers(1, 4096)))
    dtype = draw(st.sampled_from(("", *DTYPES)))
    options = {k: draw(values(k)) for k in keys}
    return Stack(draw(IDS), dtype, *(where or ("", 1)), options)


@settings(deadline=None)
@given(stacks())
def test_a_stack_reads_back_as_it_was_written(stack):
    again = parse(str(stack))
    assert again == stack and str(again) == str(stack) and list(again.options) == list(stack.options)


def test_a_model_alone_is_one_chip_in_its_native_format():
    assert parse("qwen3-32b") == Stack("qwen3-32b") and parse("qwen3-32b@h100-sxm").chips == 1


@pytest.mark.parametrize(
    "text",
    [
        "", "@h100-sxm", "/fp8@h100-sxm", "m@", "m/@h100-sxm", "m@:8", "m@c:", "m@c:0", "m@c:-1", "m@c:2.5", "m@c:x",
        "m@c:²", "m@c:٣", "m@c:99999999999999999999", "m/fp7@c", "m/fp8/fp8@c", "m@c,", "m@c,tp", "m@c,tp=", "m@c,=8",
        "m@c,tp=0", "m@c,tp=-1", "m@c,tp=²", "m@c,tp=two", "m@c,tp=1,tp=8", "m@c,kv=fp7", "m@c,prefix=2",
        "m@c,price=cheap", "m@c,gpu_mem=0", "m@c,gpu_mem=1.5", "m@c,gpu_mem=nan", "m@c,gpu_mem=all",
        "m@c,date=soon", "m@c,date=2026-13", "m@c,spec=0.5", "m@c,spec=nan", "m@c,spec=mtp",
    ],
)  # fmt: skip
def test_a_bad_stack_is_a_users_mistake_in_one_line(text):
    with pytest.raises(UserMistake) as error:
        parse(text)
    assert "\n" not in str(error.value) and error.value.exit_code == 2


@settings(deadline=None)
@given(st.text(max_size=40))
@example("m\nn@c:1,tp")
@example("m@c:1,tp=8\n,zz=1")
def test_no_text_does_worse_than_a_users_mistake(text):
    try:
        stack = parse(text)
    except UserMistake as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert stack.model and stack.chips >= 1


@pytest.mark.parametrize(
    ("wrong", "near"), [("engin=vllm", "engine"), ("max_seq=4", "max_seqs"), ("prise=own", "price")]
)
def test_an_unknown_option_suggests_the_nearest(wrong, near):
    with pytest.raises(UserMistake, match=f"did you mean '{near}'"):
        parse(f"qwen3-32b@h100-sxm,{wrong}")


# chips, tp, pp, ep, dp -> what the design's paragraph on deployments says.
READINGS = {
    "one chip": ((1, None, None, None, None), Deployment(1, 1, 1, 1, 1)),
    "blank tp is the chips, up to 8": ((4, None, None, None, None), Deployment(4, 1, 1, 1, 1)),
    "blank tp past 8 is 8, with replicas": ((32, None, None, None, None), Deployment(8, 1, 1, 1, 4)),
    "blank tp beside pp": ((8, None, 2, None, None), Deployment(4, 2, 1, 1, 1)),
    "zero is blank": ((8, 0, 0, 0, 0), Deployment(8, 1, 1, 1, 1)),
    "replicas share the rest": ((8, 2, 1, 1, 1), Deployment(2, 1, 1, 1, 4)),
    "pipeline stages": ((16, 4, 2, 1, 1), Deployment(4, 2, 1, 1, 2)),
    "expert parallelism within tp": ((8, 8, 1, 8, 1), Deployment(8, 1, 8, 1, 1)),
    "attention ranks of tp chips": ((16, 4, 1, 16, 4), Deployment(4, 1, 16, 4, 1)),
    "attention ranks, replicated": ((32, 4, 1, 16, 4), Deployment(4, 1, 16, 4, 2)),
    "attention data-parallel inside the tp group": ((8, 8, 1, 8, 8), Deployment(1, 1, 8, 8, 1)),
    "dp without ep is replicas": ((8, 2, 1, 1, 4), Deployment(2, 1, 1, 1, 4)),
    "dp without ep, more replicas than dp": ((16, 2, 1, 0, 4), Deployment(2, 1, 1, 1, 8)),
}


@pytest.mark.parametrize("name", READINGS)
def test_a_deployment_is_read_as_the_design_says(name):
    asked, expected = READINGS[name]
    assert read_deployment(*asked) == expected


@pytest.mark.parametrize("asked", [(12, None, None, None, None), (4, 8, 1, 1, 1), (8, 3, 1, 1, 1), (8, 4, 1, 8, 4),
                                   (8, 8, 2, 1, 1), (16, 8, 1, 8, 8)])  # fmt: skip
def test_what_cannot_be_laid_out_is_refused_and_said(asked):
    with pytest.raises(NotPredictable, match=f"on {asked[0]} chips"):
        read_deployment(*asked)


@settings(deadline=None)
@given(st.integers(1, 64), *(st.none() | st.integers(0, 16) for _ in range(4)))
def test_every_chip_of_a_deployment_is_used_once(chips, tp, pp, ep, dp):
    try:
        found = read_deployment(chips, tp, pp, ep, dp)
    except NotPredictable:
        return
    assert found.tp * found.pp * found.dp * found.replicas == chips
    assert min(found.tp, found.pp, found.ep, found.dp, found.replicas) >= 1


# What the engine runs a weight format in, and the cache, where a stack does not say: 8 bits beside 8-bit floats.
DEFAULTS = [
    ("h100-sxm", "fp8", "fp8", "fp8"),
    ("h100-sxm", "mxfp4", "bf16", "bf16"),
    ("h100-sxm", "int4", "bf16", "bf16"),
    ("b200-sxm", "mxfp4", "fp8", "fp8"),
    ("b200-sxm", "nvfp4", "nvfp4", "fp8"),
    ("zhenwu-m890", "fp8", "fp8", "fp8"),
    ("zhenwu-m890", "mxfp4", "fp8", "fp8"),
    ("zhenwu-810e", "fp8", "bf16", "bf16"),
    ("zhenwu-810e", "int8", "int8", "bf16"),
    ("ascend-910b2", "fp8", "bf16", "bf16"),
    ("a100-sxm-80gb", "fp8", "bf16", "bf16"),
    ("a100-sxm-80gb", "mxfp4", "bf16", "bf16"),
]


@pytest.mark.parametrize(("chip_id", "weight", "act", "kv"), DEFAULTS)
def test_blank_formats_are_what_the_chip_computes_in(chip_id, weight, act, kv):
    stack = Stack("qwen3-32b", weight, chip_id)
    found = resolve_dtypes(stack, model("qwen3-32b"), chip(chip_id))
    assert (found.weight, found.act, found.kv) == (weight, act, kv)


@pytest.mark.parametrize("chip_id", ["zhenwu-810e", "ascend-910b2", "a100-sxm-80gb"])
def test_a_chip_without_fp8_computes_fp8_weights_in_its_stated_fallback(chip_id):
    found = chip(chip_id)
    assert "fp8" in found.unsupported and found.peak_key("fp8") == "compute.bf16"


def test_stated_formats_win_and_the_native_one_stands_in():
    stack = parse("gpt-oss-120b@h100-sxm,kv=fp8,act=fp8")
    found = resolve_dtypes(stack, model("gpt-oss-120b"), chip("h100-sxm"))
    assert (found.weight, found.act, found.kv) == ("mxfp4", "fp8", "fp8")


@pytest.mark.parametrize(
    "text", ["qwen3-32b/fp32@zhenwu-m890", "qwen3-32b/tf32@zhenwu-m890", "qwen3-32b@zhenwu-m890,act=fp32"]
)
def test_a_format_without_a_peak_or_a_fallback_is_refused(text):
    stack = parse(text)
    with pytest.raises(NotPredictable, match="no published or bracketed peak") as error:
        resolve_dtypes(stack, model(stack.model), chip(stack.chip))
    assert "\n" not in str(error.value)
