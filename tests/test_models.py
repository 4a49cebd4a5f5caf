"""Model files: computed equals published, files equal the publishers' configurations, closed models invent nothing."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import pytest

from harness import profiles
from harness.architecture import from_table
from harness.discovery import MODEL, find
from harness.errors import BadFile, NotPredictable
from harness.hf_config import convert, families
from harness.hf_config.template import id_of, read_config, template
from tests.conftest import OUTSIDE

MODELS = list(find(MODEL))
OPEN = [i for i in MODELS if "architecture" in profiles.model(i).tables]
CLOSED = [i for i in MODELS if i not in OPEN]
CONFIGS = OUTSIDE / "facts" / "model_configs"
ARCHITECTURES = OUTSIDE / "facts" / "architectures.csv"
# Ids that measured rows gave, where they differ from the publisher's name.
RENAMED = {
    "Kimi-K2-Instruct": "kimi-k2", "Qwen2.5-7B-Instruct": "qwen2.5-7b", "Qwen2.5-72B-Instruct": "qwen2.5-72b",
    "Mixtral-8x7B-v0.1": "mixtral-8x7b", "Llama-4-Maverick-17B-128E-Instruct": "llama-4-maverick",
}  # fmt: skip
# Three digits are published and the layers do not add up to them; the value's note says so.
DIFFER = {"falcon-180b", "glm-4.5", "glm-4.5-air", "glm-4.6", "llama-4-scout", "qwq-32b"}
# GPT-J says no format in its configuration; its branch for inference is fp16.
FORMATS_DIFFER = {"gpt-j-6b"}
# Another derivation takes the decay of Kimi K3 for a full matrix; with the bottleneck the published 104 B active fit.
DERIVED_OTHERWISE = {"kimi-k3"}


def architecture(model_id: str):
    model = profiles.model(model_id)
    return from_table(model.tables["architecture"], model.path)


def digits(value: float) -> int:
    return len(f"{value:e}".split("e")[0].rstrip("0").replace(".", ""))


# Computed equals published


@pytest.mark.parametrize("model_id", OPEN)
def test_layers_add_up_to_the_published_parameter_count(model_id):
    model, counted = profiles.model(model_id), architecture(model_id).parameters
    published = model.get("parameters.total")
    if model_id in DIFFER:
        assert "the layers below" in published.note
        assert counted == pytest.approx(published.value, rel=0.012)
    elif digits(published.value) >= 3:
        assert counted == pytest.approx(published.value, rel=0.005)
    else:  # one or two digits: the range is the rounding
        low, high = published.range
        assert low <= counted <= high


@pytest.mark.parametrize("model_id", OPEN)
def test_active_parameters_agree_under_one_of_the_ways_publishers_count(model_id):
    """Some publishers count embedding and head, some leave out one or both."""
    published, arch = profiles.model(model_id).get("parameters.active"), architecture(model_id)
    ways = [arch.active_parameters - n * arch.vocab * arch.hidden for n in (0, 1, 2)]
    low, high = published.range
    near = [low * 0.995 <= way <= high * 1.005 for way in ways]
    assert any(near), (published.value, ways)


@pytest.mark.golden
@pytest.mark.skipif(not ARCHITECTURES.exists(), reason="no architectures.csv in STACKLINE_REFERENCE_DATA")
def test_an_independent_derivation_gives_the_same_counts():
    rows = list(csv.DictReader(ARCHITECTURES.open(encoding="utf-8")))
    assert len(rows) > 50
    for row in rows:
        model_id = RENAMED.get(row["model"], row["model"].lower())
        arch = architecture(model_id)
        assert arch.kv_elements_per_token == float(row["derived_kv_cache_elements_per_token"]), model_id
        assert arch.state_elements_per_sequence == float(row["derived_fixed_state_elements_per_sequence"]), model_id
        if model_id in DERIVED_OTHERWISE:
            continue
        total, active = (float(row[k]) for k in ("derived_total_B", "derived_active_plus_embedding_B"))
        assert arch.parameters / 1e9 == pytest.approx(total, rel=1e-3, abs=6e-4), model_id
        assert arch.active_parameters / 1e9 == pytest.approx(active, rel=3e-3, abs=6e-4), model_id


# Files equal the publishers' configurations


@pytest.mark.golden
@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.json")) or [CONFIGS], ids=lambda p: p.stem)
def test_a_configuration_becomes_the_shipped_file(path):
    if not path.is_file():
        pytest.skip("no model_configs in STACKLINE_REFERENCE_DATA")
    raw = json.loads(path.read_text("utf-8"))
    said = convert(raw)
    model_id = RENAMED.get(path.stem, path.stem.lower())
    model = profiles.model(model_id)
    shipped = from_table(model.tables["architecture"], model.path)
    if "rms_norm_eps" not in {**raw, **raw.get("text_config", {})}:  # trimmed from the copy; it decides no size
        shipped = replace(shipped, norm_eps=said.architecture.norm_eps)
    assert said.architecture == shipped
    assert model.tables["architecture"].get("mtp_layers", 0) == said.mtp_layers
    if model_id not in FORMATS_DIFFER:
        assert model.native_dtype == said.native_dtype
        assert model.tables["dtypes"]["kept"] == dict(said.kept_formats)
    context = model.get("context")
    assert context.value == said.context_tokens or context.note  # Llama 2 and MiniMax-M1: the note says why


def test_a_family_that_is_not_known_is_refused_by_name(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"model_type": "no-such-family", "hidden_size": 8}))
    with pytest.raises(BadFile, match="no-such-family") as refused:
        read_config(path)
    assert "llama" in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"[1]", b"{", b"\xff", b'{"model_type": "llama"}',
                                     b'{"model_type": "llama", "n_embd": 8, "n_head": 0}'])  # fmt: skip
def test_a_config_that_cannot_be_read_is_one_line(tmp_path, content):
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(BadFile) as refused:
        read_config(path)
    assert "\n" not in str(refused.value)


LLAMA = {
    "model_type": "llama", "_name_or_path": "some-org/My Llama_2", "hidden_size": 512, "num_hidden_layers": 3,
    "num_attention_heads": 8, "num_key_value_heads": 2, "intermediate_size": 1024, "vocab_size": 1000,
    "max_position_embeddings": 2048, "torch_dtype": "float16", "tie_word_embeddings": True,
}  # fmt: skip


def test_a_config_becomes_a_file_that_loads(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(LLAMA))
    raw, said = read_config(path)
    assert id_of(raw, path) == "my-llama-2"
    target = tmp_path / "my-llama-2.toml"
    target.write_text(template("my-llama-2", said, path))
    model = profiles.load_file(MODEL, target)
    assert model.native_dtype == "fp16" and model.get("context").value == 2048
    assert from_table(model.tables["architecture"], target) == said.architecture
    per_layer = 512 * (512 + 2 * 128 + 512) + 3 * 512 * 1024 + 2 * 512
    assert said.architecture.parameters == 3 * per_layer + 512 + 1000 * 512
    assert "not in a config" in model.missing["licence"]


@pytest.mark.parametrize(("changes", "native", "kept"), [
    ({"quantization_config": {"quant_method": "fp8"}}, "fp8", {}),
    ({"quantization_config": {"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn"]}},
     "mxfp4", {"attention": "bf16"}),
    ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "int4", {}),
    ({"quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4"}}, "nvfp4", {}),
])  # fmt: skip
def test_the_format_of_the_weights_is_read(changes, native, kept):
    said = convert({**LLAMA, **changes})
    assert said.native_dtype == native and dict(said.kept_formats).items() >= kept.items()


def test_an_unknown_quantisation_is_not_guessed():
    with pytest.raises(ValueError, match="aqlm"):
        convert({**LLAMA, "quantization_config": {"quant_method": "aqlm"}})


def test_every_family_of_the_library_can_be_converted():
    assert {"llama", "qwen3_moe", "deepseek_v4", "kimi_linear", "gemma4_text", "falcon"} <= set(families())


# Closed models


@pytest.mark.parametrize("model_id", CLOSED)
def test_a_closed_model_invents_no_architecture(model_id):
    model = profiles.model(model_id)
    assert model.fact("weights") == "closed"
    assert not model.has("parameters.active") or model.get("parameters.active").kind != "exact"
    if not model.proxy:
        with pytest.raises(NotPredictable, match="publishes no architecture"):
            profiles.stand_in(model)


def test_a_proxy_is_labelled():
    model = profiles.model("qwen3.7-max")
    assert profiles.stand_in(model).id == "qwen3.8-2.4t-a95b"
    assert model.proxy["why"] == "closest published relative, not evidence of its size"


@pytest.mark.parametrize("model_id", MODELS)
def test_a_price_is_dated_and_its_parts_are_in_order(model_id):
    model = profiles.model(model_id)
    prices = {key: model.get(key).point for key in model.values if key.startswith("price.")}
    assert all(cited.date for key in prices for cited in model.values[key])
    if {"price.input", "price.output"} <= set(prices):
        assert prices["price.input"] <= prices["price.output"]
    if {"price.input", "price.cached_input"} <= set(prices):
        assert prices["price.cached_input"] < prices["price.input"]
