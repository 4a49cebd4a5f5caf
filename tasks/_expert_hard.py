"""Problems of expert-exact, levels 4 and 5: {level: templates}. Every answer comes from looking at all the cases.

The tests find the same answers by other ways: determinants, recurrences, matrix powers, convolutions.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import combinations, permutations, product
from math import sqrt

from harness.suites import beside

_tools, _easy = beside(__file__, "_expert_tools"), beside(__file__, "_expert_easy")
Rng, Problem, Template = _tools.Rng, _tools.Problem, _tools.Template
between, pick, some = _tools.between, _tools.pick, _tools.some

Edge = tuple[int, int]


# ---- level 4: a search by hand ----
def spanning_trees(rng: Rng) -> Problem:
    n, edges = 6, _graph(rng, 6, between(rng, 8, 10))
    trees = sum(_connected(n, chosen) for chosen in combinations(edges, n - 1))
    return Problem(
        f"A graph has the vertices 1 to {n} and the edges {_edge_list(edges)}. How many spanning trees does it have?",
        str(trees), "mathematics",
    )  # fmt: skip


def _graph(rng: Rng, n: int, size: int) -> list[Edge]:
    """A connected graph on 1..n with `size` edges."""
    while True:
        edges = sorted(some(rng, list(combinations(range(1, n + 1), 2)), size))
        if _connected(n, edges):
            return edges


def _connected(n: int, edges) -> bool:
    reached, grown = {1}, True
    while grown:
        more = {v for e in edges for v in e if reached & set(e)}
        grown = not more <= reached
        reached |= more
    return len(reached) == n


def _edge_list(edges: list[Edge]) -> str:
    return ", ".join(f"{a}-{b}" for a, b in edges)


def matrix_order(rng: Rng) -> Problem:
    p = pick(rng, (5, 7, 11, 13))
    while True:
        a, b, c, d = rng.integers(0, p, size=4).tolist()
        if (a * d - b * c) % p and b and c:
            break
    one = (1, 0, 0, 1)
    power, k = (a, b, c, d), 1
    while power != one:
        w, x, y, z = power
        power, k = ((w * a + x * c) % p, (w * b + x * d) % p, (y * a + z * c) % p, (y * b + z * d) % p), k + 1
    return Problem(
        f"What is the smallest k ≥ 1 for which the k-th power of the matrix [[{a}, {b}], [{c}, {d}]] is the identity "
        f"matrix modulo {p}?", str(k), "mathematics",
    )  # fmt: skip


def cryptarithm(rng: Rng) -> Problem:
    x, y = pick(rng, _unique_products())
    names = dict(zip(dict.fromkeys(f"{x}{y}{x * y}"), some(rng, "ABCDEFGHJKLMNPRSTUVWXYZ", 10), strict=False))
    first, second, result = ("".join(names[c] for c in str(n)) for n in (x, y, x * y))
    return Problem(
        f"Different letters stand for different digits, no number begins with 0, and {first} × {second} = {result}. "
        f"Which number is {result}?", str(x * y), "mathematics",
    )  # fmt: skip


@cache
def _unique_products() -> list[tuple[int, int]]:
    """Two-digit factors whose product's pattern of equal digits no other factors show."""
    pairs = [(x, y) for x in range(10, 100) for y in range(10, 100)]
    patterns = {pair: _pattern(f"{pair[0]}{pair[1]}/{pair[0] * pair[1]}") for pair in pairs}
    seen = Counter(patterns.values())
    return [pair for pair in pairs if seen[patterns[pair]] == 1]


def _pattern(text: str) -> tuple[int, ...]:
    return tuple(text.index(c) for c in text)


def arrangement(rng: Rng) -> Problem:
    """True clues about a drawn order are added until no other order fits."""
    order = "".join(some(rng, "ABCDEF", 6))
    clues: list[str] = []
    left = ["".join(p) for p in permutations("ABCDEF")]
    while len(left) > 1:
        clue, fits = _clue(rng)
        kept = [p for p in left if fits(p)]
        if fits(order) and len(kept) < len(left):
            clues.append(clue)
            left = kept
    return Problem(
        f"A, B, C, D, E and F stand in a row. {' '.join(clues)} In which order do they stand, from left to right? "
        "Write six letters without spaces.", order, "logic",
    )  # fmt: skip


