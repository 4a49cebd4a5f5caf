"""One row, term by term: where its time goes, what binds it, whose constants it has, and what would narrow it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.errors import NotPredictable, UserMistake
from harness.prediction.plans import sort
from harness.prediction.rows import read
from harness.roofline import constants as fitted
from harness.roofline import laws, links
from harness.roofline.blocks import Block
from harness.roofline.evaluate import Timed, spreads, timed
from harness.roofline.hardware import View
from harness.roofline.operate import Work, prepare, room


def explain(frame: pd.DataFrame, constants: fitted.Constants | None = None) -> pd.DataFrame:
    """The first row of a frame of `predict`'s inputs -> one line a term of its time a token and of its own prefill.

    Columns: phase, term, seconds (all layers of one step), share (of the step), bound (memory, compute, network,
    overhead), of_peak (share of the profile's bandwidth, peak or link that is reached, NaN for overhead), constants
    (measured: on this chip; prior: of other chips; fitted: on deployments).
    Raises NotPredictable with the row's reason.
    """
    constants = constants or fitted.load()
    plans = sort(read(frame.iloc[:1]), sorted(constants.left_out), constants.own_laws)
    if not plans.plans:
        raise NotPredictable(plans.reasons.text.values[0])
    plan = plans.plans[0]
    view, asked = plans.asked(plan.rows)
    held = room(plan.arch, plan.dtypes, plan.layout, view, asked)
    if held.sequences[0] < 1:
        raise NotPredictable("it does not fit in memory")
    work = prepare(plan.arch, plan.dtypes, plan.layout, plan.split, view, asked, held)
    return table_of(timed(work, asked, constants, named=True), work, constants, plan.dtypes.act)


def table_of(t: Timed, work: Work, constants: fitted.Constants, act_dtype: str) -> pd.DataFrame:
    """`explain`'s table of the first row of what was timed by operator.

    attrs: `unknowns` as `evaluate.spreads`; `token` as `parts_of_a_token`.
    """
    lines = []
    for phase, seconds, blocks in (("decode", t.decode, work.decode), ("prefill", t.alone, work.prefill)):
        ideal = _ideal(blocks, work.view, constants)
        for name, value in seconds.by_name.items():
            took = float(value[0])
            best, origin = ideal.get(name, (np.nan, "fitted"))
            lines.append((phase, name, took, took / float(seconds.total[0]), seconds.bounds[name],
                          np.nan if seconds.bounds[name] == "overhead" else min(best / took, 1.0), origin))  # fmt: skip
    columns = ["phase", "term", "seconds", "share", "bound", "of_peak", "constants"]
    table = pd.DataFrame(lines, columns=columns).sort_values(["phase", "seconds"], ascending=[True, False])
    table.attrs |= {"unknowns": spreads(t, work, constants, act_dtype), "token": parts_of_a_token(t)}
    return table.reset_index(drop=True)


def parts_of_a_token(t: Timed) -> dict[str, float]:
    """Of the first row, seconds of its time a token: `decode`, and `prefills` (a token) of `prefill`, less `saved`.

    `saved` is what one step for both takes less (`roofline.mixed`); decode + prefills x prefill - saved is the whole.
    """
    x, prefill = t.latency, float(t.batched.total[0])
    prefills, decode = float(x.prefills[0]), float(t.decode.total[0]) / t.accepted
    return {
        "decode": decode, "prefills": prefills, "prefill": prefill,
        "saved": prefills * prefill - float(x.prefilling[0]),
    }  # fmt: skip


def _ideal(blocks: list[Block], view: View, constants: fitted.Constants) -> dict[str, tuple[float, str]]:
    """By operator: seconds at the profile's full bandwidth or peak alone, and whose constants its class has."""
    out, chip_id = {}, view.hardware.chips[view.index[0]].id
    for block in blocks:
        law = {} if block.law == "small" else view.law(links.CLASS.get(block.law, block.law))
        shipped = chip_id in laws.tables().get(block.law, {}).get("chips", {}) and chip_id not in constants.left_out
        measured = shipped or block.law in constants.own_laws.get(chip_id, {})
        origin = "fitted" if block.law == "small" else "measured" if measured else "prior"
        # The blocks' times are at effective rates: an efficiency brings them back to the profile's.
        full = (
            block.memory[:, :1] * law.get("e_bw", np.ones(1))[:1],
            block.compute[:, :1] * law.get("e_fl", np.ones(1))[:1],
        )
        work = block.count * np.maximum(*full)
        for i, name in enumerate(block.names):
            out[name] = (out.get(name, (0.0, ""))[0] + float(work[i, 0]), origin)
    return out


def row_of(frame: pd.DataFrame, number: int) -> pd.DataFrame:
    """Row `number` (from 1) of a frame. Raises UserMistake past its end."""
    if not 1 <= number <= len(frame):
        raise UserMistake(f"row {number} of {len(frame)}")
    return frame.iloc[number - 1 : number]
