"""A distribution by its quantiles: log x runs straight in the normal score between the ones that are stated.

Two quantiles make a log-normal; a third above them gives it the heavy tail that traces have; one alone is a constant.
Beyond the outermost quantiles the line runs on, up to `max`. So a file's figures are met exactly, and nothing has to be
fitted but what is written. What it leaves out: any shape finer than the stated quantiles.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from harness.errors import BadFile
from harness.profile_types import Profile
from harness.quantity import normal_cdf, normal_ppf

_QUANTILE = re.compile(r"p(\d{2,4})\Z")
_P90 = 0.9
_TIES = ("rises_with_calls", "falls_with_calls", "session_share")  # how draws hang together, not a distribution


@dataclass(frozen=True)
class Curve:
    """Quantiles of a positive quantity, SI: normal scores `z` ascending, `logs` of the values there."""

    z: np.ndarray
    logs: np.ndarray
    most: float = np.inf

    def at(self, z: np.ndarray) -> np.ndarray:
        """The values at normal scores, of any shape."""
        if len(self.z) == 1:
            return np.full(np.shape(z), np.exp(self.logs[0]))
        rise = np.diff(self.logs) / np.diff(self.z)
        logs = np.interp(z, self.z, self.logs)
        logs += rise[0] * np.minimum(z - self.z[0], 0.0) + rise[-1] * np.maximum(z - self.z[-1], 0.0)
        return np.minimum(np.exp(logs), self.most)

    def draw_tied(self, rng: np.random.Generator, effect: np.ndarray, share: float) -> np.ndarray:
        """One draw for each of `effect`, normal scores that are `share` of the variance of the draws' own."""
        return self.at(np.sqrt(share) * effect + np.sqrt(1 - share) * rng.standard_normal(len(effect)))

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """n draws, [n] float64."""
        return self.at(rng.standard_normal(n))

    def draw_above(self, rng: np.random.Generator, least: np.ndarray) -> np.ndarray:
        """One draw for each of `least`, from the part of the distribution above it; `most` where there is none."""
        if len(self.z) == 1:
            return np.where(np.exp(self.logs[0]) > least, np.exp(self.logs[0]), self.most)
        share = self.share_below(least)
        u = share + (1 - share) * rng.random(len(least))
        drawn = self.at(normal_ppf(u))
        return np.where(drawn > least, drawn, self.most)

    def share_below(self, values: np.ndarray) -> np.ndarray:
        """The share of the distribution below each of some values (of two quantiles or more), `max` apart."""
        if len(self.z) == 1:
            return (np.exp(self.logs[0]) <= values).astype(np.float64)
        return normal_cdf(self._score(np.log(values)))

    def mean(self) -> float:
        """The mean, by 10,000 evenly spaced quantiles (the last one hundredth of a percent of the tail is left out)."""
        return float(self.at(normal_ppf((np.arange(10_000) + 0.5) / 10_000)).mean())

    def _score(self, logs: np.ndarray) -> np.ndarray:
        """The normal score of values; the inverse of `at`."""
        below = np.maximum(np.diff(self.logs) / np.diff(self.z), 1e-12)  # a flat stretch has no inverse: its middle
        z = np.interp(logs, self.logs, self.z)
        down, up = np.minimum(logs - self.logs[0], 0.0), np.maximum(logs - self.logs[-1], 0.0)
        return np.clip(z + down / below[0] + up / below[-1], -8.0, 8.0)


def share_of(name: str) -> float | None:
    """The share that a quantile's name says: p50 -> 0.5, p999 -> 0.999; None for another name."""
    found = _QUANTILE.match(name)
    return float(f"0.{found[1]}") if found else None


def curve(profile: Profile, name: str) -> Curve | None:
    """The distribution that a workload's file gives under `name`; None where it gives none.

    Raises BadFile for a name that is no quantile, and for quantiles that fall.
    """
    given = {key.removeprefix(f"{name}."): profile.get(key) for key in profile.values if key.startswith(f"{name}.")}
    given = {key: cited.point for key, cited in given.items() if key not in _TIES}
    if not given:
        return None
    points = {share: value for key, value in given.items() if (share := share_of(key)) is not None and share > 0}
    for key in given:
        if key not in ("max", "mean") and share_of(key) not in points:
            raise BadFile(profile.path, f"{name}.{key}", key, "a quantile p01 .. p9999, max or mean")
    if "mean" in given:
        points |= _with_mean(profile, name, points, given["mean"])
    if not points:
        raise BadFile(profile.path, name, ", ".join(given), "a quantile such as p50")
    shares = sorted(points)
    logs = np.log([points[share] for share in shares])
    most = given.get("max", np.inf)
    if np.any(np.diff(logs) < 0) or most < points[shares[-1]]:
        raise BadFile(profile.path, name, [points[s] for s in shares], "quantiles that rise, none above max")
    return Curve(normal_ppf(np.array(shares)), logs, most)


def _with_mean(profile: Profile, name: str, points: dict[float, float], mean: float) -> dict[float, float]:
    """The p90 of a log-normal by its median and mean: sigma^2 = 2 ln(mean / median)."""
    if set(points) != {0.5} or mean <= points[0.5]:
        raise BadFile(profile.path, f"{name}.mean", mean, "p50 below it and no other quantile")
    sigma = np.sqrt(2 * np.log(mean / points[0.5]))
    return {_P90: points[0.5] * float(np.exp(sigma * normal_ppf(np.array([_P90]))[0]))}
