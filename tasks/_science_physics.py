"""Physics questions of science-choice: {level: templates}. Constants stand in the question."""

from __future__ import annotations

from math import cos, exp, log, pi, radians, sin, sqrt, tan

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

UNITS = {
    "force": "newton",
    "energy": "joule",
    "power": "watt",
    "electric current": "ampere",
    "voltage": "volt",
    "electrical resistance": "ohm",
    "frequency": "hertz",
    "pressure": "pascal",
}
INSTRUMENTS = {
    "temperature": "a thermometer",
    "the time of day": "a clock",
    "the weight of a bag": "a scale",
    "the length of a pencil": "a ruler",
    "air pressure": "a barometer",
    "which way is north": "a compass",
    "the speed of a car": "a speedometer",
    "earthquakes": "a seismograph",
}
FORCES = {
    "makes an apple fall to the ground": "gravity",
    "pulls an iron nail towards a magnet": "magnetism",
    "slows a box that slides over a rough floor": "friction",
    "carries the current in a copper wire": "electrons",
    "lets us see our face in a mirror": "light",
    "reaches our ears from a drum": "sound",
}
PLANETS = {
    "planet is closest to the Sun": "Mercury",
    "planet is the largest in the Solar System": "Jupiter",
    "planet is known as the red planet": "Mars",
    "planet is famous for its wide, bright rings": "Saturn",
    "planet do we live on": "Earth",
    "star gives the Earth its daylight": "the Sun",
}


def speed(rng: Rng) -> Draft:
    who, most = pick(rng, [("cyclist", 15), ("runner", 8), ("tram", 20), ("boat", 15)])
    v, t = between(rng, 3, most), between(rng, 4, 20)
    return numeric(
        rng,
        f"A {who} covers {v * t} m in {t} s at constant speed. How fast is that?",
        v,
        [v * 3.6, t, v * t / 10],
        "m/s",
        most=60,
    )


def force(rng: Rng) -> Draft:
    m, a = between(rng, 2, 30), between(rng, 2, 9)
    return numeric(
        rng,
        f"Which net force gives a mass of {m} kg an acceleration of {a} m/s²?",
        m * a,
        [m + a, m / a, m * a * a],
        "N",
    )


def ohm(rng: Rng) -> Draft:
    i, r = between(rng, 2, 12), between(rng, 3, 40)
    return numeric(
        rng,
        f"A current of {i} A flows through a resistor of {r} ohm. What is the voltage across it?",
        i * r,
        [r / i, i + r, i * i * r],
        "V",
    )


def period(rng: Rng) -> Draft:
    f = pick(rng, [2, 4, 5, 8, 10, 20, 25, 40, 50])
    return numeric(rng, f"A wave has a frequency of {f} Hz. What is its period?", 1 / f, [f, 2 * pi / f, f / 60], "s")


def kinetic(rng: Rng) -> Draft:
    m, v = between(rng, 2, 20), between(rng, 3, 15)
    return numeric(
        rng,
        f"What is the kinetic energy of a cart of {m} kg moving at {v} m/s?",
        m * v * v / 2,
        [m * v * v, m * v / 2, m * v],
        "J",
    )


def series(rng: Rng) -> Draft:
    a, b, i = between(rng, 2, 20), between(rng, 2, 20), between(rng, 2, 6)
    u = i * (a + b)
    return numeric(
        rng,
        f"Resistors of {a} ohm and {b} ohm are in series on a battery of {u} V. What current flows?",
        i,
        [u / a, u / b, u * (a + b) / (a * b)],
        "A",
    )


def lift(rng: Rng) -> Draft:
    m, h, t = between(rng, 20, 90, 5), between(rng, 4, 20), pick(rng, [4, 5, 8, 10])
    return numeric(
        rng,
        f"With g = 10 m/s², what average power lifts {m} kg by {h} m in {t} s?",
        10 * m * h / t,
        [10 * m * h, m * h / t, 10 * m * t / h],
        "W",
    )


