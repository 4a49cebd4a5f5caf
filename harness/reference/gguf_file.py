"""A Llama-architecture GGUF -> float32 matrices laid out [in, out], and its tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import WeightsError
from harness.reference.shape import Config
from harness.reference.stored import store
from harness.reference.tokenizer import from_bpe


def convert_gguf(path: Path, folder: Path, say: Callable[[str], None]) -> None:
    """Read, dequantise and store one GGUF file. Raises WeightsError where it is broken or of another kind."""
    from gguf import GGUFReader

    say(f"converting {path.name} to float32")
    try:
        reader = GGUFReader(path)
        meta = {name: field.contents() for name, field in reader.fields.items()}
    except Exception as error:  # the reader raises many kinds for a file that is not GGUF
        raise WeightsError(f"{path} is not a readable GGUF file: {error}") from error
    tensors = {t.name: t for t in reader.tensors}
    try:
        config = _config(path, meta, tied="output.weight" not in tensors)
        store(folder, config, _matrices(config, tensors), str(meta.get("general.name", path.name)))
        _tokenizer(meta, folder)
    except KeyError as error:
        raise WeightsError(f"{path}: {error} is not there") from error
    except (ValueError, NotImplementedError) as error:  # a shape that does not fit, an unknown quantisation
        raise WeightsError(f"{path}: {error}") from error


def _tokenizer(meta: dict[str, Any], folder: Path) -> None:
    from_bpe(
        tokens=meta["tokenizer.ggml.tokens"],
        merges=meta["tokenizer.ggml.merges"],
        kinds=meta["tokenizer.ggml.token_type"],
        flavour=str(meta.get("tokenizer.ggml.pre", "")),
        chat_template=str(meta.get("tokenizer.chat_template", "")),
        eos_id=int(meta["tokenizer.ggml.eos_token_id"]),
        folder=folder,
    )


def _config(path: Path, meta: dict[str, Any], tied: bool) -> Config:
    kind = meta.get("general.architecture")
    if kind != "llama":
        raise WeightsError(f"{path}: architecture '{kind}' is not run here; a Llama-architecture model is")
    if meta.get("tokenizer.ggml.model") != "gpt2":
        raise WeightsError(f"{path}: its tokenizer '{meta.get('tokenizer.ggml.model')}' is not byte-level BPE")
    if meta.get("llama.rope.scaling.type", "none") != "none":
        raise WeightsError(f"{path}: rotary scaling '{meta['llama.rope.scaling.type']}' is not run here")
    heads, hidden = int(meta["llama.attention.head_count"]), int(meta["llama.embedding_length"])
    return Config(
        layers=int(meta["llama.block_count"]),
        hidden=hidden,
        heads=heads,
        kv_heads=int(meta.get("llama.attention.head_count_kv", heads)),
        head_dim=int(meta.get("llama.attention.key_length", hidden // heads)),
        intermediate=int(meta["llama.feed_forward_length"]),
        vocab=len(meta["tokenizer.ggml.tokens"]),
        context=int(meta["llama.context_length"]),
        rope_theta=float(meta.get("llama.rope.freq_base", 10000.0)),
        norm_eps=float(meta["llama.attention.layer_norm_rms_epsilon"]),
        tied=tied,
    )


def _matrices(config: Config, tensors: dict[str, Any]) -> Iterator[tuple[str, np.ndarray]]:
    """(name, array) in the order of use. GGUF holds [out, in]; matrices come out [in, out]."""
    from gguf.quants import dequantize

    if "rope_freqs.weight" in tensors:
        raise WeightsError("rotary frequency factors (Llama 3.1 and later) are not run here")

    def get(name: str) -> np.ndarray:
        return dequantize(tensors[name].data, tensors[name].tensor_type).astype(np.float32, copy=False)

    for i in range(config.layers):
        block = f"blk.{i}"
        q = _unpermute(get(f"{block}.attn_q.weight"), config.heads)
        k = _unpermute(get(f"{block}.attn_k.weight"), config.kv_heads)
        yield f"layers.{i}.attn_norm", get(f"{block}.attn_norm.weight")
        yield f"layers.{i}.qkv", np.concatenate([q, k, get(f"{block}.attn_v.weight")]).T
        yield f"layers.{i}.out", get(f"{block}.attn_output.weight").T
        yield f"layers.{i}.mlp_norm", get(f"{block}.ffn_norm.weight")
        yield (
            f"layers.{i}.gate_up",
            np.concatenate([get(f"{block}.ffn_gate.weight"), get(f"{block}.ffn_up.weight")]).T,
        )
        yield f"layers.{i}.down", get(f"{block}.ffn_down.weight").T
    yield "final_norm", get("output_norm.weight")
    if config.tied:
        yield "head", get("token_embd.weight").T
    else:
        yield "head", get("output.weight").T
        yield "embedding", get("token_embd.weight").T


def _unpermute(w: np.ndarray, heads: int) -> np.ndarray:
    """llama.cpp stores q and k rows for interleaved rotation; back to rotate-half order. [out, in] both."""
    out, width = w.shape
    return w.reshape(heads, out // heads // 2, 2, width).swapaxes(1, 2).reshape(out, width)
