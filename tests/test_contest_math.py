"""The answers of contest-math, found again by other ways than counting: closed forms, recurrences, inclusion."""

from __future__ import annotations

import re
from functools import cache
from itertools import combinations
from math import comb, factorial, gcd, lcm, prod

import pytest

from harness.suites import suite

SEEDS = (0, 31, 32)  # the last two were not used while writing
ONE = suite("contest-math")


def figures(item) -> list[int]:
    """The whole numbers of a question, its fixed ones (a divisor of 1000, the sides of a die) included."""
    return [int(n) for n in re.findall(r"\d+", item.data["question"])]


def factors(n: int) -> dict[int, int]:
    return {p: k for p in range(2, n + 1) if all(p % d for d in range(2, p))
            for k in [max((e for e in range(1, 12) if n % p**e == 0), default=0)] if k}  # fmt: skip


def totient(n: int) -> int:
    return round(n * prod((p - 1) / p for p in factors(n)))


def tile_ways(length: int, longest: int) -> int:
    @cache
    def ways(left: int, last: int) -> int:
        return 1 if left == 0 else sum(ways(left - t, t) for t in range(1, min(left, longest) + 1) if t != last)

    return ways(length, 0)


def runless(length: int, run: int) -> int:
    counts = [2**k for k in range(run)]
    for _ in range(run, length + 1):
        counts.append(sum(counts[-run:]))
    return counts[length]


def crt(r: int, m: int, s: int, n: int) -> int:
    return (r * n * pow(n, -1, m) + s * m * pow(m, -1, n)) % (m * n)


def boxes(total: int, most: int) -> int:
    return sum((-1) ** k * comb(3, k) * comb(total - k * (most + 1) + 2, 2) for k in range(4)
               if total - k * (most + 1) >= 0)  # fmt: skip


