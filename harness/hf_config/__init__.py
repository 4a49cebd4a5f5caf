"""A Hugging Face `config.json` -> a layer plan, by `model_type`; one function a family of models.

The layouts are those of the families' implementations in transformers 5.23 (and, for what it does not hold, of the
publishers' own code). A key that a config leaves out has the default of that implementation. A family that is not
known here is refused by name, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.architecture import Architecture
from harness.hf_config import dense, hybrid, latent, mixture
from harness.hf_config.common import Config, NotUnderstood, unwrap
from harness.hf_config.formats import native_dtype

_FAMILIES: dict[str, Callable[[Config], Architecture]] = {
    **dense.FAMILIES, **mixture.FAMILIES, **latent.FAMILIES, **hybrid.FAMILIES,
}  # fmt: skip


@dataclass(frozen=True)
class Converted:
    """What a config says: the plan, the longest context, the format of the weights, extra prediction layers."""

    architecture: Architecture
    model_type: str
    context_tokens: int
    native_dtype: str
    kept_formats: Mapping[str, str]  # part -> the format it keeps where weights are quantised
    mtp_layers: int


def families() -> tuple[str, ...]:
    """The model types that can be converted."""
    return tuple(sorted(_FAMILIES))


def convert(raw: Mapping[str, Any]) -> Converted:
    """Read a parsed config. Raises NotUnderstood for a family or a value that is not known here."""
    text = unwrap(raw)
    family = next((t for t in (text.get("model_type"), raw.get("model_type")) if t in _FAMILIES), None)
    if family is None:
        raise NotUnderstood(
            "model_type",
            text.get("model_type"),
            f"one of {', '.join(families())}; else copy a near model's file and write [architecture]",
        )
    config = Config(text)
    architecture = _FAMILIES[family](config)
    native, kept = native_dtype(raw, text)
    context = config.whole("max_position_embeddings", "n_positions", "seq_length")
    mtp = config.whole("num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_modules", default=0)
    return Converted(architecture, family, context, native, kept, mtp)
