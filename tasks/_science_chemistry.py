"""Chemistry questions of science-choice: {level: templates}. Constants stand in the question."""

from __future__ import annotations

from fractions import Fraction
from math import exp, log10, sqrt

from harness.suites import beside

_tools = beside(__file__, "_science_tools")
Rng, Draft, between, numeric, pick, recall = (
    _tools.Rng,
    _tools.Draft,
    _tools.between,
    _tools.numeric,
    _tools.pick,
    _tools.recall,
)

SYMBOLS = {
    "gold": "Au",
    "silver": "Ag",
    "iron": "Fe",
    "oxygen": "O",
    "carbon": "C",
    "hydrogen": "H",
    "sodium": "Na",
    "helium": "He",
    "nitrogen": "N",
    "copper": "Cu",
    "lead": "Pb",
    "calcium": "Ca",
    "potassium": "K",
    "zinc": "Zn",
    "chlorine": "Cl",
    "magnesium": "Mg",
    "aluminium": "Al",
    "sulfur": "S",
}
FORMULAS = {
    "water": "H2O",
    "carbon dioxide": "CO2",
    "table salt": "NaCl",
    "methane": "CH4",
    "ammonia": "NH3",
    "carbon monoxide": "CO",
    "hydrochloric acid": "HCl",
    "sulfuric acid": "H2SO4",
}
SUBSTANCES = {
    "gas do people need to breathe": "oxygen",
    "gas do plants turn into sugar": "carbon dioxide",
    "metal rusts when it gets wet": "iron",
    "liquid falls from the clouds as rain": "water",
    "gas makes a party balloon rise": "helium",
    "yellow metal is used for wedding rings": "gold",
    "mineral makes sea water taste the way it does": "salt",
}
# Symbol, protons, mass number of the commonest isotope.
ATOMS = [
    ("C", 6, 12),
    ("N", 7, 14),
    ("O", 8, 16),
    ("F", 9, 19),
    ("Na", 11, 23),
    ("Mg", 12, 24),
    ("Al", 13, 27),
    ("P", 15, 31),
    ("S", 16, 32),
    ("K", 19, 39),
    ("Ca", 20, 40),
    ("Fe", 26, 56),
    ("Zn", 30, 64),
    ("Ag", 47, 107),
]
# Name, formula, atoms in one formula unit, molar mass in g/mol.
COMPOUNDS = [
    ("glucose", "C6H12O6", 24, 180),
    ("methanol", "CH3OH", 6, 32),
    ("calcium carbonate", "CaCO3", 5, 100),
    ("sodium hydroxide", "NaOH", 3, 40),
    ("sulfuric acid", "H2SO4", 7, 98),
    ("ammonia", "NH3", 4, 17),
    ("propane", "C3H8", 11, 44),
    ("nitric acid", "HNO3", 5, 63),
    ("ethane", "C2H6", 8, 30),
]


def neutrons(rng: Rng) -> Draft:
    symbol, z, a = pick(rng, ATOMS)
    a += pick(rng, [0, 1, 2])
    return numeric(
        rng,
        f"How many neutrons are in an atom of {symbol} with {z} protons and mass number {a}?",
        a - z,
        [z, a, a + z],
        whole=True,
    )


def electrons(rng: Rng) -> Draft:
    symbol, z, _ = pick(rng, [a for a in ATOMS if a[0] in ("Na", "Mg", "Al", "K", "Ca", "Fe", "Zn", "Ag")])
    charge = {"Na": 1, "K": 1, "Ag": 1, "Al": 3}.get(symbol, 2)
    sign = "+" if charge == 1 else f"{charge}+"
    return numeric(
        rng,
        f"The atomic number of {symbol} is {z}. How many electrons does the ion {symbol}{sign} have?",
        z - charge,
        [z, z + charge, charge],
        whole=True,
    )


def atoms(rng: Rng) -> Draft:
    name, formula, count, _ = pick(rng, COMPOUNDS)
    n = between(rng, 2, 6)
    return numeric(
        rng,
        f"How many atoms are there in {n} molecules or formula units of {name}, {formula}?",
        n * count,
        [count, n + count, n * (count - 1)],
        whole=True,
    )


def acid(rng: Rng) -> Draft:
    k = between(rng, 1, 6)
    c = {1: "0.1", 2: "0.01", 3: "0.001"}.get(k, f"10^-{k}")
    kind, p = pick(rng, [("strong acid HCl", k), ("strong base NaOH", 14 - k)])
    return numeric(
        rng,
        f"What is the pH of a {c} mol/L solution of the {kind} at 25 °C?",
        p,
        [14 - p, p + 1, p - 1],
        whole=True,
        most=14,
    )


def moles(rng: Rng) -> Draft:
    name, formula, _, mass = pick(rng, COMPOUNDS)
    n = pick(rng, [0.2, 0.25, 0.4, 0.5, 1.5, 2.5, 3])
    return numeric(
        rng,
        f"How many moles are in {n * mass:g} g of {name} ({formula}, molar mass {mass} g/mol)?",
        n,
        [n * mass * mass / 1000, 1 / n, n * 10],
        "mol",
    )