def _clue(rng: Rng):
    """A sentence about two of the six, and the test of it in an order."""
    x, y = some(rng, "ABCDEF", 2)
    gap = between(rng, 1, 3)
    return pick(rng, [
        (f"{x} stands somewhere to the left of {y}.", lambda p: p.index(x) < p.index(y)),
        (f"{x} stands next to {y}.", lambda p: abs(p.index(x) - p.index(y)) == 1),
        (f"{x} does not stand next to {y}.", lambda p: abs(p.index(x) - p.index(y)) != 1),
        (f"{x} stands at neither end.", lambda p: p.index(x) not in (0, 5)),
        (f"Exactly {gap} {'stands' if gap == 1 else 'stand'} between {x} and {y}.",
         lambda p: abs(p.index(x) - p.index(y)) == gap + 1),
    ])  # fmt: skip


def avoiding_words(rng: Rng) -> Problem:
    length, banned = between(rng, 8, 11), "".join(pick(rng, "ab") for _ in range(between(rng, 3, 4)))
    found = sum(banned not in "".join(word) for word in product("ab", repeat=length))
    question = f"How many words of {length} letters, each a or b, do not contain the block {banned}?"
    return Problem(question, str(found), "mathematics")


def meeting_days(rng: Rng) -> Problem:
    """Kepler's third law twice, then the time in which the inner planet gains one round."""
    while True:
        mass, inner = between(rng, 5, 20) / 10, between(rng, 4, 12) / 10
        outer = inner + between(rng, 3, 20) / 10
        slow, fast = (365.25 * sqrt(a**3 / mass) for a in (outer, inner))
        days = 1 / (1 / fast - 1 / slow)
        if abs(days % 1 - 0.5) > 0.05:  # no rounding that a digit more or less would change
            break
    return Problem(
        f"Two planets circle a star of {mass:g} solar mass{'es' if mass != 1 else ''} in one plane, in the same sense, "
        f"on circles with radii of {inner:g} and {outer:g} astronomical units. At 1 unit from 1 solar mass a year has "
        "365.25 days. How many days pass from one time that they stand in line on the same side of it to the next? "
        "Round to whole days.", str(round(days)), "astronomy",
    )  # fmt: skip


# ---- level 5: a search that wants a program or a theorem ----
def subgroups(rng: Rng) -> Problem:
    """Subgroups of Z/n × Z/m are the lattices between (nZ) × (mZ) and Z²; each has one basis (a, b), (0, d), b < d."""
    n, m = pick(rng, _ORDERS), pick(rng, _ORDERS)
    found = sum(
        n // a * b % d == 0 for a in range(1, n + 1) if n % a == 0 for d in range(1, m + 1) if m % d == 0
        for b in range(d)
    )  # fmt: skip
    return Problem(f"How many subgroups does the group Z/{n} × Z/{m} have?", str(found), "mathematics")


_ORDERS = (12, 16, 18, 20, 24, 27, 28, 30, 32, 36, 40, 45, 48, 54, 60, 64, 72)  # with many divisors


def colourings(rng: Rng) -> Problem:
    n, colours = 7, between(rng, 3, 4)
    edges = _graph(rng, n, between(rng, 9, 11))
    before = {v: [a for a, b in edges if b == v] for v in range(1, n + 1)}

    def ways(given: tuple[int, ...]) -> int:
        if len(given) == n:
            return 1
        taken = {given[a - 1] for a in before[len(given) + 1]}
        return sum(ways((*given, c)) for c in range(colours) if c not in taken)

    return Problem(
        f"A graph has the vertices 1 to {n} and the edges {_edge_list(edges)}. In how many ways can its vertices be "
        f"coloured with {colours} given colours so that no edge joins two of the same colour?", str(ways(())),
        "mathematics",
    )  # fmt: skip


def reset_word(rng: Rng) -> Problem:
    """Breadth first over sets of states, a before b, from all states to one."""
    while True:
        table = rng.integers(0, 6, size=(6, 2)).tolist()
        everywhere = frozenset(range(6))
        words, queue = {everywhere: ""}, [everywhere]
        for states in queue:
            for k in range(2):
                to = frozenset(table[s][k] for s in states)
                if to not in words:
                    words[to] = words[states] + "ab"[k]
                    queue.append(to)
        single = [word for states, word in words.items() if len(states) == 1]
        if single and len(min(single, key=len)) >= 6:
            break
    told = "; ".join(f"in state {k}, a leads to {x} and b to {y}" for k, (x, y) in enumerate(table))
    return Problem(
        f"An automaton has six states: {told}. Some words lead from all six states to one and the same state. What is "
        "the shortest such word, the first in alphabetical order if there are several?",
        min(single, key=lambda word: (len(word), word)), "computing",
    )  # fmt: skip


