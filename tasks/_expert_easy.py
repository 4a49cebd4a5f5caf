"""Problems of expert-exact, levels 1 to 3: {level: templates}. Answers are looked up, counted or searched for.

The tests find the same answers by other ways: second tables, closed forms, other searches.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count, product

from harness.suites import beside

_tools = beside(__file__, "_expert_tools")
Rng, Problem, Template = _tools.Rng, _tools.Problem, _tools.Template
DAYS, MONTHS, WORDS = _tools.DAYS, _tools.MONTHS, _tools.WORDS
between, pick, some = _tools.between, _tools.pick, _tools.some

CAPITALS = {
    "France": "Paris", "Germany": "Berlin", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo", "China": "Beijing",
    "Russia": "Moscow", "Egypt": "Cairo", "Greece": "Athens", "Austria": "Vienna", "Portugal": "Lisbon",
    "Ireland": "Dublin", "Cuba": "Havana", "Poland": "Warsaw", "England": "London", "Norway": "Oslo",
}  # fmt: skip
SYMBOLS = {
    "hydrogen": "H", "oxygen": "O", "carbon": "C", "nitrogen": "N", "helium": "He", "calcium": "Ca", "gold": "Au",
    "iron": "Fe", "silver": "Ag", "copper": "Cu", "zinc": "Zn", "sodium": "Na", "neon": "Ne", "aluminum": "Al",
}  # fmt: skip
# Pairs of which each has the other as its only plain opposite; and words of which only the first of a pair does: that
# of "right" may be "wrong", of "old" "new", of "small" "large".
OPPOSITES = (
    ("hot", "cold"), ("up", "down"), ("black", "white"), ("full", "empty"), ("wet", "dry"), ("strong", "weak"),
    ("north", "south"), ("day", "night"), ("true", "false"), ("east", "west"),
)  # fmt: skip
ONE_WAY = (("young", "old"), ("left", "right"), ("rich", "poor"), ("win", "lose"))
LANGUAGES = {
    "Germany": "German", "France": "French", "Japan": "Japanese", "Italy": "Italian", "Russia": "Russian",
    "Poland": "Polish", "Sweden": "Swedish", "Greece": "Greek", "Turkey": "Turkish", "Spain": "Spanish",
    "Portugal": "Portuguese", "Denmark": "Danish",
}  # fmt: skip
PLURALS = {
    "mouse": "mice", "tooth": "teeth", "foot": "feet", "goose": "geese", "child": "children", "knife": "knives",
    "city": "cities", "leaf": "leaves", "wolf": "wolves", "baby": "babies",
}  # fmt: skip
# Charge and formula; the atoms of a group are counted from its elements.
CATIONS = {"Na": (1, 1), "Mg": (2, 1), "Al": (3, 1), "Ca": (2, 1), "Fe": (3, 1), "NH4": (1, 5)}
ANIONS = {"SO4": (2, 5), "NO3": (1, 4), "PO4": (3, 5), "CO3": (2, 4), "OH": (1, 2), "CrO4": (2, 5), "HCO3": (1, 5)}


# ---- level 1: known or continued at once ----
def capital(rng: Rng) -> Problem:
    country = pick(rng, list(CAPITALS))
    return Problem(f"What is the capital of {country}?", CAPITALS[country], "geography")


def symbol(rng: Rng) -> Problem:
    element = pick(rng, list(SYMBOLS))
    return Problem(f"What is the chemical symbol of {element}?", SYMBOLS[element], "chemistry")


def next_month(rng: Rng) -> Problem:
    k = between(rng, 0, 10)
    return Problem(f"Which month comes right after {MONTHS[k]}?", MONTHS[k + 1], "calendar")


def opposite(rng: Rng) -> Problem:
    word, other = pick(rng, (*OPPOSITES, *((b, a) for a, b in OPPOSITES), *ONE_WAY))
    return Problem(f"What is the opposite of “{word}”?", other, "language")


def language(rng: Rng) -> Problem:
    country = pick(rng, list(LANGUAGES))
    return Problem(f"What is the main language of {country}?", LANGUAGES[country], "geography")


def plural(rng: Rng) -> Problem:
    word = pick(rng, list(PLURALS))
    return Problem(f"What is the plural of “{word}”?", PLURALS[word], "language")


# ---- level 2: one rule ----
def backwards(rng: Rng) -> Problem:
    word = pick(rng, WORDS)
    return Problem(f"Which word do the letters of “{word}” give, written backwards?", word[::-1], "language")


def weekday(rng: Rng) -> Problem:
    day = date(between(rng, 1901, 2099), 1, 1) + timedelta(between(rng, 0, 364))
    return Problem(
        f"On which day of the week does {day.day} {MONTHS[day.month - 1]} {day.year} fall (Gregorian calendar)?",
        DAYS[day.weekday()], "calendar",
    )  # fmt: skip


def atoms(rng: Rng) -> Problem:
    cation, anion = pick(rng, list(CATIONS)), pick(rng, list(ANIONS))
    (plus, of_cation), (minus, of_anion) = CATIONS[cation], ANIONS[anion]
    p, m = next((p, m) for p, m in product((1, 2, 3), repeat=2) if p * plus == m * minus)  # the smallest neutral unit
    formula = "".join(
        ion if n == 1 else f"{ion}{n}" if ion in ("Na", "Mg", "Al", "Ca", "Fe") else f"({ion}){n}"
        for ion, n in ((cation, p), (anion, m))
    )
    total = p * of_cation + m * of_anion
    return Problem(f"How many atoms does one formula unit of {formula} contain?", str(total), "chemistry")


def shifted(rng: Rng) -> Problem:
    word, k = pick(rng, WORDS), between(rng, 1, 5)
    turned = "".join(chr((ord(c) - 97 + k) % 26 + 97) for c in word)
    return Problem(
        f"Each letter of “{word}” is replaced by the letter {k} {'place' if k == 1 else 'places'} later in the "
        "alphabet; after z comes a. What does the word become?", turned, "language",
    )  # fmt: skip


def loop_sum(rng: Rng) -> Problem:
    a, b, c, m = between(rng, 1, 6), between(rng, 9, 14), pick(rng, (2, 3, 4, 6, 8, 9)), pick(rng, (5, 7, 11))
    program = f"total = 0\nfor i in range({a}, {b}):\n    total += i * {c} % {m}\nprint(total)"
    total = sum((i * c) % m for i in range(a, b))
    return Problem(f"What does this Python program print?\n{program}", str(total), "computing")


def binary(rng: Rng) -> Problem:
    n = between(rng, 17, 250)
    return Problem(f"How is the number {n} written in base 2? Digits only.", f"{n:b}", "mathematics")


# ---- level 3: a short search or two rules ----
def element_order(rng: Rng) -> Problem:
    n, m = between(rng, 6, 40), between(rng, 6, 40)
    a, b = between(rng, 1, n - 1), between(rng, 1, m - 1)
    order = next(k for k in count(1) if k * a % n == k * b % m == 0)
    question = f"What is the order of the element ({a}, {b}) in the group Z/{n} × Z/{m}?"
    return Problem(question, str(order), "mathematics")


LEAPS = [(x, y) for x, y in product((-2, -1, 1, 2), repeat=2) if abs(x) != abs(y)]


def square_name(square: tuple[int, int]) -> str:
    return "abcdefgh"[square[0]] + str(square[1] + 1)


def leaps_from(square: tuple[int, int]) -> list[tuple[int, int]]:
    """Squares of the 8 × 8 board a knight's move away."""
    return [(square[0] + x, square[1] + y) for x, y in LEAPS if 0 <= square[0] + x < 8 and 0 <= square[1] + y < 8]


