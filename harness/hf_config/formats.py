"""The format of published weights, and of the parts that keep another one, from a config's `quantization_config`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from harness.hf_config.common import NotUnderstood

_PLAIN = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}
_ALWAYS = ("embedding", "head", "norm", "router")
# What a module's name tells of its part; the first that is found counts.
_MARKS = (
    ("head", ("lm_head",)), ("router", ("router",)), ("shared_experts", ("shared_expert",)),
    ("attention", ("self_attn", "linear_attn", "attention", "qkv")), ("experts", (".experts",)), ("mlp", ("mlp",)),
)  # fmt: skip
_WHOLE_LAYER = re.compile(r"layers\.(\d+)\W*\Z")
_WIDTH = {"fp8": 8, "nvfp4": 4, "mxfp4": 4, "int4": 4, "int8": 8}


def native_dtype(raw: Mapping[str, Any], text: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """(format of the weights, {part: format} of the parts that are kept in another one).

    An unquantised config is its `torch_dtype`; one that says nothing is taken as bf16, as engines do.
    """
    quant = raw.get("quantization_config") or text.get("quantization_config")
    plain = _PLAIN.get(str(text.get("torch_dtype") or text.get("dtype") or raw.get("torch_dtype")), "bf16")
    kept = dict.fromkeys(_ALWAYS, "bf16")
    if not quant:
        return plain, kept
    kept |= dict.fromkeys(_parts(quant.get("modules_to_not_convert") or quant.get("ignore") or [], text), "bf16")
    by_part = _groups(quant)
    weight = min(by_part.values(), key=lambda f: _WIDTH[f]) if by_part else _format(quant)
    for part, form in by_part.items():
        kept.pop(part, None)
        if form != weight:
            kept[part] = form
    if text.get("expert_dtype") == "fp4":  # DeepSeek-V4: the config's own format is that of all but the experts
        return "mxfp4", {**kept, "attention": weight, "shared_experts": weight}
    return weight, kept


def _parts(modules: Iterable[Any], text: Mapping[str, Any]) -> set[str]:
    """The parts that a list of modules or patterns names; a whole first layer is the dense block of a mixture."""
    found = set()
    for module in map(str, modules):
        part = next((part for part, marks in _MARKS if any(mark in module for mark in marks)), None)
        whole = _WHOLE_LAYER.search(module)
        if part is None and whole and int(whole[1]) < int(text.get("first_k_dense_replace") or 0):
            part = "mlp"
        found |= {part} - {None, "experts"}
    return found


def _groups(quant: Mapping[str, Any]) -> dict[str, str]:
    """{part: format} where groups of modules, each named, have formats of their own."""
    found: dict[str, str] = {}
    for group in (quant.get("config_groups") or {}).values():
        targets = group.get("targets") or []
        if targets == ["Linear"]:
            return {}
        for part in _parts(targets, {}) | ({"experts"} if any(".experts" in str(t) for t in targets) else set()):
            found[part] = _group_format(group.get("weights") or {})
    return found


def _group_format(weights: Mapping[str, Any]) -> str:
    bits, kind, size = weights.get("num_bits"), weights.get("type"), weights.get("group_size")
    if bits == 8:
        return "fp8" if kind == "float" else "int8"
    if bits == 4:
        return "int4" if kind != "float" else "nvfp4" if size == 16 else "mxfp4"
    raise NotUnderstood("quantization_config.config_groups.weights.num_bits", bits, "4 or 8")


def _format(quant: Mapping[str, Any]) -> str:
    """Raises NotUnderstood for a method that is not known here."""
    method, algorithm = str(quant.get("quant_method", "")), str(quant.get("quant_algo", "")).lower()
    packed = str(quant.get("format", ""))
    if method == "fp8" or algorithm == "fp8":
        return "fp8"
    if method == "mxfp4" or packed.startswith("mxfp4"):
        return "mxfp4"
    if "fp4" in algorithm or packed.startswith("nvfp4"):
        return "nvfp4"
    if method in ("gptq", "awq") or packed == "pack-quantized":
        return "int4"
    known = "fp8, mxfp4, nvfp4 (modelopt), gptq, awq or compressed-tensors; else take it out and write native yourself"
    raise NotUnderstood("quantization_config.quant_method", method, known)
