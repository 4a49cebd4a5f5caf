"""Biology questions of science-choice: {level: templates}. Constants stand in the question."""

from __future__ import annotations

from fractions import Fraction
from math import exp, log, log2, sqrt

from harness.suites import beside

_tools = beside(__file__, "_science_tools")
Rng, Draft, between, numeric, pick, recall, words = (
    _tools.Rng,
    _tools.Draft,
    _tools.between,
    _tools.numeric,
    _tools.pick,
    _tools.recall,
    _tools.words,
)

ORGANS = {
    "pumps blood through the body": "the heart",
    "takes in air when we breathe": "the lungs",
    "lets us think and remember": "the brain",
    "digests the food that we swallow": "the stomach",
    "has a lens and a pupil": "the eyes",
    "covers the outside of the body": "the skin",
    "filters the blood and makes urine": "the kidneys",
}
YOUNG = {
    "cat": "a kitten",
    "dog": "a puppy",
    "cow": "a calf",
    "sheep": "a lamb",
    "horse": "a foal",
    "hen": "a chick",
    "duck": "a duckling",
    "frog": "a tadpole",
    "goat": "a kid",
    "pig": "a piglet",
}
GROUPS = {
    "eagle": "birds",
    "sparrow": "birds",
    "salmon": "fish",
    "shark": "fish",
    "frog": "amphibians",
    "toad": "amphibians",
    "snake": "reptiles",
    "lizard": "reptiles",
    "ant": "insects",
    "butterfly": "insects",
    "dog": "mammals",
    "horse": "mammals",
}
PRODUCTS = {
    "animal gives us wool": "the sheep",
    "insect makes honey": "the bee",
    "farm animal gives us most of our milk": "the cow",
    "bird lays the eggs that we eat for breakfast": "the hen",
    "animal is known for building dams": "the beaver",
    "animal spins a web to catch flies": "the spider",
}
# A few codons of the standard genetic code, as messenger RNA.
CODONS = {
    "AUG": "Met",
    "UUU": "Phe",
    "GCU": "Ala",
    "GGA": "Gly",
    "AAA": "Lys",
    "GAU": "Asp",
    "UAC": "Tyr",
    "CCG": "Pro",
    "CAC": "His",
    "UGG": "Trp",
    "GAA": "Glu",
    "AAC": "Asn",
    "ACU": "Thr",
    "UGU": "Cys",
    "AUU": "Ile",
    "GUC": "Val",
}
_PAIR = {"A": "T", "T": "A", "G": "C", "C": "G"}


def strand(rng: Rng) -> Draft:
    bases = [pick(rng, "ATGC") for _ in range(5)] + ["A", "C"]
    rng.shuffle(bases)
    right = "".join(_PAIR[b] for b in bases)
    swapped = "".join({"A": "G", "G": "A", "T": "C", "C": "T"}[b] for b in bases)
    return words(
        f"One DNA strand reads {''.join(bases)}. Which bases lie opposite, in the same order?",
        right,
        ["".join(bases), swapped, "".join({"A": "C", "C": "A", "T": "G", "G": "T"}[b] for b in bases)],
        rng,
    )


def legs(rng: Rng) -> Draft:
    insects, spiders = between(rng, 2, 9), between(rng, 2, 9)
    return numeric(
        rng,
        f"How many legs do {insects} insects and {spiders} spiders have together?",
        6 * insects + 8 * spiders,
        [8 * insects + 6 * spiders, 6 * (insects + spiders), 8 * (insects + spiders)],
        whole=True,
        step=2,
    )


def gametes(rng: Rng) -> Draft:
    half = between(rng, 4, 39)
    what = pick(rng, ["sperm", "egg"])
    return numeric(
        rng,
        f"The body cells of an animal have {2 * half} chromosomes. How many are in one of its {what} cells?",
        half,
        [2 * half, 4 * half, half + 2],
        whole=True,
    )


def magnification(rng: Rng) -> Draft:
    real, times = pick(rng, [0.02, 0.04, 0.05, 0.08]), pick(rng, [40, 100, 250, 400])
    return numeric(
        rng,
        f"A cell {real} mm long is seen at a magnification of {times}. How long is its image?",
        real * times,
        [times / real / 1000, real * times / 10, real * times * 10],
        "mm",
    )


def chargaff(rng: Rng) -> Draft:
    a = between(rng, 12, 38)
    base, other = pick(rng, [("adenine", "guanine"), ("thymine", "cytosine"), ("adenine", "cytosine")])
    return numeric(
        rng,
        f"In a double-stranded DNA {a} % of the bases are {base}. What percentage is {other}?",
        50 - a,
        [a, 100 - a, 100 - 2 * a],
        "%",
        whole=True,
        most=100,
    )


