"""Board power of a chip while serving; server share and PUE are apart.

power = TDP x utilisation, the utilisation a shared range over published measurements. Left out: the
dependence on what bounds the step, clocks, idle chips.
"""

from __future__ import annotations

import numpy as np

from harness.profiles import Chip, shared_value
from harness.quantity import Cited


def board_power_w(chip: Chip, n: int, seed: int) -> tuple[np.ndarray, dict[str, Cited]]:
    """Draws of the board power of one chip, W [n], never above its limit; and the values it rests on."""
    limit, utilisation = chip.get("power.tdp"), shared_value("power.utilisation")
    draws = limit.sample(n, seed) * np.minimum(utilisation.sample(n, seed), 1.0)
    return draws, {"power.tdp": limit, "power.utilisation": utilisation}
