"""The format of published weights, from a config's `quantization_config`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.hf_config.common import NotUnderstood

_PLAIN = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}
_ALWAYS = ("embedding", "head", "norm", "router")
_ATTENTION_MARKS = ("self_attn", "attention", "q_proj", "qkv")
_SHARED_MARKS = ("shared_expert",)


def native_dtype(raw: Mapping[str, Any], text: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """(format of the weights, {part: format} of the parts that are kept in another one).

    An unquantised config is its `torch_dtype`; one that says nothing is taken as bf16, as engines do.
    """
    quant = raw.get("quantization_config") or text.get("quantization_config")
    plain = _PLAIN.get(str(text.get("torch_dtype") or text.get("dtype") or raw.get("torch_dtype")), "bf16")
    if not quant:
        return plain, dict.fromkeys(_ALWAYS, "bf16")
    kept = dict.fromkeys(_ALWAYS, "bf16")
    ignored = " ".join(map(str, quant.get("modules_to_not_convert") or quant.get("ignore") or []))
    if any(mark in ignored for mark in _ATTENTION_MARKS):
        kept["attention"] = "bf16"
    if any(mark in ignored for mark in _SHARED_MARKS):
        kept["shared_experts"] = "bf16"
    weight = _format(quant)
    if text.get("expert_dtype") == "fp4":  # DeepSeek-V4: the config's own format is that of all but the experts
        return "mxfp4", {**kept, "attention": weight, "shared_experts": weight}
    return weight, kept


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
    if algorithm == "mixed_precision" and "NVFP4" in str(quant):
        return "nvfp4"
    known = "fp8, mxfp4, nvfp4 (modelopt), gptq, awq or compressed-tensors; else take it out and write native yourself"
    raise NotUnderstood("quantization_config.quant_method", method, known)
