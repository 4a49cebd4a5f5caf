"""What takes long: the wheel in a clean environment, and the memory of a default run."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def sh(*command: str | Path, cwd: Path, **env: str) -> str:
    done = subprocess.run([str(c) for c in command], cwd=cwd, capture_output=True, text=True, env={**os.environ, **env})
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def test_the_wheel_works_in_a_clean_environment_from_another_folder(tmp_path, weights_folder):
    sh(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path / "dist", ROOT, cwd=tmp_path)
    wheel = next((tmp_path / "dist").glob("*.whl"))
    sh(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv/bin/python"
    sh(python, "-m", "pip", "install", "-q", wheel, cwd=tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    clean = {"PYTHONPATH": "", "PYTHONSAFEPATH": "1"}
    stackline = tmp_path / "venv/bin/stackline"
    assert sh(stackline, "chips", "list", cwd=elsewhere, **clean) == sh(
        sys.executable, "-m", "harness", "chips", "list", cwd=ROOT
    )
    assert "_shipped" in sh(
        python, "-c", "import harness.discovery as d; print(d.path_of(d.CHIP, 'h20-96gb'))", cwd=elsewhere, **clean
    )
    assert "sample.prefix_hit" in sh(stackline, "workloads", "show", "coding-agent", cwd=elsewhere, **clean)
    sh(python, "-c", "import importlib.util as u; assert u.find_spec('tasks') is None", cwd=elsewhere, **clean)
    assert "430 of 430 rows count" in sh("sh", "-c", f"{stackline} validate 2>&1", cwd=elsewhere, **clean)
    sh(stackline, "run", "--limit", "2", "--chip", "h20-96gb", "--out", "run", cwd=elsewhere, **clean)
    assert (elsewhere / "run/report/index.html").stat().st_size > 10_000


def test_a_default_run_stays_under_2_gb_of_memory(tmp_path, weights_folder):
    """Peak proportional set size of the process tree: pages that workers share count once."""
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "run", "--out", str(tmp_path / "run")], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    peak, done = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.5):
            peak = max(peak, sum(pss(pid) for pid in tree(process.pid)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    done.set()
    watcher.join()
    print(f"peak PSS of a default run: {peak / 1e9:.2f} GB")
    assert code == 0 and 0 < peak < 2e9


def tree(root: int) -> list[int]:
    """A process and all its descendants."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    found, queue = [], [root]
    while queue:
        found.append(queue.pop())
        queue += parents.get(found[-1], [])
    return found


def pss(pid: int) -> int:
    """Proportional set size in bytes; 0 where the process is gone."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