def iterated_map(rng: Rng) -> Problem:
    """The values run into a circle; the steps left over after whole rounds decide."""
    m, c, steps = between(rng, 200, 997), between(rng, 1, 90), between(rng, 10_000, 90_000)
    start = x = between(rng, 2, 90)
    path: dict[int, int] = {}
    while x not in path:
        path[x] = len(path)
        x = (x * x + c) % m
    tail, values = path[x], list(path)
    end = values[tail + (steps - tail) % (len(path) - tail)]
    return Problem(
        f"Start with x = {start} and replace x by the remainder of x² + {c} after division by {m}, {steps} times in "
        "all. What is x in the end?", str(end), "computing",
    )  # fmt: skip


def harmony(rng: Rng) -> Problem:
    """A root and its endings, joined one after another by three rules."""
    root = "".join(pick(rng, s) for s in ("bdgklmnrstz", "aeiou", "lmnrs", "aeiou", "kptlmnaeiou"))
    endings = ["V" + pick(rng, "lmnr"), pick(rng, "tkp") + "V", "V" + pick(rng, "tkp"), pick(rng, "mnlr") + "Vk", "Va"]
    chosen = some(rng, endings, 4)
    word = root
    for ending in chosen:
        word = _joined(word, ending)
    return Problem(
        "In an invented language endings are added one after another by these rules. (1) V in an ending stands for the "
        "vowel that is then the last vowel of the word. (2) If the word ends in a vowel and the ending begins with "
        "one, y is put between them. (3) If the word ends in k, p or t after a vowel and the ending begins with a "
        f"vowel, that k becomes g, p becomes b, t becomes d. The root is “{root}”; the endings are, in this order, "
        f"{', '.join(f'-{e}' for e in chosen)}. What is the whole word?", word, "linguistics",
    )  # fmt: skip


def _joined(word: str, ending: str) -> str:
    ending = ending.replace("V", next(c for c in reversed(word) if c in "aeiou"))
    if ending[0] in "aeiou" and word[-1] in "aeiou":
        return f"{word}y{ending}"
    if ending[0] in "aeiou" and word[-1] in "kpt" and word[-2] in "aeiou":
        word = word[:-1] + {"k": "g", "p": "b", "t": "d"}[word[-1]]
    return word + ending


def walks_around(rng: Rng) -> Problem:
    squares = [(x, y) for x in range(8) for y in range(8)]
    while True:
        start, *banned = some(rng, squares, 5)
        moves, ways = between(rng, 4, 5), Counter({start: 1})
        for _ in range(moves):
            step: Counter = Counter()
            for square, n in ways.items():
                for to in _easy.leaps_from(square):
                    if to not in banned:
                        step[to] += n
            ways = step
        if ways:
            break
    end = pick(rng, sorted(ways))
    named = ", ".join(map(_easy.square_name, banned))
    return Problem(
        f"In how many ways can a knight go from {_easy.square_name(start)} to {_easy.square_name(end)} on a chessboard "
        f"in exactly {moves} moves without ever standing on any of {named}? It may visit other squares more than once.",
        str(ways[end]), "games",
    )  # fmt: skip


def quadric_points(rng: Rng) -> Problem:
    p = pick(rng, (5, 7, 11))
    a, b, c, d = rng.integers(2, p, size=4).tolist()
    e = between(rng, 0, p - 1)
    squares = [x * x % p for x in range(p)]
    found = sum((a * w + b * x + c * y + d * z - e) % p == 0 for w, x, y, z in product(squares, repeat=4))
    return Problem(
        f"How many quadruples (w, x, y, z) of whole numbers from 0 to {p - 1} are there for which {a}w² + {b}x² + "
        f"{c}y² + {d}z² leaves the remainder {e} after division by {p}?", str(found), "mathematics",
    )  # fmt: skip


TEMPLATES: dict[int, tuple[Template, ...]] = {
    4: (spanning_trees, matrix_order, cryptarithm, arrangement, avoiding_words, meeting_days),
    5: (subgroups, colourings, reset_word, iterated_map, harmony, walks_around, quadric_points),
}