def heat(rng: Rng) -> Draft:
    m, c, d = pick(rng, [0.2, 0.5, 2, 3, 4]), pick(rng, [390, 450, 900, 4200]), between(rng, 5, 40, 5)
    return numeric(
        rng,
        f"How much heat warms {m} kg of a material of specific heat {c} J/(kg K) by {d} K?",
        m * c * d,
        [m * c / d, c * d / m, m * c * (d + 273)],
        "J",
    )


def incline(rng: Rng) -> Draft:
    angle, mu = pick(rng, [20, 25, 30, 35, 40, 45]), pick(rng, [0.1, 0.15, 0.2, 0.25])
    s, c = sin(radians(angle)), cos(radians(angle))
    return numeric(
        rng,
        f"A block slides down a slope of {angle}° with a kinetic friction coefficient of {mu}. "
        "With g = 9.8 m/s², what is its acceleration?",
        9.8 * (s - mu * c),
        [9.8 * s, 9.8 * (c - mu * s), 9.8 * (s + mu * c), 9.8 * (s - mu)],
        "m/s²",
    )


def lens(rng: Rng) -> Draft:
    f, d = between(rng, 6, 20), between(rng, 25, 70, 5)
    return numeric(
        rng,
        f"An object stands {d} cm before a converging lens of focal length {f} cm. "
        "How far behind the lens is the image?",
        f * d / (d - f),
        [f * d / (d + f), d - f, f * d / (d - f) - f],
        "cm",
    )


def projectile(rng: Rng) -> Draft:
    v, angle = between(rng, 12, 40, 2), pick(rng, [15, 20, 30, 40, 50, 65])
    r = v * v * sin(radians(2 * angle)) / 9.8
    return numeric(
        rng,
        f"A ball leaves level ground at {v} m/s, {angle}° above the horizontal. Without air "
        "resistance and with g = 9.8 m/s², how far away does it land?",
        r,
        [r / 2, v * v * sin(radians(angle)) / 9.8, v * v / 9.8 * sin(radians(angle)) ** 2 / 2],
        "m",
    )


def parallel(rng: Rng) -> Draft:
    a, b, u = between(rng, 4, 30), between(rng, 4, 30), between(rng, 6, 24, 2)
    return numeric(
        rng,
        f"Resistors of {a} ohm and {b} ohm are in parallel on a battery of {u} V. What power does the battery deliver?",
        u * u * (1 / a + 1 / b),
        [u * u / (a + b), u * (1 / a + 1 / b), u * u / a],
        "W",
    )


def compton(rng: Rng) -> Draft:
    wave, angle = between(rng, 5, 60, 5), pick(rng, [40, 50, 70, 80, 110, 130, 150])
    k = 2.426
    return numeric(
        rng,
        f"A photon of wavelength {wave} pm scatters off a free electron at rest by {angle}°. With a "
        "Compton wavelength of 2.426 pm, what fraction of its energy does the electron take?",
        1 - wave / (wave + k * (1 - cos(radians(angle)))),
        [
            1 - wave / (wave + k * (1 + cos(radians(angle)))),
            k * (1 - cos(radians(angle))) / wave,
            1 - wave / (wave + k * sin(radians(angle))),
        ],
        most=1,
    )


def relativistic(rng: Rng) -> Draft:
    b1, b2 = pick(rng, [0.4, 0.5, 0.6, 0.7]), pick(rng, [0.3, 0.55, 0.65, 0.75])
    b = (b1 + b2) / (1 + b1 * b2)
    gamma = 1 / sqrt(1 - b * b)
    return numeric(
        rng,
        f"A ship moves at {b1} c past a station and fires a probe forward at {b2} c relative to the "
        "ship. What is the probe's kinetic energy in the station's frame, in units of its rest energy?",
        gamma - 1,
        [gamma, 1 / sqrt(1 - b2 * b2) - 1, b * b / 2, 1 / sqrt(1 - b1**2) + 1 / sqrt(1 - b2**2) - 2],
    )


