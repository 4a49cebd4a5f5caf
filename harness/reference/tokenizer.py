"""Text to token ids and back: byte-level BPE by `tokenizers`, chat template by jinja2."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from harness.errors import WeightsError

_CONTROL = 3  # GGUF token type of special tokens
# Pre-tokeniser by the GGUF's name for it. Each byte-level tail maps bytes to printable characters.
_SPLITS = {
    "llama-bpe": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+",
    "qwen2": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+",
}


class Tokenizer:
    """The tokenizer of a converted folder. Special tokens in the text are parsed; none is added."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer as Backend

        self._backend = Backend.from_file(str(folder / "tokenizer.json"))
        chat = json.loads((folder / "chat.json").read_text("utf-8"))
        self.eos_id: int = chat["eos_id"]
        self.chat_template: str = chat["chat_template"]

    def encode(self, text: str) -> list[int]:
        return self._backend.encode(text, add_special_tokens=False).ids

    def decode(self, ids: Sequence[int]) -> str:
        """Bytes that are not valid UTF-8 (a cut character) become U+FFFD."""
        return self._backend.decode(list(ids), skip_special_tokens=False)

    def token(self, text: str) -> int | None:
        return self._backend.token_to_id(text)

    def chat(self, messages: Sequence[Mapping[str, str]], add_generation_prompt: bool = True) -> str:
        """Messages rendered by the model's own template. Raises WeightsError where it has none."""
        if not self.chat_template:
            raise WeightsError("these weights carry no chat template")
        return self._template.render(
            messages=messages, add_generation_prompt=add_generation_prompt, bos_token="", eos_token=""
        )

    @cached_property
    def _template(self):
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        return environment.from_string(self.chat_template)


def from_bpe(
    tokens: Sequence[str],
    merges: Sequence[str],
    kinds: Sequence[int],
    flavour: str,
    chat_template: str,
    eos_id: int,
    folder: Path,
) -> None:
    """Write `tokenizer.json` and `chat.json` from a GGUF's vocabulary. Raises WeightsError for a new flavour."""
    from tokenizers import AddedToken, Regex, decoders, models, pre_tokenizers
    from tokenizers import Tokenizer as Backend

    vocabulary = {token: i for i, token in enumerate(tokens)}
    try:
        backend = Backend(models.BPE(vocabulary, [tuple(m.split(" ", 1)) for m in merges], fuse_unk=False))
    except Exception as error:  # the library raises a bare Exception for a vocabulary that does not hold together
        raise WeightsError(f"the vocabulary does not make a tokenizer: {error}") from error
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=flavour not in _SPLITS)
    if flavour in _SPLITS:
        first = pre_tokenizers.Split(Regex(_SPLITS[flavour]), "isolated")
    elif flavour == "smollm":
        first = pre_tokenizers.Digits(individual_digits=True)
    elif flavour in ("gpt-2", ""):
        first = None
    else:
        raise WeightsError(f"pre-tokeniser '{flavour}' is not known here (smollm, gpt-2, llama-bpe, qwen2 are)")
    backend.pre_tokenizer = pre_tokenizers.Sequence([first, byte_level]) if first else byte_level
    backend.decoder = decoders.ByteLevel()
    special = [t for t, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL]
    backend.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special])
    backend.save(str(folder / "tokenizer.json"))
    (folder / "chat.json").write_text(json.dumps({"chat_template": chat_template, "eos_id": eos_id}))
