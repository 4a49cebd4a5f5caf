"""A stack in words: `model/weight_dtype@chip:count,option=...`, and how its deployment is read.

    qwen3-235b-a22b/fp8@zhenwu-m890:8,tp=8,kv=fp8,engine=sglang

`model` and `model@chip` default to the native dtype and one chip. With g = tp * pp: if g * dp divides the
chips, dp attention ranks of tp chips each, and chips / (g * dp) identical replicas share the concurrency;
if g = chips and dp = tp, attention is data-parallel inside the tensor-parallel group; with ep <= 1, dp > 1
means independent replicas. Anything else is refused.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.dates import year
from harness.discovery import STACK, find
from harness.errors import BadFile, NotPredictable, UnknownId, UserMistake
from harness.profiles import DTYPES, Chip, Model

OPTIONS = (
    "tp", "pp", "ep", "dp", "kv", "act", "engine", "date", "spec", "disagg", "max_seqs", "max_batched_tokens",
    "gpu_mem", "chunk", "prefix", "price", "region",
)  # fmt: skip
_COUNTS = ("tp", "pp", "ep", "dp", "max_seqs", "max_batched_tokens", "chunk")
PRICE_CLASSES = ("contract", "neocloud", "ondemand", "spot", "own")
ENGINES = (
    "vllm", "sglang", "trtllm", "mindie", "chitu", "llama.cpp", "gaudi", "openvino", "tt-metal", "jetstream", "atom",
    "tgi", "pytorch", "rocm",
)  # fmt: skip
_CHOICES = {"kv": DTYPES, "act": DTYPES, "price": PRICE_CLASSES, "prefix": ("0", "1")}


@dataclass(frozen=True)
class Stack:
    """A parsed stack; ids are not looked up here. Blank dtypes mean the model's native one."""

    model: str
    weight_dtype: str = ""
    chip: str = ""
    chips: int = 1
    options: Mapping[str, str] = field(default_factory=dict)

    def number(self, name: str) -> int | None:
        return int(self.options[name]) if name in self.options else None

    def __str__(self) -> str:
        text = self.model + (f"/{self.weight_dtype}" if self.weight_dtype else "")
        if self.chip:
            text += f"@{self.chip}:{self.chips}"
        return text + "".join(f",{k}={v}" for k, v in self.options.items())


def parse(text: str) -> Stack:
    """A stack's words, or the name of a file in harness/stacks, either with options -> Stack. Raises UserMistake."""
    head, comma, options = text.strip().partition(",")
    if "@" not in head and head in (named := find(STACK)):
        try:
            serves = tomllib.loads(named[head].read_text("utf-8"))["serves"]
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError) as error:
            raise BadFile(named[head], "serves", str(error), "a file that `stackline stacks check` accepts") from error
        return parse_spec(f"{serves}{comma}{options}")
    return parse_spec(text)


def parse_spec(text: str) -> Stack:
    """A stack's words alone -> Stack. Raises UserMistake in one line."""
    head, *options = text.strip().split(",")
    what, _, where = head.partition("@")
    model, _, dtype = what.partition("/")
    chip, colon, count = where.partition(":")
    half = ("/" in what and not dtype) or ("@" in head and not chip)
    if not model or half or (colon and not _is_count(count)):
        raise UserMistake(f"stack {text!r}: expected model/weight_dtype@chip:count,option=value,...")
    if dtype and dtype not in DTYPES:
        raise UserMistake(f"stack {text!r}: dtype {dtype!r} is none of {', '.join(DTYPES)}")
    pairs = [_option(text, o) for o in options]
    if twice := [k for i, (k, _) in enumerate(pairs) if k in dict(pairs[:i])]:
        raise UserMistake(f"stack {text!r}: {twice[0]} is given twice")
    return Stack(model, dtype, chip, int(count) if count else 1, dict(pairs))


def _is_count(text: str) -> bool:
    """A whole number above 0 in ASCII digits (`isdigit` alone takes a superscript, which `int` does not)."""
    return text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0


def _is_share(text: str) -> bool:
    try:
        return 0 < float(text) <= 1
    except ValueError:
        return False


def _is_acceptance(text: str) -> bool:
    try:
        return 1 <= float(text) <= 100
    except ValueError:
        return False