def dilution(rng: Rng) -> Draft:
    c, v, w = pick(rng, [0.5, 1.2, 2, 3, 6]), between(rng, 10, 50, 5), between(rng, 100, 500, 50)
    return numeric(
        rng,
        f"Water is added to {v} mL of a {c} mol/L solution until the volume is {w} mL. What is the new concentration?",
        c * v / w,
        [c * v / (v + w), c * w / v, c * (w - v) / w],
        "mol/L",
        most=30,  # what a solution can hold at all
    )


def oxidation(rng: Rng) -> Draft:
    formula, element, number = pick(
        rng,
        [
            ("K2Cr2O7", "chromium", 6),
            ("KMnO4", "manganese", 7),
            ("H2SO3", "sulfur", 4),
            ("H2SO4", "sulfur", 6),
            ("HNO2", "nitrogen", 3),
            ("HNO3", "nitrogen", 5),
            ("Fe2O3", "iron", 3),
            ("P4O10", "phosphorus", 5),
            ("HClO", "chlorine", 1),
            ("NaClO3", "chlorine", 5),
            ("MnO2", "manganese", 4),
            ("MnSO4", "manganese", 2),
        ],
    )
    wrong = [n for n in range(1, 9) if n != number]
    rng.shuffle(wrong)
    return Draft(
        f"What is the oxidation number of {element} in {formula}?",
        f"+{number}",
        tuple(f"+{n}" for n in wrong[:3]),
    )


def combustion(rng: Rng) -> Draft:
    name, c, h = pick(
        rng, [("methane", 1, 4), ("propane", 3, 8), ("butane", 4, 10), ("ethane", 2, 6), ("ethene", 2, 4)]
    )
    n = between(rng, 2, 12, 2)
    need = Fraction(4 * c + h, 4) * n
    return numeric(
        rng,
        f"How many moles of O2 does it take to burn {n} mol of {name}, C{c if c > 1 else ''}H{h}, completely?",
        float(need),
        [n * c, n * (c + h / 2), n * (2 * c + h / 2)],
        "mol",
    )


def gas(rng: Rng) -> Draft:
    n, t, v = pick(rng, [0.5, 1.5, 2, 3]), between(rng, 10, 90, 10), between(rng, 5, 40, 5)
    p = n * 8.314 * (t + 273) / v
    return numeric(
        rng,
        f"What is the pressure of {n} mol of an ideal gas in {v} L at {t} °C? (R = 8.314 J/(mol K))",
        p,
        [n * 8.314 * t / v, n * 8.314 * (t + 273) * v / 100, p / n],
        "kPa",
    )


def limiting(rng: Rng) -> Draft:
    a, b = pick(rng, [3, 4, 5, 7, 8]), pick(rng, [6, 9, 10, 15, 20, 24])
    return numeric(
        rng,
        f"In N2 + 3 H2 -> 2 NH3, {a} mol of N2 and {b} mol of H2 react until one is used up. How much NH3 forms?",
        2 * min(a, b / 3),
        [2 * max(a, b / 3), 2 * b, a + b, min(a, b / 3)],
        "mol",
    )


def half_life(rng: Rng) -> Draft:
    half, t, m = between(rng, 4, 20), between(rng, 7, 45), between(rng, 20, 90, 10)
    left = m * 0.5 ** (t / half)
    return numeric(
        rng,
        f"An isotope has a half-life of {half} days. What is left of {m} mg after {t} days?",
        left,
        [m - left, m * exp(-t / half), m / (1 + t / half)],
        "mg",
        most=m,
    )


def weak_acid(rng: Rng) -> Draft:
    pka, c = pick(rng, [3.2, 3.75, 4.2, 4.76, 5.3]), pick(rng, [0.05, 0.1, 0.2, 0.5])
    k = 10**-pka
    p = -log10((sqrt(k * k + 4 * k * c) - k) / 2)
    return numeric(
        rng,
        f"What is the pH of a {c} mol/L solution of a weak acid of pKa {pka}?",
        p,
        [pka, -log10(c), pka + log10(c), (pka + log10(c)) / 2],
        "",
        most=14,
    )


def buffer(rng: Rng) -> Draft:
    pka, acid_n, base_n = pick(rng, [4.76, 7.2, 9.25, 3.75]), between(rng, 20, 60, 5), between(rng, 25, 70, 5)
    v, c = between(rng, 20, 90, 10), pick(rng, [0.05, 0.1, 0.15])
    x = v * c
    return numeric(
        rng,
        f"A buffer of pKa {pka} holds {acid_n} mmol of acid and {base_n} mmol of its conjugate base. "
        f"By what factor does adding {v} mL of {c} mol/L HCl multiply the ratio [base]/[acid]?",
        (base_n - x) / (acid_n + x) / (base_n / acid_n),
        [
            (base_n + x) / (acid_n - x) / (base_n / acid_n),
            (base_n - x) / base_n,
            acid_n / (acid_n + x),
            (base_n - x) / (acid_n + x),
        ],
    )