def doubling(rng: Rng) -> Draft:
    start, minutes = between(rng, 2, 15), pick(rng, [15, 20, 30])
    n = between(rng, 3, 7 if start < 8 else 6)  # at most 999 bacteria, shown to the last one
    return numeric(
        rng,
        f"Bacteria divide every {minutes} minutes. How many do {start} become in {minutes * n} minutes?",
        start * 2**n,
        [start * 2 * n, start * 2 ** (n - 1), start * n * n, start * 2 ** (n + 1)],
    )


def food_chain(rng: Rng) -> Draft:
    energy, steps = between(rng, 20, 90, 5) * 1000, between(rng, 1, 3)
    eater = ["rabbits", "foxes", "eagles"][steps - 1]
    return numeric(
        rng,
        f"Grass holds {energy} kJ. Rabbits eat the grass, foxes the rabbits and eagles the foxes, and each step passes "
        f"on 10 %. How much reaches the {eater}?",
        energy / 10**steps,
        [energy / 10 ** (steps + 1), energy * 0.9**steps, energy / 10 / (steps + 1)],
        "kJ",
    )


def cardiac(rng: Rng) -> Draft:
    rate, stroke = between(rng, 55, 120, 5), between(rng, 60, 95, 5)
    return numeric(
        rng,
        f"A heart beats {rate} times a minute and pumps {stroke} mL each time. What is its output?",
        rate * stroke / 1000,
        [rate * stroke / 60, stroke / rate, (rate + stroke) / 10],
        "L/min",
        most=30,
    )


def hardy_weinberg(rng: Rng) -> Draft:
    q = pick(rng, [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4])
    return numeric(
        rng,
        f"In a population at Hardy-Weinberg equilibrium {q * q * 100:.4g} % show a recessive trait. "
        "What percentage carries the allele without showing it?",
        200 * q * (1 - q),
        [100 * q * (1 - q), 100 * (1 - q * q), 200 * q * q * (1 - q * q), 100 * q],
        "%",
        most=100,
    )


def dihybrid(rng: Rng) -> Draft:
    total, k, what = (
        between(rng, 160, 960, 16),
        *pick(
            rng,
            [
                (9, "both dominant traits"),
                (3, "the first dominant and the second recessive trait"),
                (1, "both recessive traits"),
            ],
        ),
    )
    return numeric(
        rng,
        f"Two plants AaBb are crossed; the genes are unlinked. How many of {total} offspring are expected to "
        f"show {what}?",
        total * k / 16,
        [total * (10 - k) / 16, total / 4, total * 3 / 4, total * 6 / 16],
    )


def michaelis(rng: Rng) -> Draft:
    vmax, km, s = between(rng, 20, 120, 10), between(rng, 2, 15), between(rng, 1, 30)
    return numeric(
        rng,
        f"An enzyme has Vmax = {vmax} µmol/min and Km = {km} mM. How fast is it at {s} mM substrate?",
        vmax * s / (km + s),
        [vmax * km / (km + s), vmax * s / km, vmax * (km + s) / (km + 2 * s)],
        "µmol/min",
    )


def translation(rng: Rng) -> Draft:
    codons = [c for c in CODONS if c != "AUG"]
    rng.shuffle(codons)
    chain, spare = ["AUG", *codons[:3]], codons[3]
    say = "-".join
    right = [CODONS[c] for c in chain]
    wrong = [[right[0], right[2], right[1], right[3]], right[::-1], [*right[:3], CODONS[spare]]]
    return words(
        f"Which peptide does the messenger RNA {''.join(chain)}UAA encode?",
        say(right),
        [say(w) for w in wrong],
        rng,
    )


def heterozygote(rng: Rng) -> Draft:
    s, t = pick(rng, [0.05, 0.1, 0.15, 0.2]), pick(rng, [0.3, 0.5, 0.6, 0.8])
    q = s / (s + t)
    return numeric(
        rng,
        f"Relative fitness is {1 - s:g} for AA, 1 for Aa and {1 - t:g} for aa. At equilibrium, what "
        "fraction of the zygotes is Aa?",
        2 * q * (1 - q),
        [q, q * (1 - q), 1 - q, 2 * (s / t) * (1 - s / t)],
        most=1,
    )


