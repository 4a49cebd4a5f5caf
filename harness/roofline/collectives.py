"""Time of a collective over the chips of a tensor-parallel group, alpha-beta.

All-reduce: t0 + 2 (p - 1) / p * bytes / (e * link), the ring's bytes (Thakur, Rabenseifner and Gropp 2005,
IJHPCA 19:1), t0 and e fitted on measured all-reduces of 2 to 8 chips. All-gather moves half of that, once.
A group wider than the scale-up domain runs at the slower network's speed.
Left out: in-network reduction (its gain is inside the fitted e where it was measured), overlap with compute.
"""

from __future__ import annotations

import numpy as np

from harness.roofline import laws
from harness.roofline.kernels import Kernels, KernelTime
from harness.trace import Op


def collective_time(kernels: Kernels, op: Op) -> KernelTime:
    """Draws of one collective's time. Raises NotPredictable where the profile has no link to run it on."""
    size, chips = op.shape
    law = laws.law("all_reduce", kernels.chip.id, kernels.n, kernels.seed)
    domain = kernels.draw("scaleup.domain") if kernels.chip.has("scaleup.domain") else np.full(kernels.n, chips)
    link = kernels.draw("scaleup.bandwidth")
    # Drawn only where some draw leaves the domain: a value that decides nothing lends its kind to nothing.
    if np.any(chips > domain) and kernels.chip.has("scaleout.bandwidth"):
        link = np.where(chips <= domain, link, np.minimum(link, kernels.draw("scaleout.bandwidth")))
    passes = 2 if op.kind == "all_reduce" else 1
    floor_s = passes * (chips - 1) / chips * size / link
    # One more hop a doubling beyond the eight chips that were measured.
    fixed = law.t0_s * (1 + max(0.0, float(np.log2(chips / 8))))
    return KernelTime(floor_s / law.e_bw, np.zeros(kernels.n), fixed, floor_s)