def _option(text: str, option: str) -> tuple[str, str]:
    key, equals, value = option.partition("=")
    if key not in OPTIONS or not equals or not value:
        unknown = UnknownId("option", key, OPTIONS).suggestion
        hint = f"; did you mean '{unknown}'?" if unknown and key not in OPTIONS else f" (options: {', '.join(OPTIONS)})"
        raise UserMistake(f"stack {text!r}: {option!r} is not an option{hint}")
    if key in _COUNTS and not _is_count(value):
        raise UserMistake(f"stack {text!r}: {key}={value!r} is not a whole number above 0")
    if key == "gpu_mem" and not _is_share(value):
        raise UserMistake(f"stack {text!r}: {key}={value!r} is not a share of memory above 0, at most 1")
    if key == "date" and math.isnan(year(value)):
        raise UserMistake(f"stack {text!r}: date={value!r} is not YYYY, YYYY-MM or YYYY-MM-DD")
    if key == "spec" and not _is_acceptance(value):
        raise UserMistake(f"stack {text!r}: spec={value!r} is not a number of accepted tokens a step, 1 to 100")
    if key in _CHOICES and value not in _CHOICES[key]:
        raise UserMistake(f"stack {text!r}: {key}={value!r} is none of {', '.join(_CHOICES[key])}")
    return key, value


@dataclass(frozen=True)
class Deployment:
    """How the chips of a stack are used: `replicas` groups of tp x pp x dp chips."""

    tp: int
    pp: int
    ep: int
    dp: int
    replicas: int


def read_deployment(chips: int, tp: int | None, pp: int | None, ep: int | None, dp: int | None) -> Deployment:
    """The design's reading of chips, tp, pp, ep, dp (blank or 0 = default). Raises NotPredictable."""
    pp, ep, dp = pp or 1, ep or 1, dp or 1
    tp = tp or (chips if chips <= 8 and pp == 1 else min(8, max(1, chips // pp)))
    group = tp * pp
    if ep <= 1 and dp > 1 and chips % (group * dp) == 0:
        return Deployment(tp, pp, 1, 1, chips // group)
    if chips % (group * dp) == 0:
        return Deployment(tp, pp, ep, dp, chips // (group * dp))
    if group == chips and dp == tp:
        return Deployment(1, pp, max(ep, tp), dp, 1)
    raise NotPredictable(f"tp={tp} pp={pp} dp={dp} ep={ep} cannot be laid out on {chips} chips")


def kept_formats(model: Model) -> tuple[tuple[str, str], ...]:
    """(part, format) of what keeps another format where the model's weights are quantised."""
    from harness.operators import KEPT_BY_DEFAULT

    kept = model.tables.get("dtypes", {}).get("kept")
    return KEPT_BY_DEFAULT if kept is None else tuple(sorted(kept.items()))


def resolve_dtypes(stack: Stack, model: Model, chip: Chip):
    """(weight, act, kv) formats of a stack: blanks are what engines use for that weight format on that chip.

    Raises NotPredictable where the chip has no dense peak that could run the products.
    """
    from harness.operators import Dtypes

    weight = stack.weight_dtype or model.native_dtype
    if model.native_dtype == "mxfp4" and weight in ("fp4", "nvfp4"):
        weight = "mxfp4"  # the checkpoint's own format under its loose names
    act = stack.options.get("act") or _default_act(weight, chip)
    kv = stack.options.get("kv") or _default_kv(act)
    for dtype in (weight, act):
        if chip.peak_key(dtype) is None:
            raise NotPredictable(f"{chip.name} has no published or bracketed peak that runs {dtype}, and no fallback")
    return Dtypes(weight, act, kv, kept_formats(model), block_scaled=_in_blocks(weight, model))


def _in_blocks(weight: str, model: Model) -> bool:
    """Whether 8-bit weights have a scale a block of 128 x 128.

    Checkpoints published in fp8 do (`weight_block_size` of all nine whose configuration was read), and releases beside
    16-bit ones whose profile says so (`in_blocks`); the rest are quantised with a scale a tensor or channel.
    """
    return weight == "fp8" and (
        model.native_dtype == "fp8" or weight in model.tables.get("dtypes", {}).get("in_blocks", ())
    )


def _default_kv(act: str) -> str:
    """An 8-bit cache beside 8-bit or 4-bit floating activations, as served benchmarks are set up; else 16 bits."""
    if act in ("fp8", "nvfp4", "fp4", "mxfp4"):
        return "fp8"
    return "bf16" if act == "int8" else act


def _default_act(weight: str, chip: Chip) -> str:
    """Activations follow the weights where the chip computes in that format; else bf16 (weight-only)."""
    if weight in ("fp8", "int8", "nvfp4", "fp4") and weight not in chip.unsupported:
        key = chip.peak_key(weight)
        if key in (f"compute.{weight}", "compute.fp4", "compute.nvfp4"):
            return weight
    if weight == "mxfp4" and {"compute.fp4", "compute.mxfp4"} & set(chip.values):
        return "fp8"  # chips with 4-bit units run mxfp4 weights with 8-bit activations
    return weight if weight in ("fp32", "fp16", "bf16") else "bf16"