def entropy(rng: Rng) -> Draft:
    m1, m2 = pick(rng, [0.5, 1.5, 2, 3]), pick(rng, [1, 2.5, 4])
    t1, t2 = between(rng, 280, 300, 5), between(rng, 330, 370, 10)
    t = (m1 * t1 + m2 * t2) / (m1 + m2)
    hot, cold = m2 * 4186 * log(t / t2), m1 * 4186 * log(t / t1)
    return numeric(
        rng,
        f"In an insulated vessel {m1} kg of water at {t1} K mixes with {m2} kg at {t2} K "
        "(4186 J/(kg K)). By how much does the total entropy rise?",
        hot + cold,
        [cold, -hot, cold - hot, (m1 + m2) * 4186 * log(t2 / t1) / 4],
        "J/K",
    )


def well(rng: Rng) -> Draft:
    width, low = pick(rng, [0.4, 0.5, 0.6, 0.8, 1.2]), pick(rng, [1, 2, 3])
    high = low + pick(rng, [1, 2, 3])
    unit = 0.376 / width**2
    photon = 1240 / (unit * (high**2 - low**2))
    return numeric(
        rng,
        f"An electron in an infinite well {width} nm wide falls from n = {high} to n = {low}. With "
        "E1 = 0.376 eV nm²/L² and hc = 1240 eV nm, which wavelength does it emit?",
        photon,
        [1240 / (unit * (high - low) ** 2), 1240 / (unit * high**2), photon * (high - low) / width],
        "nm",
    )


def rocket(rng: Rng) -> Draft:
    u, ratio, t, g = between(rng, 1800, 3000, 200), pick(rng, [2, 2.5, 3, 4]), between(rng, 20, 60, 10), 9.8
    return numeric(
        rng,
        f"A rocket burns straight up from rest for {t} s while its mass falls from {ratio} t to 1 t; "
        f"the exhaust leaves at {u} m/s. With g = 9.8 m/s² and no drag, how fast is it at the end?",
        u * log(ratio) - g * t,
        [u * log(ratio), u * (1 - 1 / ratio) - g * t, u * log(ratio) + g * t],
        "m/s",
    )


def capacitor(rng: Rng) -> Draft:
    r, c, u = between(rng, 10, 90, 10), between(rng, 5, 60, 5), between(rng, 6, 24, 3)
    t = pick(rng, [0.5, 1.5, 2, 2.5]) * r * c / 1000
    left = exp(-t / (r * c / 1000))
    energy = 0.5 * c * (u * (1 - left)) ** 2
    return numeric(
        rng,
        f"A {c} µF capacitor, empty at first, charges through {r} kilo-ohm from {u} V. How much energy does "
        f"it hold after {t:g} s?",
        energy,
        [0.5 * c * (u * left) ** 2, 0.5 * c * u * u * (1 - left), 0.5 * c * u * u],
        "µJ",
    )


def banked(rng: Rng) -> Draft:
    angle, mu, r = pick(rng, [10, 12, 15, 20]), pick(rng, [0.2, 0.3, 0.4]), between(rng, 30, 120, 10)
    t = tan(radians(angle))
    return numeric(
        rng,
        f"A curve of radius {r} m is banked at {angle}° and the static friction coefficient is {mu}. With "
        "g = 9.8 m/s², at which speed does a car begin to slide outwards?",
        sqrt(9.8 * r * (t + mu) / (1 - mu * t)),
        [
            sqrt(9.8 * r * (t + mu)),
            sqrt(9.8 * r * t),
            sqrt(9.8 * r * mu),
            sqrt(9.8 * r * (t + mu) / (1 + mu * t)),
        ],
        "m/s",
    )


TEMPLATES = {
    1: [
        recall("units", "What is the SI unit of {}?", UNITS),
        recall("instruments", "What do we use to measure {}?", INSTRUMENTS),
        recall("forces", "What {}?", FORCES),
        recall("planets", "Which {}?", PLANETS),
    ],
    2: [speed, force, ohm, period],
    3: [kinetic, series, lift, heat],
    4: [incline, lens, projectile, parallel],
    5: [compton, relativistic, entropy, well, rocket, capacitor, banked],
}
