"""Units as data: name -> (dimension, factor to SI). Parsed once, at the door; inside, all is SI floats.

Decimal and binary multiples differ by construction (GB is 1e9 bytes, GiB is 2**30), as do bits and bytes.
Operations and floating-point operations share a dimension: a profile's key says which dtype is meant.
Money keeps its currency in the dimension; an exchange rate is a dated, cited value and not a unit.
"""

from __future__ import annotations

_PREFIX = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
_BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
_HOUR_S = 3600.0


def _table() -> dict[str, tuple[str, float]]:
    units = {
        "1": ("ratio", 1.0),
        "%": ("ratio", 0.01),
        "count": ("count", 1.0),
        "s": ("time", 1.0),
        "ms": ("time", 1e-3),
        "us": ("time", 1e-6),
        "ns": ("time", 1e-9),
        "year": ("time", 365.25 * 24 * _HOUR_S),
        "W": ("power", 1.0),
        "kW": ("power", 1e3),
        "J": ("energy", 1.0),
        "kWh": ("energy", 3.6e6),
        "nm": ("length", 1e-9),
        "USD": ("usd", 1.0),
        "CNY": ("cny", 1.0),
        "USD/h": ("usd/time", 1 / _HOUR_S),
        "CNY/h": ("cny/time", 1 / _HOUR_S),
        "USD/kWh": ("usd/energy", 1 / 3.6e6),
        "CNY/kWh": ("cny/energy", 1 / 3.6e6),
        "USD/Mtoken": ("usd/token", 1e-6),
        "CNY/Mtoken": ("cny/token", 1e-6),
        "CNY/USD": ("cny/usd", 1.0),
        "1/s": ("1/time", 1.0),
        "parameters": ("count", 1.0),
        "token": ("count", 1.0),
    }
    for p, f in _PREFIX.items():
        units[f"{p}B"] = ("byte", f)
        units[f"{p}bit"] = ("byte", f / 8)
        units[f"{p}B/s"] = ("byte/time", f)
        units[f"{p}bit/s"] = ("byte/time", f / 8)
        units[f"{p}FLOP/s"] = ("op/time", f)
        units[f"{p}OP/s"] = ("op/time", f)
        units[f"{p}Hz"] = ("1/time", f)
    for p, f in _BINARY.items():
        units[f"{p}B"] = ("byte", f)
        units[f"{p}B/s"] = ("byte/time", f)
    return units


UNITS: dict[str, tuple[str, float]] = _table()

# How a dimension is shown to a person: (unit, digits are left to the caller).
DISPLAY = {
    "byte": "GB",
    "byte/time": "GB/s",
    "op/time": "TFLOP/s",
    "time": "ms",
    "power": "W",
    "usd/time": "USD/h",
    "cny/time": "CNY/h",
    "usd": "USD",
    "cny": "CNY",
    "usd/energy": "USD/kWh",
    "cny/energy": "CNY/kWh",
    "usd/token": "USD/Mtoken",
    "cny/usd": "CNY/USD",
    "ratio": "1",
    "count": "count",
    "length": "nm",
    "1/time": "GHz",
}


def to_si(value: float, unit: str) -> float:
    """`value` in `unit` as an SI float. Raises KeyError for an unknown unit."""
    return value * UNITS[unit][1]


def from_si(value: float, unit: str) -> float:
    """An SI float shown in `unit`. Raises KeyError for an unknown unit."""
    return value / UNITS[unit][1]


def dimension(unit: str) -> str:
    """The dimension of `unit`, such as "byte/time". Raises KeyError for an unknown unit."""
    return UNITS[unit][0]
