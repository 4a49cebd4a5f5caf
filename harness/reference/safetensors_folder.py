"""A Hugging Face folder (config.json, *.safetensors, tokenizer.json) of a Llama-architecture model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import WeightsError
from harness.reference.shape import Config
from harness.reference.stored import store


def convert_safetensors(path: Path, folder: Path, say: Callable[[str], None]) -> None:
    """Read one folder and store it as float32 [in, out]. Raises WeightsError where a part is missing."""
    say(f"converting {path.name} to float32")
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        if not (path / name).exists():
            raise WeightsError(f"{path} has no {name}")
    try:
        raw = json.loads((path / "config.json").read_text("utf-8"))
        settings = json.loads((path / "tokenizer_config.json").read_text("utf-8"))
        tensors, eos = _Tensors(path), raw["eos_token_id"]
        store(folder, config := _config(path, raw), _matrices(config, tensors), path.name)
    except (KeyError, ValueError) as error:
        raise WeightsError(f"{path}: {type(error).__name__} {error} in its configuration or tensors") from error
    shutil.copyfile(path / "tokenizer.json", folder / "tokenizer.json")
    chat = {
        "chat_template": settings.get("chat_template", ""),
        "eos_id": eos[0] if isinstance(eos, list) else eos,
    }
    (folder / "chat.json").write_text(json.dumps(chat))


def _config(path: Path, raw: dict[str, Any]) -> Config:
    if raw.get("model_type") != "llama" or raw.get("rope_scaling") or raw.get("attention_bias"):
        raise WeightsError(f"{path}: only plain Llama-architecture models are run here (no scaling, no biases)")
    theta = raw.get("rope_theta") or raw.get("rope_parameters", {}).get("rope_theta", 10000.0)
    return Config(
        layers=raw["num_hidden_layers"],
        hidden=raw["hidden_size"],
        heads=raw["num_attention_heads"],
        kv_heads=raw.get("num_key_value_heads", raw["num_attention_heads"]),
        head_dim=raw.get("head_dim") or raw["hidden_size"] // raw["num_attention_heads"],
        intermediate=raw["intermediate_size"],
        vocab=raw["vocab_size"],
        context=raw["max_position_embeddings"],
        rope_theta=float(theta),
        norm_eps=float(raw["rms_norm_eps"]),
        tied=bool(raw.get("tie_word_embeddings", False)),
    )


class _Tensors:
    """Tensors of every *.safetensors file of a folder, by name, as float32."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = sorted(path.glob("*.safetensors"))
        if not self.files:
            raise WeightsError(f"{path} has no .safetensors file")
        self.index: dict[str, tuple[Path, dict[str, Any], int]] = {}
        for file in self.files:
            with file.open("rb") as handle:
                size = int.from_bytes(handle.read(8), "little")
                try:
                    header = json.loads(handle.read(size))
                except ValueError as error:
                    raise WeightsError(f"{file} is not a readable safetensors file") from error
            for name, entry in header.items():
                if name != "__metadata__":
                    self.index[name] = (file, entry, 8 + size)

    def __call__(self, name: str) -> np.ndarray:
        """The published header gives dtype, shape and offsets; NumPy has no bf16, so its bits are widened."""
        if name not in self.index:
            raise WeightsError(f"{self.path}: tensor {name} is not there")
        file, entry, base = self.index[name]
        start, stop = entry["data_offsets"]
        kind = {"F32": np.float32, "F16": np.float16, "BF16": np.uint16}.get(entry["dtype"])
        if kind is None:
            raise WeightsError(f"{file}: {name} has dtype {entry['dtype']}; F32, F16 and BF16 are read")
        data = np.fromfile(file, kind, (stop - start) // np.dtype(kind).itemsize, offset=base + start)
        if data.nbytes != stop - start:
            raise WeightsError(f"{file} is truncated at {name}")
        if entry["dtype"] == "BF16":
            data = (data.astype(np.uint32) << 16).view(np.float32)
        return data.reshape(entry["shape"]).astype(np.float32, copy=False)


def _matrices(config: Config, get: _Tensors) -> Iterator[tuple[str, np.ndarray]]:
    for i in range(config.layers):
        block = f"model.layers.{i}"
        qkv = [get(f"{block}.self_attn.{part}_proj.weight") for part in "qkv"]
        yield f"layers.{i}.attn_norm", get(f"{block}.input_layernorm.weight")
        yield f"layers.{i}.qkv", np.concatenate(qkv).T
        yield f"layers.{i}.out", get(f"{block}.self_attn.o_proj.weight").T
        yield f"layers.{i}.mlp_norm", get(f"{block}.post_attention_layernorm.weight")
        gate_up = [get(f"{block}.mlp.{part}_proj.weight") for part in ("gate", "up")]
        yield f"layers.{i}.gate_up", np.concatenate(gate_up).T
        yield f"layers.{i}.down", get(f"{block}.mlp.down_proj.weight").T
    yield "final_norm", get("model.norm.weight")
    embedding = get("model.embed_tokens.weight").T
    yield "head", embedding if config.tied else get("lm_head.weight").T
    if not config.tied:
        yield "embedding", embedding
