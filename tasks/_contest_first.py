"""Problems of contest-math, levels 1 to 3: each template draws a question and counts its answer out, case by case.

The counting is meant to be plain, every case looked at, so that question and answer can be read side by side. The tests
find the same answers by other ways: closed forms, recurrences, inclusion and exclusion.
"""

from __future__ import annotations

from itertools import combinations, product
from math import gcd

from harness.suites import beside

_drawing, _tools = beside(__file__, "_drawing"), beside(__file__, "_contest_tools")
Rng, between, pick = _drawing.Rng, _drawing.between, _drawing.pick
Problem, Template = _tools.Problem, _tools.Template


# ---- level 1: one step, the working begun ----
# Of ten templates no two are done by one rule, and no step of a series is usual: a blind rule wins few of them.
def add(rng: Rng) -> Problem:
    a, b = between(rng, 2, 20), between(rng, 2, 9)
    return Problem(f"What is {a} + {b}?", a + b, f"{a} + {b} =")


def subtract(rng: Rng) -> Problem:
    a, b = between(rng, 8, 19), between(rng, 2, 5)
    return Problem(f"What is {a} - {b}?", a - b, f"{a} - {b} =")


def _continued(start: int, step: int) -> Problem:
    shown = [start + k * step for k in range(4)]
    series = ", ".join(map(str, shown))
    return Problem(f"A pattern goes {series}. Which number comes next?", shown[-1] + step, f"{series},")


def count_on(rng: Rng) -> Problem:
    return _continued(between(rng, 1, 60), pick(rng, (1, 2, 3, 4)))


def fives_and_tens(rng: Rng) -> Problem:
    step = pick(rng, (5, 10, 20, 25, 50))
    return _continued(step * between(rng, 1, 10), step)


def past_a_hundred(rng: Rng) -> Problem:
    return _continued(100 * between(rng, 1, 9), pick(rng, (1, 2, 5, 10, 20)))


def twice(rng: Rng) -> Problem:
    a = between(rng, 6, 60)
    return Problem(f"What is twice {a}?", 2 * a, f"2 × {a} =")


def half(rng: Rng) -> Problem:
    a = between(rng, 3, 20)
    return Problem(f"What is half of {2 * a}?", a, f"{2 * a} / 2 =")


def weeks(rng: Rng) -> Problem:
    a = between(rng, 2, 10)
    return Problem(f"How many days are there in {a} weeks?", 7 * a, f"{a} × 7 =")


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
    return Problem(f"A rectangular field is {a} m long and {b} m wide. What is its perimeter in metres?", 2 * (a + b))


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


TEMPLATES: dict[int, tuple[Template, ...]] = {
    1: (count_on, fives_and_tens, past_a_hundred, add, subtract, times, square, twice, half, weeks),
    2: (sum_to, remainder, common_divisor, multiples, fence, common_multiple),
    3: (either_multiple, last_digits, rectangles, two_remainders, digit_sum, committees),
}
