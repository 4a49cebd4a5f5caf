"""A converted folder: `weights.json` (shape, index), `weights.bin` (float32, in panels), and the tokenizer's files."""

from __future__ import annotations

import json
import mmap
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
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
    crc, data = 0, _mapped(path)
    for at in range(0, len(data), 256 * _PAGE):
        crc = zlib.crc32(data[at : at + _PAGE], crc)
    return f"{crc:08x}"


def _mapped(path: Path) -> mmap.mmap:
    """A file in memory that processes share, in huge pages where the system can.

    In pages of 4 kB a matrix streams at three quarters of the speed of memory in huge ones. Linux makes them for the
    files of ext4 (6.16 and later), XFS and Btrfs if it is asked to before the first byte is read; so whoever reads the
    file reads it through here.
    """
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a kernel built without them
            data.madvise(mmap.MADV_HUGEPAGE)
    return data


def _forget(path: Path) -> None:
    """Have the system write a new file to the disk and drop the small pages that it was written through."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def facts(folder: Path) -> dict[str, str]:
    """{"source", "checksum"} of the weights of a folder."""
    meta = json.loads((folder / "weights.json").read_text())
    return {"source": meta["source"], "checksum": meta["checksum"]}


def load(folder: Path) -> Weights:
    """Map a converted folder; nothing is read until it is used, and processes share the pages."""
    meta = json.loads((folder / "weights.json").read_text())
    flat = np.frombuffer(_mapped(folder / "weights.bin"), np.float32)

    def get(name: str) -> np.ndarray | Panels:
        offset, shape, out = meta["tensors"][name]
        data = flat[offset : offset + int(np.prod(shape))].reshape(shape)
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
    _forget(folder / "weights.bin")
    meta = {
        "format": FORMAT, "source": source, "size": position, "checksum": _checksum(folder / "weights.bin"),
        "config": asdict(config), "tensors": index,
    }  # fmt: skip
    (folder / "weights.json").write_text(json.dumps(meta))
