"""Problems of contest-math: each template draws a question and counts its answer out, case by case.

The counting is meant to be plain, every case looked at, so that question and answer can be read side by side. The tests
find the same answers by other ways: closed forms, recurrences, inclusion and exclusion.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, pairwise, permutations, product
from math import gcd, lcm

import numpy as np

Rng = np.random.Generator


@dataclass(frozen=True)
class Problem:
    """A question, its answer, and the first words of the answer where they are given."""

    question: str
    answer: int
    begun: str = ""


def between(rng: Rng, low: int, high: int) -> int:
    """A whole number from low to high, both included."""
    return int(rng.integers(low, high + 1))


def pick(rng: Rng, options):
    return options[int(rng.integers(len(options)))]


# ---- level 1: one step, the working begun ----
def add(rng: Rng) -> Problem:
    a, b = between(rng, 2, 20), between(rng, 2, 9)
    return Problem(f"What is {a} + {b}?", a + b, f"{a} + {b} =")


def _continued(start: int, step: int) -> Problem:
    shown = [start + k * step for k in range(4)]
    series = ", ".join(map(str, shown))
    return Problem(f"A pattern goes {series}. Which number comes next?", shown[-1] + step, f"{series},")


def count_on(rng: Rng) -> Problem:
    return _continued(between(rng, 1, 60), pick(rng, (1, 2)))


def fives_and_tens(rng: Rng) -> Problem:
    return _continued(5 * between(rng, 1, 12), pick(rng, (5, 10)))


def past_a_hundred(rng: Rng) -> Problem:
    return _continued(100 * between(rng, 1, 9), 1)


def tens(rng: Rng) -> Problem:
    a = between(rng, 2, 60)
    return Problem(f"What is 10 times {a}?", 10 * a, f"10 × {a} =")


def times(rng: Rng) -> Problem:
    a, b = between(rng, 2, 9), between(rng, 2, 9)
    return Problem(f"What is {a} times {b}?", a * b, f"{a} × {b} =")


def square(rng: Rng) -> Problem:
    a = between(rng, 2, 12)
    return Problem(f"What is the square of {a}?", a * a, f"{a} × {a} =")


# ---- level 2: one idea ----
def sum_to(rng: Rng) -> Problem:
    n = between(rng, 6, 40)
    return Problem(f"What is the sum of all whole numbers from 1 to {n}?", sum(range(1, n + 1)))


def remainder(rng: Rng) -> Problem:
    a, b, m = between(rng, 12, 60), between(rng, 12, 60), between(rng, 31, 97)
    return Problem(f"What is the remainder when {a} × {b} is divided by {m}?", a * b % m)


def common_divisor(rng: Rng) -> Problem:
    shared = between(rng, 6, 60)
    a, b = shared * between(rng, 2, 14), shared * between(rng, 2, 14)
    return Problem(
        f"What is the greatest whole number that divides both {a} and {b}?",
        max(d for d in range(1, min(a, b) + 1) if a % d == b % d == 0),
    )


def multiples(rng: Rng) -> Problem:
    k, n = between(rng, 3, 13), between(rng, 150, 900)
    return Problem(f"How many positive multiples of {k} are at most {n}?", sum(x % k == 0 for x in range(1, n + 1)))


def fence(rng: Rng) -> Problem:
    a, b = between(rng, 12, 150), between(rng, 12, 150)
    return Problem(
        f"A rectangular field is {a} m long and {b} m wide. How many metres is the way once around it?", 2 * (a + b)
    )


def common_multiple(rng: Rng) -> Problem:
    a, b = between(rng, 4, 30), between(rng, 4, 30)
    return Problem(
        f"What is the smallest positive number that is a multiple of both {a} and {b}?",
        next(x for x in range(1, a * b + 1) if x % a == x % b == 0),
    )


# ---- level 3: two ideas, counted ----
def either_multiple(rng: Rng) -> Problem:
    a, b = pick(rng, [(a, b) for a in range(3, 12) for b in range(a + 1, 14) if b % a])
    n = between(rng, 200, 999)
    return Problem(
        f"How many whole numbers from 1 to {n} are divisible by {a} or by {b} (or by both)?",
        sum(x % a == 0 or x % b == 0 for x in range(1, n + 1)),
    )


def last_digits(rng: Rng) -> Problem:
    a, b = between(rng, 3, 29), between(rng, 12, 60)
    power = 1
    for _ in range(b):
        power *= a
    return Problem(f"What is the remainder when {a}^{b} is divided by 1000?", power % 1000)


def rectangles(rng: Rng) -> Problem:
    rows, columns = between(rng, 2, 8), between(rng, 2, 8)
    count = sum(1 for _ in product(combinations(range(rows + 1), 2), combinations(range(columns + 1), 2)))
    return Problem(
        f"A grid has {rows} rows and {columns} columns of unit squares. How many rectangles, squares included, have "
        "their sides on the lines of the grid?",
        count,
    )


def two_remainders(rng: Rng) -> Problem:
    m, n = pick(rng, [(m, n) for m in range(7, 31) for n in range(m + 1, 33) if gcd(m, n) == 1])
    r, s = between(rng, 1, m - 1), between(rng, 1, n - 1)
    return Problem(
        f"What is the smallest positive whole number that leaves remainder {r} when divided by {m} and remainder {s} "
        f"when divided by {n}?",
        next(x for x in range(1, m * n + 1) if x % m == r and x % n == s),
    )


def digit_sum(rng: Rng) -> Problem:
    total, n = between(rng, 5, 17), between(rng, 600, 999)
    return Problem(
        f"How many whole numbers from 1 to {n} have digits that add up to {total}?",
        sum(sum(map(int, str(x))) == total for x in range(1, n + 1)),
    )


def committees(rng: Rng) -> Problem:
    people, chosen = between(rng, 6, 12), between(rng, 3, 5)
    count = sum(1 for group in combinations(range(people), chosen) if not {0, 1} <= set(group))
    return Problem(
        f"A club has {people} members. Two of them, Ada and Ben, refuse to serve together. How many committees of "
        f"{chosen} members can be formed?",
        count,
    )


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
    total, most = between(rng, 14, 40), between(rng, 8, 25)
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
    n = pick(rng, [x for x in range(60, 1000) if sum(x % d == 0 for d in range(1, x + 1)) >= 8])
    divisors = [d for d in range(1, n + 1) if n % d == 0]
    count = sum(lcm(a, b, c) == n for a, b, c in product(divisors, repeat=3)) if len(divisors) <= 16 else -1
    return Problem(
        f"How many ordered triples (a, b, c) of positive whole numbers have least common multiple {n}? Give the "
        "remainder when this number is divided by 1000.",
        count % 1000 if count >= 0 else -1,
    )


def necklaces(rng: Rng) -> Problem:
    beads, colours = pick(rng, [(4, 4), (4, 5), (5, 3), (5, 4), (6, 2), (6, 3), (7, 2), (7, 3), (8, 2), (9, 2), (4, 6)])
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
    n, stay = between(rng, 5, 7), between(rng, 0, 3)
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
    length, longest = between(rng, 6, 14), between(rng, 3, 5)
    counts = [1] + [0] * length  # ways to fill the first cells, and by the colour of the last tile
    ends: list[dict[int, int]] = [{} for _ in range(length + 1)]
    for cells in range(1, length + 1):
        for tile in range(1, min(longest, cells) + 1):
            ways = counts[cells - tile] - ends[cells - tile].get(tile, 0)  # not the same length twice in a row
            ends[cells][tile] = ways
        counts[cells] = sum(ends[cells].values())
    return Problem(
        f"A strip of {length} cells is covered from left to right with tiles that are 1 to {longest} cells long. No "
        "two neighbouring tiles have the same length. In how many ways can this be done? Give the remainder when this "
        "number is divided by 1000.",
        counts[length] % 1000,
    )


def square_divisible(rng: Rng) -> Problem:
    b, c, m = between(rng, 1, 12), between(rng, 1, 30), between(rng, 5, 60)
    n = between(rng, 500, 3000)
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


TEMPLATES: dict[int, tuple[Callable[[Rng], Problem], ...]] = {
    1: (add, count_on, fives_and_tens, past_a_hundred, tens, times, square),
    2: (sum_to, remainder, common_divisor, multiples, fence, common_multiple),
    3: (either_multiple, last_digits, rectangles, two_remainders, digit_sum, committees),
    4: (paths_around, bounded_sum, no_run, subset_sums, coprime_sum, digits_apart),
    5: (lcm_pairs, necklaces, restless, tilings, square_divisible, dice_sum),
}
