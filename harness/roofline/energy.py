"""Board power of a chip while serving; server share and PUE are apart (see cost.py for money).

power = TDP x utilisation, the utilisation a shared range over published measurements. Left out: the
dependence on what bounds the step, clocks, idle chips.
"""

from __future__ import annotations

import numpy as np

from harness.profiles import shared_value
from harness.roofline.kernels import Kernels


def board_power_w(kernels: Kernels) -> np.ndarray:
    """Draws of the board power of one chip, W [n]; never above the board's limit."""
    cited = shared_value("power.utilisation")
    kernels.used["power.utilisation"] = cited
    return kernels.draw("power.tdp") * np.minimum(cited.sample(kernels.n, kernels.seed), 1.0)
