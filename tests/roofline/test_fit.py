"""The fit finds known constants again, and what it shipped can be used and believed."""

from __future__ import annotations

import gzip
import math
import tomllib

import numpy as np
import pytest

from harness.errors import MissingFile, UserMistake
from harness.profiles import chip
from harness.roofline import laws
from harness.roofline.fit import FAMILIES, Fit, _fit_family, _read, fit_folder, fit_law, prior
from harness.roofline.kernels import Kernels
from harness.trace import Op
from tests.conftest import OUTSIDE
from tests.roofline.support import constants_of

pytest.importorskip("scipy")
KERNELS = OUTSIDE / "measurements/kernels"
TRUE = {"t0_s": 6e-6, "e_bw": 0.72, "e_fl": 0.55}


def synthetic(rng: np.random.Generator, rows: int, noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times at full peak, and the times that a chip with the true constants would take."""
    mem, math_s = (10 ** rng.uniform(-7, -3, rows) for _ in range(2))
    time = TRUE["t0_s"] + np.maximum(mem / TRUE["e_bw"], math_s / TRUE["e_fl"])
    return mem, math_s, time * np.exp(noise * rng.standard_normal(rows))


@pytest.mark.parametrize("seed", range(3))
def test_known_constants_are_found_again_under_noise(seed):
    fit = fit_law(*synthetic(np.random.default_rng(seed), 400, 0.05))
    for name, value in TRUE.items():
        assert getattr(fit, name) == pytest.approx(value, rel=0.04)
    assert fit.sigma == pytest.approx(0.05, rel=0.2) and fit.rows == 400
    assert fit.median_error == pytest.approx(0.0337, rel=0.25)  # the median of |N(0, 5 %)|


def test_a_few_odd_kernels_do_not_bend_the_law():
    mem, math_s, time = synthetic(np.random.default_rng(0), 400, 0.05)
    time[::40] *= 20
    fit = fit_law(mem, math_s, time)
    for name, value in TRUE.items():
        assert getattr(fit, name) == pytest.approx(value, rel=0.08)


def fits(*values: float) -> dict[str, Fit]:
    return {str(i): Fit(v * 1e-5, v, v, 0.1, 0.1, 0.1, 100) for i, v in enumerate(values)}


def width(p: dict, part: str) -> float:
    _, low, high = p[part]
    return math.log(high / low)


@pytest.mark.parametrize("part", laws.PARTS)
def test_a_prior_widens_with_fewer_chips(part):
    """The same spread of logarithms, known from fewer chips."""
    eight, four, two = (prior(fits(*[0.4, 0.6] * k)) for k in (4, 2, 1))
    assert width(eight, part) < width(four, part) < width(two, part)
    assert width(prior(fits(0.5)), part) == pytest.approx(math.log(4))
    assert eight[part][0] == pytest.approx(two[part][0])


def test_chips_that_happen_to_agree_are_not_taken_for_proof():
    assert width(prior(fits(0.5, 0.5, 0.5)), "e_bw") > 2 * 0.15


@pytest.mark.parametrize("name", sorted(laws.tables()))
def test_shipped_laws_are_shares_of_the_peak_with_ordered_priors(name):
    table = laws.tables()[name]
    for part in laws.PARTS:
        middle, low, high = table["prior"][part]
        assert 0 < low < middle < high
        assert part == "t0_s" or middle <= 1
        for own in table.get("chips", {}).values():
            assert 0 < own[part] <= (1e-3 if part == "t0_s" else 1)
    for own in table.get("chips", {}).values():
        assert own["rows"] >= 50 and 0 < own["median_error"] < 1
    drawn = laws.law(name, "a-chip-nobody-measured", 500, 0)
    assert not drawn.measured_on_chip and drawn.t0_s.min() > 0
    assert 0 < min(drawn.e_bw.min(), drawn.e_fl.min()) and max(drawn.e_bw.max(), drawn.e_fl.max()) <= 1


@pytest.mark.parametrize("path", sorted(laws.FOLDER.glob("*.toml")), ids=lambda p: p.stem)
def test_every_constants_file_says_what_it_was_made_from_and_when(path):
    data = tomllib.loads(path.read_text("utf-8"))
    source = data["source"]
    assert source["id"] in laws.constant_sources() and source["title"] and source["publisher"]
    if path.stem == "assumed":
        assert all(c["reason"] and c["low"] < c["value"] < c["high"] for c in data["constants"].values())
    else:
        assert source["url"].startswith("https://") and len(source["retrieved"]) == len("2026-11-23")


def test_deployment_constants_are_scales_within_their_bounds():
    from harness.roofline.fit_deployment import BOUNDS

    found = laws.deployment()
    for name, (low, high) in BOUNDS.items():
        assert low * 0.999 <= getattr(found, name) <= high * 1.001
    assert 0 < found.sigma_tpot < 1 and 0 < found.sigma_ttft < 1.5


def test_a_measured_chip_has_its_own_law_and_another_has_a_spread():
    own, other = (laws.law("gemm.bf16", c, 200, 0) for c in ("h100-sxm", "zhenwu-m890"))
    assert own.measured_on_chip and np.ptp(own.e_bw) == 0
    assert not other.measured_on_chip and np.ptp(other.e_bw) > 0


# Columns of each kernel file that the fit reads: one shape a row, times made from the true constants.
def tiny_folder(folder, chips=("h100-sxm", "a100-sxm-80gb")) -> None:
    rng = np.random.default_rng(7)
    headers = {
        "gemm": "chip,gemm_dtype,m,n,k,time_us",
        "attention_prefill": "chip,attn_dtype,kv_cache_dtype,batch_size,num_heads,num_key_value_heads,head_dim,isl,"
                             "time_us",
        "attention_decode": "chip,kv_cache_dtype,batch_size,num_heads,num_key_value_heads,head_dim,kv_len,time_us",
        "moe": "chip,moe_dtype,kernel_source,num_tokens,hidden_size,num_experts,topk,inter_size,moe_tp_size,"
               "moe_ep_size,time_us",
        "collectives": "chip,op_name,kernel_source,nccl_dtype,message_size,num_gpus,time_us",
    }  # fmt: skip
    rows: dict[str, list] = {name: [] for name in headers}
    for chip_id in chips:
        bandwidth, peak = chip(chip_id).get("memory.bandwidth").point, chip(chip_id).get("compute.bf16").point
        link = chip(chip_id).get("scaleup.bandwidth").point

        def law(moved, flops, rate=bandwidth, top=peak):
            return 1e6 * (TRUE["t0_s"] + max(moved / (TRUE["e_bw"] * rate), flops / (TRUE["e_fl"] * top)))

        for _ in range(120):
            m, n, k = (int(2 ** rng.uniform(*span)) for span in ((0, 14), (9, 14), (9, 14)))
            rows["gemm"].append((chip_id, "bfloat16", m, n, k, law(2 * (n * k + m * k + m * n), 2 * m * n * k)))
            batch, isl = int(2 ** rng.uniform(0, 5)), int(2 ** rng.uniform(7, 13))
            moved, flops = 2 * batch * isl * 2 * 8 * 128 + 4 * batch * isl * 32 * 128, 4 * batch * 32 * 128 * isl**2 / 2
            shape = (batch, 32, 8, 128, isl)
            rows["attention_prefill"].append((chip_id, "bfloat16", "bfloat16", *shape, law(moved, flops)))
            moved, flops = 2 * batch * isl * 2 * 8 * 128 + 4 * batch * 32 * 128, 4 * batch * 32 * 128 * isl
            rows["attention_decode"].append((chip_id, "bfloat16", *shape, law(moved, flops)))
            touched = 64 * (1 - (1 - 4 / 64) ** m)
            moved, flops = 2 * touched * 3 * 2048 * 1024 + 2 * m * 4 * 2048 * 2, 2 * m * 4 * 3 * 2048 * 1024
            rows["moe"].append((chip_id, "bfloat16", "triton", m, 2048, 64, 4, 1024, 1, 1, law(moved, flops)))
            size, group = int(2 ** rng.uniform(8, 28)), int(2 ** rng.integers(1, 4))
            ring = 2 * (group - 1) / group * 2 * size
            rows["collectives"].append((chip_id, "all_reduce", "nccl", "half", size, group, law(ring, 0, link)))
    for name, header in headers.items():
        text = "\n".join([header, *(",".join(map(str, row)) for row in rows[name])]) + "\n"
        (folder / f"{name}.csv.gz").write_bytes(gzip.compress(text.encode()))


def test_a_fitted_folder_is_one_that_the_laws_load(tmp_path):
    data, out = tmp_path / "data", tmp_path / "constants"
    data.mkdir()
    tiny_folder(data)
    said: list[str] = []
    written = fit_folder(data, out, said.append)
    assert sorted(p.stem for p in written) == sorted(FAMILIES) and len(said) == 2 * len(FAMILIES)
    for name in ("assumed.toml", "deployment.toml"):
        (out / name).write_text((laws.FOLDER / name).read_text())
    shipped = laws.law("gemm.bf16", "h100-sxm", 1, 0).e_bw[0]
    with constants_of(out):
        for name in ("gemm.bf16", "attention_prefill.bf16", "attention_decode.bf16", "moe.bf16", "all_reduce"):
            own = laws.law(name, "h100-sxm", 4, 0)
            assert own.measured_on_chip and own.t0_s[0] == pytest.approx(TRUE["t0_s"], rel=0.02)
            assert own.e_bw[0] == pytest.approx(TRUE["e_bw"], rel=0.02)
        assert laws.law("gemm.bf16", "h100-sxm", 4, 0).e_fl[0] == pytest.approx(TRUE["e_fl"], rel=0.02)
        assert "fit-gemm" in laws.constant_sources()
        assert not laws.law("gemm.bf16", "mi300x", 4, 0).measured_on_chip
        # A kernel's predicted time is the time the fit was given.
        op = Op("x", "gemm", "decode", (16, 4096, 4096), 2 * 16 * 4096**2, "bf16", "bf16", "", 2 * 4096**2,
                2 * 16 * 4096, 2 * 16 * 4096)  # fmt: skip
        time = Kernels(chip("h100-sxm"), 1, 0).time(op)
        assert time.fixed_s + time.memory_s == pytest.approx(
            TRUE["t0_s"] + op.total_bytes / (TRUE["e_bw"] * 3.35e12), rel=0.02
        )
    assert laws.law("gemm.bf16", "h100-sxm", 1, 0).e_bw[0] == shipped


def test_a_folder_without_its_files_or_columns_is_a_users_mistake(tmp_path):
    with pytest.raises(MissingFile, match=r"gemm\.csv\.gz"):
        fit_folder(tmp_path, tmp_path / "out")
    (tmp_path / "gemm.csv.gz").write_bytes(gzip.compress(b"chip,m,n,k\nh100-sxm,1,2,3\n"))
    with pytest.raises(UserMistake, match="no column time_us"):
        fit_folder(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.golden
@pytest.mark.skipif(not KERNELS.is_dir(), reason="no measurements/kernels in STACKLINE_REFERENCE_DATA")
def test_a_fit_of_the_published_kernels_gives_the_shipped_constants():
    file, prepare = FAMILIES["gemm"]
    again = _fit_family(_read(KERNELS / f"{file}.csv.gz"), prepare, lambda _: None)
    shipped = tomllib.loads((laws.FOLDER / "gemm.toml").read_text())["laws"]
    assert set(again) == set(shipped)
    for name, by_chip in again.items():
        assert set(by_chip) == set(shipped[name]["chips"])
        for chip_id, fit in by_chip.items():
            for part in laws.PARTS:
                assert getattr(fit, part) == pytest.approx(shipped[name]["chips"][chip_id][part], rel=0.01)
        for part in laws.PARTS:
            assert prior(by_chip)[part] == pytest.approx(shipped[name]["prior"][part], rel=0.01)