def nernst(rng: Rng) -> Draft:
    e = pick(rng, [1.10, 0.78, 0.63, 0.47])
    a, b = pick(rng, [0.001, 0.005, 0.02]), pick(rng, [0.5, 1.5, 2])
    step = 0.0592 / 2 * log10(b / a)
    side = pick(rng, ["anode", "cathode"])
    right = e - step if side == "anode" else e + step
    other = "cathode" if side == "anode" else "anode"
    return numeric(
        rng,
        f"A cell of two metals, each with its own 2+ ions, has a standard EMF of {e:.2f} V. At 25 °C "
        f"(0.0592 V per decade and electron), what is its EMF with {b} mol/L ions at the {side} "
        f"and {a} mol/L at the {other}?",
        right,
        [2 * e - right, e + 2 * (right - e), e, e - 2 * (right - e)],
        "V",
    )


def arrhenius(rng: Rng) -> Draft:
    ea, t1 = between(rng, 40, 100, 5), between(rng, 290, 310, 5)
    t2 = t1 + between(rng, 8, 30, 2)
    ratio = exp(ea * 1000 / 8.314 * (1 / t1 - 1 / t2))
    return numeric(
        rng,
        f"A reaction has an activation energy of {ea} kJ/mol. By what factor does its rate constant grow "
        f"from {t1} K to {t2} K? (R = 8.314 J/(mol K))",
        ratio,
        [exp(ea * 1000 / 8.314 * (t2 - t1) / t1**2 / 2.303), t2 / t1, sqrt(ratio), ratio**1.3],
    )


def solubility(rng: Rng) -> Draft:
    k, c = between(rng, 2, 9), pick(rng, [0.02, 0.05, 0.1, 0.2])
    p = between(rng, 9, 12)
    ksp = k * 10.0**-p
    return numeric(
        rng,
        f"The salt MX2 has Ksp = {k} × 10^-{p}. By what factor does its solubility fall from pure water "
        f"to {c} mol/L NaX?",
        (ksp / 4) ** (1 / 3) / (ksp / c**2),
        [
            sqrt(ksp) / (ksp / c),
            (ksp / 4) ** (1 / 3) / (ksp / c),
            ksp ** (1 / 3) / (ksp / c**2),
            (ksp / 4) ** (1 / 3) / (ksp / (4 * c * c)),
        ],
    )


def vapour(rng: Rng) -> Draft:
    h, boil, t = between(rng, 28, 44, 2), between(rng, 340, 380, 5), between(rng, 300, 325, 5)
    p = 101.3 * exp(-h * 1000 / 8.314 * (1 / t - 1 / boil))
    return numeric(
        rng,
        f"A liquid boils at {boil} K under 101.3 kPa and its enthalpy of vaporisation is {h} kJ/mol. What is "
        f"its vapour pressure at {t} K? (R = 8.314 J/(mol K))",
        p,
        [101.3 * t / boil, 101.3 * exp(-h * 1000 / 8.314 * (boil - t) / boil**2), 101.3 - p],
        "kPa",
    )


def rate_law(rng: Rng) -> Draft:
    m, n = pick(rng, [1, 2]), pick(rng, [1, 2])
    a, b, r = pick(rng, [2, 3]), pick(rng, [2, 4]), pick(rng, [1.2, 1.5, 2, 2.5])
    fa, fb = pick(rng, [1.5, 2.5]), pick(rng, [0.5, 3])
    right = r * fa**m * fb**n
    return numeric(
        rng,
        f"A and B react at {r} mmol/(L s). {a} times [A] makes it {a**m} times as fast; then {b} times [B] makes it "
        f"{b**n} times as fast again. What is the rate at {fa} times the first [A] and {fb} times the first [B]?",
        right,
        [r * fa * fb, r * fa**n * fb**m, r * (fa**m + fb**n), r * fa**2 * fb**2],
        "mmol/(L s)",
    )


def equilibrium(rng: Rng) -> Draft:
    k, c = pick(rng, [0.2, 0.5, 2, 4, 8]), pick(rng, [0.5, 1.5, 2, 3])
    x = (-k + sqrt(k * k + 16 * k * c)) / 8
    return numeric(
        rng,
        f"For A <=> 2 B, Kc = {k}. A vessel starts with {c} mol/L of A and no B. What fraction of A "
        "has reacted at equilibrium?",
        x / c,
        [k / (1 + k), (-k + sqrt(k * k + 4 * k * c)) / 2 / c, 1 - x / c, 2 * x / (c + x)],
        most=1,
    )


TEMPLATES = {
    1: [
        recall("symbols", "What is the chemical symbol of {}?", SYMBOLS),
        recall("formulas", "What is the chemical formula of {}?", FORMULAS),
        recall("substances", "Which {}?", SUBSTANCES),
        recall("elements", "Which element has the chemical symbol {}?", {v: k for k, v in SYMBOLS.items()}),
    ],
    2: [neutrons, electrons, atoms, acid],
    3: [moles, dilution, oxidation, combustion],
    4: [gas, limiting, half_life, weak_acid],
    5: [buffer, nernst, arrhenius, solubility, vapour, rate_law, equilibrium],
}