def pedigree(rng: Rng) -> Draft:
    sons, prior = between(rng, 1, 5), pick(rng, [Fraction(1, 2), Fraction(1, 4), Fraction(2, 3)])
    like = prior * Fraction(1, 2**sons)
    carrier = like / (like + 1 - prior)
    plural = f"{sons} unaffected sons" if sons > 1 else "one unaffected son"
    return numeric(
        rng,
        f"By her family history a woman carries an X-linked recessive allele with probability {prior}. She has "
        f"{plural}. What is the probability that her next son is affected?",
        float(carrier / 2),
        [float(carrier), float(prior / 2), float(like / 2), float(prior / 2 ** (sons + 1))],
        most=1,
    )


def inhibitor(rng: Rng) -> Draft:
    vmax, km, s = between(rng, 40, 120, 10), between(rng, 2, 10), between(rng, 3, 25)
    i, kc, ku = between(rng, 2, 12), between(rng, 2, 8), between(rng, 9, 20)
    a, b = 1 + i / kc, 1 + i / ku
    return numeric(
        rng,
        f"An enzyme (Vmax = {vmax} µM/s, Km = {km} mM) meets {i} mM of a mixed inhibitor, Ki = {kc} mM "
        f"for the free enzyme and {ku} mM for its complex. How fast is it at {s} mM substrate?",
        vmax * s / (a * km + b * s),
        [vmax * s / (a * km + s), vmax * s / (km + s) / b, vmax * s / (b * km + a * s)],
        "µM/s",
    )


def membrane(rng: Rng) -> Draft:
    ki, ko, ni, no = (
        between(rng, 120, 150, 5),
        between(rng, 3, 8),
        between(rng, 8, 18),
        between(rng, 120, 150, 5),
    )
    p = pick(rng, [0.02, 0.05, 0.1, 0.3])
    v = 61.5 / log(10) * log((ko + p * no) / (ki + p * ni))
    return numeric(
        rng,
        f"A cell has {ki} mM K+ and {ni} mM Na+ inside, {ko} mM K+ and {no} mM Na+ outside; "
        f"P(Na)/P(K) = {p}. "
        "By the Goldman equation (61.5 mV a decade), what is its potential?",
        v,
        [61.5 / log(10) * log(ko / ki), -v, 61.5 / log(10) * log((ko + p * ni) / (ki + p * no))],
        "mV",
    )


def mapping(rng: Rng) -> Draft:
    x, y, total = between(rng, 6, 18), between(rng, 6, 18), 1000
    expected = x * y / 10000 * total
    double = between(rng, 1, int(expected) - 1)  # fewer than without interference
    return numeric(
        rng,
        f"Gene b lies between a and c, {x} cM from a and {y} cM from c. Of {total} testcross offspring, "
        f"{double} are double crossovers. What is the interference?",
        1 - double / expected,
        [
            double / expected,
            1 - double / (2 * expected),
            1 - double * 100 / (x * y * 100),
            double / total * 100,
        ],
        "",
        most=1,
    )


def logistic(rng: Rng) -> Draft:
    k, n, r, t = (
        between(rng, 400, 900, 100),
        between(rng, 20, 90, 10),
        pick(rng, [0.2, 0.3, 0.5]),
        between(rng, 3, 9),
    )
    grown = exp(r * t)
    return numeric(
        rng,
        f"A population of {n} grows logistically with r = {r} a year and K = {k}. About how many are there "
        f"after {t} years?",
        k / (1 + (k / n - 1) / grown),
        [n * grown, n * (1 + r * t * (1 - n / k)), k - (k - n) / grown],
    )


def pcr(rng: Rng) -> Draft:
    e, d = pick(rng, [0.8, 0.85, 0.9, 0.95]), pick(rng, [2.5, 3.5, 4.5, 6.5])
    return numeric(
        rng,
        f"In a quantitative PCR each cycle multiplies the product by {1 + e:g}. Sample A crosses the "
        f"threshold "
        f"{d} cycles before sample B. How many times more template did A hold?",
        (1 + e) ** d,
        [2**d, (1 + e) * d, d / log2(1 + e), sqrt(2) ** d],
    )


TEMPLATES = {
    1: [
        recall("organs", "Which part of the body {}?", ORGANS),
        recall("young", "What is the young of a {} called?", YOUNG),
        recall("groups", "Which group of animals does the {} belong to?", GROUPS),
        recall("products", "Which {}?", PRODUCTS),
    ],
    2: [strand, legs, gametes, magnification],
    3: [chargaff, doubling, food_chain, cardiac],
    4: [hardy_weinberg, dihybrid, michaelis, translation],
    5: [heterozygote, pedigree, inhibitor, membrane, mapping, logistic, pcr],
}