def knight_reach(rng: Rng) -> Problem:
    start, moves = (between(rng, 0, 7), between(rng, 0, 7)), between(rng, 2, 3)
    reached, edge = {start}, {start}
    for _ in range(moves):
        edge = {to for square in edge for to in leaps_from(square)} - reached
        reached |= edge
    return Problem(
        f"A knight stands on {square_name(start)} of an empty chessboard. How many squares can it reach in at most "
        f"{moves} moves, its own square not counted?", str(len(reached) - 1), "games",
    )  # fmt: skip


_ENDINGS = ("ki", "ra", "so", "ne", "lu", "ti", "mo", "va")
_ROOTS = ("tamo", "lupe", "daku", "sire", "gono", "bela", "zuri", "fonu")
_NOUNS = ("house", "tree", "river", "bird", "hill", "boat", "road", "wolf")
_CASES = ("to", "from", "behind", "with")


def morphology(rng: Rng) -> Problem:
    """Examples that show the plural's and two cases' endings and their order; the form asked for is none of them."""
    (plural, one, two), roots, nouns = some(rng, _ENDINGS, 3), some(rng, _ROOTS, 3), some(rng, _NOUNS, 3)
    (first, second), inside = some(rng, _CASES, 2), bool(rng.integers(2))
    several = (lambda root, case: root + plural + case) if inside else (lambda root, case: root + case + plural)
    shown = {
        roots[0] + one: f"{first} the {nouns[0]}",
        several(roots[1], one): f"{first} the {_plural(nouns[1])}",
        roots[1] + two: f"{second} the {nouns[1]}",
        roots[2] + plural: _plural(nouns[2]),
    }
    lines = "; ".join(f"“{word}” means “{meaning}”" for word, meaning in shown.items())
    return Problem(
        f"In an invented language {lines}. Which one word means “{second} the {_plural(nouns[0])}”?",
        several(roots[0], two), "linguistics",
    )  # fmt: skip


