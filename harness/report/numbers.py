"""How numbers are printed: three significant digits, an interval beside them, "—" for what is absent."""

from __future__ import annotations

import math

ABSENT = "—"
# Row units as a reader writes them; "1" is a share and is printed as per cent.
UNITS = {
    "token": "tokens", "token/s": "tok/s", "token/s/user": "tok/s/user", "token/s/chip": "tok/s/chip",
    "J/token": "J/token", "USD/Mtoken": "USD/M tokens", "bit/byte": "bits/byte", "1": "%",
}  # fmt: skip


def unit_name(unit: str) -> str:
    return UNITS.get(unit, unit)


def three_digits(value: float) -> str:
    """12345 -> "12,300"; 0.012345 -> "0.0123"; 0 -> "0"; beyond 1e-4 .. 1e7 with a power of ten."""
    if value == 0:
        return "0"
    size = abs(value)
    if not 1e-4 <= size < 1e7:
        digits, power = f"{value:.2e}".split("e")
        return f"{digits}e{int(power)}"
    rounded = float(f"{value:.3g}")
    decimals = max(0, 2 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{decimals}f}"


def shown(value: float | None, unit: str = "") -> str:
    """A value without its unit; a share (unit "1") as per cent."""
    if value is None:
        return ABSENT
    return f"{_per_cent(value)}\u00a0%" if unit == "1" else three_digits(value)


def interval(low: float | None, high: float | None, unit: str = "") -> str:
    """`29.1–39.6 %`, or "" without an interval; `-12.6 to 12.6 %` where a dash would be read as a sign.

    >>> interval(2.0, None)
    'from 2.00'
    """
    if low is None:
        return ""
    if high is None:
        return f"from {_per_cent(low)}\u00a0%" if unit == "1" else f"from {three_digits(low)}"
    to = " to " if low < 0 else "–"
    if unit == "1":
        return f"{_per_cent(low)}{to}{_per_cent(high)}\u00a0%"
    return f"{three_digits(low)}{to}{three_digits(high)}"


def _per_cent(share: float) -> str:
    """A share times 100; what only rounding errors keep from 0 is 0."""
    return three_digits(100 * round(share, 12))


def count_of(number: int, one: str, many: str = "") -> str:
    """`1 chip`, `12 chips`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def and_list(words: list[str], most: int = 99) -> str:
    """`a, b and c`; beyond `most`: `a, b and 3 more`."""
    if len(words) > most:
        words = [*words[:most], f"{len(words) - most} more"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else "none"
