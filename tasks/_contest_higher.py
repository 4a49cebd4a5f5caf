"""Problems of contest-math, levels 4 and 5, counted out like the easier ones."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import combinations, pairwise, permutations, product
from math import gcd, lcm

from harness.suites import beside

_drawing, _tools = beside(__file__, "_drawing"), beside(__file__, "_contest_tools")
Rng, between, pick = _drawing.Rng, _drawing.between, _drawing.pick
Problem, Template = _tools.Problem, _tools.Template


# ---- level 4: a technique ----
def paths_around(rng: Rng) -> Problem:
    width, height = between(rng, 4, 7), between(rng, 4, 6)
    x, y = between(rng, 1, width - 1), between(rng, 1, height - 1)
    count = 0
    for rights in combinations(range(width + height), width):
        at = [0, 0]
        for step in range(width + height):
            at[step not in rights] += 1
            if at == [x, y]:
                break
        else:
            count += 1
    return Problem(
        f"A robot walks from (0, 0) to ({width}, {height}). Each step goes 1 to the right or 1 up. How many ways are "
        f"there that never pass through the point ({x}, {y})?",
        count,
    )


def bounded_sum(rng: Rng) -> Problem:
    most = between(rng, 8, 25)
    total = between(rng, 14, min(40, 3 * most - 2))
    count = sum(0 <= total - a - b <= most for a, b in product(range(most + 1), repeat=2))
    return Problem(
        f"In how many ways can {total} identical coins be put into three boxes, red, green and blue, if no box takes "
        f"more than {most} coins? A box may stay empty.",
        count,
    )


def no_run(rng: Rng) -> Problem:
    length, run = between(rng, 7, 10), between(rng, 2, 4)
    count = sum("1" * run not in f"{bits:0{length}b}" for bits in range(2**length))
    return Problem(
        f"How many strings of {length} binary digits, each 0 or 1, do not contain {run} ones in a row?",
        count,
    )


def subset_sums(rng: Rng) -> Problem:
    n, m = between(rng, 8, 11), between(rng, 3, 7)
    count = 0
    for chosen in product((0, 1), repeat=n):
        count += sum(k * c for k, c in enumerate(chosen, 1)) % m == 0
    return Problem(
        f"How many subsets of {{1, 2, ..., {n}}}, the empty one included, have a sum that is divisible by {m}? (The "
        "empty sum is 0.)",
        count,
    )


def coprime_sum(rng: Rng) -> Problem:
    m = between(rng, 30, 90)
    total = sum(x for x in range(1, m + 1) if gcd(x, m) == 1)
    return Problem(
        f"Add up all whole numbers from 1 to {m} that have no common divisor with {m} except 1. What is the remainder "
        "when the sum is divided by 1000?",
        total % 1000,
    )


def digits_apart(rng: Rng) -> Problem:
    gap, n = between(rng, 2, 5), pick(rng, (1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000))
    count = sum(all(abs(int(p) - int(q)) >= gap for p, q in pairwise(s)) for s in map(str, range(n, n + 1000)))
    return Problem(
        f"How many whole numbers from {n} to {n + 999} have the property that any two neighbouring digits differ by "
        f"at least {gap}?",
        count,
    )


# ---- level 5: several ideas at once ----
def lcm_pairs(rng: Rng) -> Problem:
    n = pick(rng, _with_some_divisors())
    count = sum(lcm(a, b, c) == n for a, b, c in product(_divisors(n), repeat=3))
    return Problem(
        f"How many ordered triples (a, b, c) of positive whole numbers have least common multiple {n}? Give the "
        "remainder when this number is divided by 1000.",
        count % 1000,
    )


def _divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


@cache
def _with_some_divisors() -> list[int]:
    """Numbers with 8 to 16 divisors: enough for a count that is no guess, few enough to look at every triple."""
    return [n for n in range(60, 1000) if 8 <= len(_divisors(n)) <= 16]


def necklaces(rng: Rng) -> Problem:
    beads, colours = pick(rng, [(4, 6), (5, 4), (5, 5), (6, 3), (6, 4), (7, 3), (8, 2), (8, 3), (9, 2), (10, 2)])
    barred = between(rng, 0, 2)
    seen, count = set(), 0
    for ring in product(range(colours), repeat=beads):
        if ring in seen or ring.count(0) < barred:
            continue
        seen |= {ring[k:] + ring[:k] for k in range(beads)}
        count += 1
    least = ("any number of beads may be red", "at least one bead must be red", "at least two beads must be red")
    return Problem(
        f"A ring of {beads} equally spaced beads is coloured with {colours} colours, one of them red; {least[barred]}, "
        "and not every colour need be used. Rings that differ by a rotation count as one; reflections count as "
        "different. How many rings are there?",
        count,
    )


def restless(rng: Rng) -> Problem:
    n, stay = between(rng, 6, 8), between(rng, 0, 3)
    after = between(rng, 2, n)
    count = 0
    for seats in permutations(range(1, n + 1)):
        count += sum(k == s for k, s in enumerate(seats, 1)) == stay and seats[0] < after
    return Problem(
        f"Guests 1 to {n} sit down on chairs 1 to {n}, one on each. In how many ways {_STAYING[stay]} on the chair "
        f"with their own number, while chair 1 is taken by a guest with a number below {after}? Give the remainder "
        "when this number is divided by 1000.",
        count % 1000,
    )


_STAYING = (
    "does no guest sit",
    "does exactly one guest sit",
    "do exactly two guests sit",
    "do exactly three guests sit",
)


def tilings(rng: Rng) -> Problem:
    length, longest = between(rng, 11, 16), between(rng, 3, 5)
    count = sum(all(p != q for p, q in pairwise(tiles)) for tiles in _compositions(length, longest))
    return Problem(
        f"A strip of {length} cells is covered from left to right with tiles that are 1 to {longest} cells long. No "
        "two neighbouring tiles have the same length. In how many ways can this be done? Give the remainder when this "
        "number is divided by 1000.",
        count % 1000,
    )


def _compositions(total: int, most: int) -> Iterator[tuple[int, ...]]:
    """Every way to write `total` as a sum in order of numbers from 1 to `most`."""
    if total == 0:
        yield ()
    for first in range(1, min(most, total) + 1):
        for rest in _compositions(total - first, most):
            yield (first, *rest)


def square_divisible(rng: Rng) -> Problem:
    n, count = between(rng, 500, 3000), 0
    while not count:  # "none" is an answer that wants no work
        b, c, m = between(rng, 1, 12), between(rng, 1, 30), between(rng, 5, 60)
        count = sum((x * x + b * x + c) % m == 0 for x in range(1, n + 1))
    shown = "n" if b == 1 else f"{b}n"
    return Problem(
        f"For how many whole numbers n from 1 to {n} is n^2 + {shown} + {c} divisible by {m}?",
        count,
    )


def dice_sum(rng: Rng) -> Problem:
    dice, total = between(rng, 3, 5), between(rng, 8, 22)
    rolls = list(product(range(1, 7), repeat=dice))
    good = sum(sum(roll) == total and len(set(roll)) < dice for roll in rolls)
    shared = gcd(good, len(rolls))
    answer = (good + len(rolls)) // shared % 1000 if good else -1
    return Problem(
        f"{_DICE[dice]} fair dice are rolled. The probability that they add up to {total} and at least two of them "
        "show the same number is p/q in lowest terms. What is the remainder when p + q is divided by 1000?",
        answer,
    )


_DICE = {3: "Three", 4: "Four", 5: "Five"}


TEMPLATES: dict[int, tuple[Template, ...]] = {
    4: (paths_around, bounded_sum, no_run, subset_sums, coprime_sum, digits_apart),
    5: (lcm_pairs, necklaces, restless, tilings, square_divisible, dice_sum),
}