def _plural(noun: str) -> str:
    return "wolves" if noun == "wolf" else f"{noun}s"


def julian_date(rng: Rng) -> Problem:
    year, month = between(rng, 1600, 1899), between(rng, 1, 12)
    day = between(rng, 1, 28)
    lengths = [31, 29 if year % 4 == 0 else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    # 5 October 1582 of the Julian calendar was 15 October 1582 of the Gregorian: whole years and days are counted on
    # from 1 January 1582, 277 days before it.
    since = sum(366 if y % 4 == 0 else 365 for y in range(1582, year)) + sum(lengths[: month - 1]) + day - 1
    new = date(1582, 10, 15) + timedelta(since - 277)
    return Problem(
        f"Which date of the Gregorian calendar is {day} {MONTHS[month - 1]} {year} of the Julian calendar? Write it as "
        "YYYY-MM-DD.", new.isoformat(), "calendar",
    )  # fmt: skip


def shortest_word(rng: Rng) -> Problem:
    """Breadth first over states, a before b: the first word found is the shortest, then the first by alphabet."""
    while True:
        table = rng.integers(0, 6, size=(6, 2)).tolist()
        words, queue = {0: ""}, [0]
        for state in queue:
            for letter, to in zip("ab", table[state], strict=True):
                if to not in words:
                    words[to] = words[state] + letter
                    queue.append(to)
        goal = max(words, key=lambda state: len(words[state]))
        if len(words[goal]) >= 3:
            break
    told = "; ".join(f"in state {k}, a leads to {x} and b to {y}" for k, (x, y) in enumerate(table))
    return Problem(
        f"An automaton starts in state 0 and accepts in state {goal} only: {told}. What is its shortest accepted word, "
        "the first in alphabetical order if there are several?", words[goal], "computing",
    )  # fmt: skip


def oxygen(rng: Rng) -> Problem:
    carbon, held = between(rng, 2, 13), between(rng, 0, 2)
    hydrogen = 2 * between(rng, 2, carbon + 1)
    # k molecules of fuel, the fewest that leave whole molecules of water and of oxygen.
    oxygens = next(
        left // 2
        for k in range(1, 5)
        if k * hydrogen % 2 == 0 and (left := 2 * k * carbon + k * hydrogen // 2 - k * held) % 2 == 0
    )
    fuel = f"C{carbon}H{hydrogen}" + ("", "O", "O2")[held]
    return Problem(
        f"{fuel} burns completely: {fuel} + O2 → CO2 + H2O. What is the coefficient of O2 when the equation is "
        "balanced with the smallest whole numbers?", str(oxygens), "chemistry",
    )  # fmt: skip


_SPEAKERS = "ABCDE"


def truth_tellers(rng: Rng) -> Problem:
    """Statements drawn until only one of the 32 cases fits them, with two or three who tell the truth."""
    while True:
        said = [_statement(rng, speaker) for speaker in range(5)]
        fits = [c for c in product((False, True), repeat=5) if all(told(c) == c[k] for k, (_, told) in enumerate(said))]
        if len(fits) == 1 and 1 < sum(fits[0]) < 5:
            break
    lines = " ".join(f"{_SPEAKERS[k]} says: “{text}”" for k, (text, _) in enumerate(said))
    return Problem(
        f"Each of A, B, C, D and E either always tells the truth or always lies. {lines} Who tells the truth? Write "
        "their letters in alphabetical order without spaces.",
        "".join(_SPEAKERS[k] for k in range(5) if fits[0][k]), "logic",
    )  # fmt: skip


def _statement(rng: Rng, speaker: int):
    """What one of the five says, and the test of it in a case [5] of who tells the truth."""
    x, y = sorted(some(rng, [k for k in range(5) if k != speaker], 2))
    n = between(rng, 1, 4)
    return pick(rng, [
        (f"{_SPEAKERS[x]} lies.", lambda c: not c[x]),
        (f"{_SPEAKERS[x]} and {_SPEAKERS[y]} are of the same kind.", lambda c: c[x] == c[y]),
        (f"{_SPEAKERS[x]} or {_SPEAKERS[y]} or both tell the truth.", lambda c: c[x] or c[y]),
        (f"Exactly {n} of us {'tells' if n == 1 else 'tell'} the truth.", lambda c: sum(c) == n),
    ])  # fmt: skip


TEMPLATES: dict[int, tuple[Template, ...]] = {
    1: (capital, symbol, next_month, opposite, language, plural),
    2: (backwards, weekday, atoms, shifted, loop_sum, binary),
    3: (element_order, knight_reach, morphology, julian_date, shortest_word, oxygen, truth_tellers),
}