def dice(item) -> int:
    count = {"Three": 3, "Four": 4, "Five": 5}[item.data["question"].split()[0]]
    total = figures(item)[0]
    ways = {0: 1}
    for _ in range(count):
        ways = {s: sum(ways.get(s - face, 0) for face in range(1, 7)) for s in range(count * 6 + 1)}
    distinct = sum(sum(chosen) == total for chosen in combinations(range(1, 7), count)) * factorial(count)
    good = ways[total] - distinct
    shared = gcd(good, 6**count)
    return (good // shared + 6**count // shared) % 1000


def digit_sums(total: int, most: int) -> int:
    """By the digits of numbers below 1000, less those past `most`, tens and units carried."""

    @cache
    def ways(digits: int, left: int) -> int:
        if digits == 0:
            return left == 0
        return sum(ways(digits - 1, left - d) for d in range(10) if d <= left)

    beyond = sum(x // 100 + x // 10 % 10 + x % 10 == total for x in range(most + 1, 1000))
    return ways(3, total) - beyond


def far_digits(first: int, gap: int) -> int:
    """Three digits after the first, by the digit that came last."""
    ends = {first // 1000: 1}
    for _ in range(3):
        ends = {d: sum(n for e, n in ends.items() if abs(d - e) >= gap) for d in range(10)}
    return sum(ends.values())


def divisible_subsets(n: int, m: int) -> int:
    ways = [1] + [0] * (m - 1)
    for k in range(1, n + 1):
        ways = [ways[r] + ways[(r - k) % m] for r in range(m)]
    return ways[0]


def rings(item) -> int:
    """Burnside's lemma over the rotations; a rotation with g cycles, each of one colour and beads / g beads."""
    question = item.data["question"]
    beads, colours = figures(item)[:2]
    least = {"any": 0, "at least one": 1, "at least two": 2}[re.search(r"red; (any|at least \w+)", question)[1]]
    fixed = 0
    for turn in range(beads):
        cycles = gcd(turn, beads)
        fixed += sum(comb(cycles, red) * (colours - 1) ** (cycles - red) for red in range(cycles + 1)
                     if red * beads // cycles >= least)  # fmt: skip
    return fixed // beads


def nowhere(n: int) -> int:
    """Orders of n with nothing in its place."""
    return round(sum((-1) ** k * factorial(n) / factorial(k) for k in range(n + 1)))


def seatings(item) -> int:
    """By who sits on the first chair: its own guest, or one of the others, who are all alike."""
    words = {"no guest": 0, "one guest": 1, "two guests": 2, "three guests": 3}
    stay = next(k for text, k in words.items() if text in item.data["question"].split("In how many")[1])
    n, after = figures(item)[1], figures(item)[5]
    own = comb(n - 1, stay - 1) * nowhere(n - stay) if stay else 0
    every = comb(n, stay) * nowhere(n - stay)
    return (own + (after - 2) * (every - own) // (n - 1)) % 1000


def square_roots(item) -> int:
    """By the residues that solve it, each taken as often as it comes up to n."""
    n = figures(item)[1]
    tail = re.search(r"is n\^2 \+ (\d*)n \+ (\d+) divisible by (\d+)", item.data["question"])
    b, c, m = int(tail[1] or 1), int(tail[2]), int(tail[3])
    return sum(n // m + (0 < r <= n % m) for r in range(m) if (r * r + b * r + c) % m == 0)


OTHER_WAYS = {
    "add": lambda f: f[0] + f[1],
    "count_on": lambda f: 2 * f[3] - f[2],
    "fives_and_tens": lambda f: 2 * f[3] - f[2],
    "past_a_hundred": lambda f: 2 * f[3] - f[2],
    "times": lambda f: f[0] * f[1],
    "square": lambda f: f[0] ** 2,
    "subtract": lambda f: f[0] - f[1],
    "twice": lambda f: f[0] + f[0],
    "half": lambda f: f[0] // 2,
    "weeks": lambda f: sum(7 for _ in range(f[0])),
    "sum_to": lambda f: f[1] * (f[1] + 1) // 2,
    "remainder": lambda f: f[0] % f[2] * (f[1] % f[2]) % f[2],
    "common_divisor": lambda f: gcd(*f),
    "multiples": lambda f: f[1] // f[0],
    "common_multiple": lambda f: lcm(*f),
    "either_multiple": lambda f: f[1] // f[2] + f[1] // f[3] - f[1] // lcm(f[2], f[3]),
    "last_digits": lambda f: pow(f[0], f[1], 1000),
    "rectangles": lambda f: comb(f[0] + 1, 2) * comb(f[1] + 1, 2),
    "two_remainders": lambda f: crt(*f),
    "committees": lambda f: comb(f[0], f[1]) - comb(f[0] - 2, f[1] - 2),
    "paths_around": lambda f: comb(f[2] + f[3], f[2])
    - comb(f[6] + f[7], f[6]) * comb(f[2] + f[3] - f[6] - f[7], f[2] - f[6]),
    "bounded_sum": lambda f: boxes(f[0], f[1]),
    "no_run": lambda f: runless(f[0], f[3]),
    "coprime_sum": lambda f: f[1] * totient(f[1]) // 2 % 1000,
    "lcm_pairs": lambda f: prod((e + 1) ** 3 - e**3 for e in factors(f[0]).values()) % 1000,
    "tilings": lambda f: tile_ways(f[0], f[2]) % 1000,
    "fence": lambda f: 2 * f[0] + 2 * f[1],
    "digit_sum": lambda f: digit_sums(f[2], f[1]),
    "subset_sums": lambda f: divisible_subsets(f[2], f[3]),
    "digits_apart": lambda f: far_digits(f[0], f[2]),
}  # fmt: skip
# Where the question's words matter too.
FROM_THE_QUESTION = {
    "dice_sum": dice, "necklaces": rings, "restless": seatings, "square_divisible": square_roots,
}  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_answers_are_found_again_by_another_way(seed):
    items = ONE.make(seed)
    for item in items:
        way = FROM_THE_QUESTION.get(item.group)
        found = way(item) if way else OTHER_WAYS[item.group](figures(item))
        assert int(item.answer) == found, item.data["question"]
    assert {item.group for item in items} == {*OTHER_WAYS, *FROM_THE_QUESTION}


def test_answers_are_whole_numbers_of_three_digits_at_most():
    assert all(0 <= int(item.answer) <= 999 for seed in SEEDS for item in ONE.make(seed))


def test_no_answer_comes_twice_in_a_level():
    for level in range(1, 6):
        answers = [item.answer for item in ONE.items(level=level)]
        assert len(set(answers)) == len(answers)


def test_the_named_answer_counts_not_the_working():
    item = next(i for i in ONE.items(level=2) if len(i.answer) == 2)
    right = (
        f" {item.answer}",
        f" 0{item.answer}",
        f"3 + 4 = {item.answer}",
        f"First 999.\nThe answer is {item.answer}.",
        f"So 12.\n\\boxed{{{item.answer}}}",
        f" {item.answer}\n\nAnother 5",
        f"Answer: {item.answer} apples, 7 left",
        f"First 12.\n**Answer:** {item.answer}",
    )
    assert [ONE.score(item, text) for text in right] == [1.0] * len(right)
    wrong = (f"999, then {item.answer}\nThe answer is 999", "the answer is x", f" 999\n{item.answer}")
    assert [ONE.score(item, text) for text in wrong] == [0.0] * len(wrong)
    assert ONE.grade(item, "no idea").outcome == "unparsed"


def test_a_begun_working_is_continued_by_its_answer():
    item = ONE.items(level=1)[0]
    assert item.prompt.endswith(item.data["begun"]) and item.data["begun"]
    assert ONE.score(item, f" {item.answer}") == ONE.score(item, f" {item.answer}, 999, 998") == 1.0
    assert ONE.score(item, f" 999, {item.answer}") == 0.0
    assert all(item.prompt.endswith("\nAnswer:") for item in ONE.items() if item.level > 1)
