"""Reading a config: its text part, its keys under their several names, its layers grouped by plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from harness.architecture import Architecture, Attention, Dense, LayerGroup, Moe


class NotUnderstood(ValueError):
    """A configuration says something that is not known here: its key, what was found and what is expected."""

    def __init__(self, key: str, found: object, expected: str) -> None:
        super().__init__(f"{key}: found {found!r}, expected {expected}")
        self.key, self.found, self.expected = key, found, expected


def unwrap(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The text model's part of a config, with the outer keys that it leaves out."""
    inner = next((raw[k] for k in ("text_config", "llm_config", "language_config") if isinstance(raw.get(k), dict)), {})
    outer = {k: v for k, v in raw.items() if not isinstance(v, dict) or k in ("rope_scaling", "rope_parameters")}
    return {**outer, **inner} if inner else dict(raw)


class Config:
    """A config's keys, each asked for under the names that publishers give it."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw

    def get(self, *names: str, default: Any = None) -> Any:
        """The first of the names that is given and not null."""
        return next((self.raw[n] for n in names if self.raw.get(n) is not None), default)

    def whole(self, *names: str, default: int | None = None) -> int:
        """A count. Raises NotUnderstood naming the keys."""
        value = self.get(*names, default=default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise NotUnderstood(" or ".join(names), value, "a whole number")
        return value

    def flag(self, *names: str, default: bool = False) -> bool:
        return bool(self.get(*names, default=default))

    @property
    def hidden(self) -> int:
        return self.whole("hidden_size", "n_embd")

    @property
    def layer_count(self) -> int:
        return self.whole("num_hidden_layers", "n_layer")

    @property
    def heads(self) -> int:
        return self.whole("num_attention_heads", "n_head")

    @property
    def head_dim(self) -> int:
        """As given, or the hidden width split over the heads."""
        return self.whole("head_dim", "kv_channels", default=self.hidden // self.heads)

    @property
    def kv_heads(self) -> int:
        return self.whole("num_key_value_heads", default=self.heads)

    @property
    def intermediate(self) -> int:
        return self.whole("intermediate_size")

    def of_layer(self, name: str, i: int, default: Any = None) -> Any:
        """Entry i of a list with one entry a layer."""
        listed = self.raw.get(name)
        return listed[i] if isinstance(listed, list) and i < len(listed) else default

    def model(self, layers: Iterable[LayerGroup], tied: bool = False, **more: Any) -> Architecture:
        """The plan of a list of single layers. `tied`: the family's default where the config does not say."""
        rope = self.get("rope_parameters", default={})
        theta = self.get("rope_theta", default=rope.get("rope_theta", 10000.0))
        eps = self.get("rms_norm_eps", "layer_norm_epsilon", "layer_norm_eps", default=1e-5)
        return Architecture(
            self.hidden, self.whole("vocab_size"), self.flag("tie_word_embeddings", default=tied), grouped(layers),
            rope_theta=float(theta), norm_eps=float(eps), **more,
        )  # fmt: skip


def layer(attention: Attention, mlp: Dense | Moe, **more: Any) -> LayerGroup:
    return LayerGroup(1, attention, mlp, **more)


def grouped(layers: Iterable[LayerGroup]) -> tuple[LayerGroup, ...]:
    """Layers of one plan together, in the order of their first."""
    counts = Counter(layers)
    return tuple(LayerGroup(n, g.attention, g.mlp, g.norms, g.parallel) for g, n in counts.items())
