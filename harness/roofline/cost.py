"""What a chip-second costs: rent by price class, always named. Purchase and running cost come with `own`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.profiles import Chip
from harness.quantity import Cited
from harness.roofline.kernels import Kernels

# Where no class is asked for: the first that the profile has. The class is named beside every figure.
DEFAULT_ORDER = ("neocloud", "contract", "ondemand", "spot")


@dataclass(frozen=True)
class Price:
    """Rent of one chip."""

    price_class: str
    cited: Cited
    usd_per_s: np.ndarray  # [n]


def price(chip: Chip, wanted: str | None, kernels: Kernels) -> Price | None:
    """The rent of a class (or the first there is), None where the profile has none of it."""
    for price_class in (wanted,) if wanted else DEFAULT_ORDER:
        key = f"price.{price_class}"
        if chip.has(key):
            return Price(price_class, chip.get(key), kernels.draw(key))
    return None
