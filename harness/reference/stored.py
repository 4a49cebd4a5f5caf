"""A converted folder: `weights.json` (shape, index), `weights.bin` (float32, in panels), and the tokenizer's files."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np

from harness.reference.panels import Panels
from harness.reference.shape import Config, Layer, Weights

FORMAT = 3  # raised when the stored layout changes, so that an old cache is made anew
_ALIGN = 64  # bytes; whole cache lines for every matrix
_PAGE = 4096


def is_complete(folder: Path) -> bool:
    """Whether a converted folder is whole: all parts there, the matrices' file of its size and unchanged.

    The check reads one page in every 256 (2 MB of 540), so that it costs milliseconds.
    """
    try:
        meta = json.loads((folder / "weights.json").read_text())
        whole = (folder / "weights.bin").stat().st_size == meta["size"] and (folder / "tokenizer.json").exists()
        return whole and meta["config"] and meta["checksum"] == _checksum(folder / "weights.bin")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _checksum(path: Path) -> str:
    """CRC-32 of a page in every 256: a truncated, overwritten or zeroed file shows."""
    crc, size = 0, path.stat().st_size
    with path.open("rb") as data:
        for at in range(0, size, 256 * _PAGE):
            data.seek(at)
            crc = zlib.crc32(data.read(_PAGE), crc)
    return f"{crc:08x}"


def facts(folder: Path) -> dict[str, str]:
    """{"source", "checksum"} of the weights of a folder."""
    meta = json.loads((folder / "weights.json").read_text())
    return {"source": meta["source"], "checksum": meta["checksum"]}


def load(folder: Path) -> Weights:
    """Map a converted folder; nothing is read until it is used, and processes share the pages."""
    meta = json.loads((folder / "weights.json").read_text())
    flat = np.memmap(folder / "weights.bin", np.float32, mode="r")

    def get(name: str) -> np.ndarray | Panels:
        offset, shape, out = meta["tensors"][name]
        data = flat[offset : offset + int(np.prod(shape))].reshape(shape).view(np.ndarray)
        return Panels(data, out) if out else data

    config = Config(**meta["config"])
    layers = tuple(
        Layer(**{part: get(f"layers.{i}.{part}") for part in Layer.__dataclass_fields__}) for i in range(config.layers)
    )
    head = get("head")
    return Weights(config, layers, get("final_norm"), head, head if config.tied else get("embedding"))


def store(folder: Path, config: Config, tensors: Iterator[tuple[str, np.ndarray]], source: str) -> None:
    """Write converted tensors, in the order given, and their index: where, its shape, a matrix's number of columns."""
    index: dict[str, tuple[int, tuple[int, ...], int]] = {}
    position = 0
    with (folder / "weights.bin").open("wb") as out:
        for name, array in tensors:
            panels = Panels.of(array) if array.ndim == 2 else None
            data = panels.data if panels else np.ascontiguousarray(array, np.float32)
            index[name] = (position // 4, data.shape, panels.out if panels else 0)
            out.write(data.tobytes())
            position += data.nbytes
            padding = -position % _ALIGN
            out.write(b"\0" * padding)
            position += padding
    meta = {
        "format": FORMAT, "source": source, "size": position, "checksum": _checksum(folder / "weights.bin"),
        "config": asdict(config), "tensors": index,
    }  # fmt: skip
    (folder / "weights.json").write_text(json.dumps(meta))
