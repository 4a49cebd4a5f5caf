"""What a chip costs by the hour: rent by price class, always named; the class decides as much as the chip does."""

from __future__ import annotations

from dataclasses import dataclass

from harness.profiles import Chip
from harness.quantity import Cited

# Where no class is asked for: the first that the profile has. The class is named beside every figure.
DEFAULT_ORDER = ("neocloud", "contract", "ondemand", "spot")


@dataclass(frozen=True)
class Price:
    """Rent of one chip, USD a second."""

    price_class: str
    cited: Cited


def price(chip: Chip, wanted: str | None = None) -> Price | None:
    """The rent of a class (or of the first the profile has). None where it has none of it; `own` is not modelled."""
    for price_class in (wanted,) if wanted else DEFAULT_ORDER:
        if chip.has(f"price.{price_class}"):
            return Price(price_class, chip.get(f"price.{price_class}"))
    return None
