"""The answers of knowledge-multilingual, found again from its questions alone: by calendar, time zones and CLDR."""

from __future__ import annotations

import calendar
import dataclasses
import re
import sys
import tomllib
import unicodedata
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import babel
import pytest
from babel import Locale
from babel.dates import get_day_names, get_month_names
from babel.languages import get_official_languages

from harness.chance import chance_level
from harness.quantity import stream
from harness.suites import LEVELS, beside, samples_file, suite

ONE = suite("knowledge-multilingual")
FACTS = beside(str(samples_file("x").parent.parent / "x.py"), "_knowledge_facts")
SEEDS = (0, 41, 42, 43)  # the last three were not used while writing
LANGS = sorted({item.lang for item in ONE.items()})
CJK = ("ja", "ko", "zh")
ZONES = {
    "af": "Asia/Kabul", "ao": "Africa/Luanda", "ar": "America/Argentina/Buenos_Aires", "at": "Europe/Vienna",
    "bd": "Asia/Dhaka", "be": "Europe/Brussels", "bg": "Europe/Sofia", "cu": "America/Havana", "cz": "Europe/Prague",
    "de": "Europe/Berlin", "dk": "Europe/Copenhagen", "eg": "Africa/Cairo", "es": "Europe/Madrid",
    "fi": "Europe/Helsinki", "fr": "Europe/Paris", "ga": "Africa/Libreville", "gb": "Europe/London",
    "gh": "Africa/Accra", "gr": "Europe/Athens", "hu": "Europe/Budapest", "ie": "Europe/Dublin", "iq": "Asia/Baghdad",
    "ir": "Asia/Tehran", "is": "Atlantic/Reykjavik", "it": "Europe/Rome", "jo": "Asia/Amman", "jp": "Asia/Tokyo",
    "ke": "Africa/Nairobi", "kr": "Asia/Seoul", "mz": "Africa/Maputo", "no": "Europe/Oslo", "np": "Asia/Kathmandu",
    "pe": "America/Lima", "pl": "Europe/Warsaw", "pt": "Europe/Lisbon", "ro": "Europe/Bucharest",
    "ru": "Europe/Moscow", "se": "Europe/Stockholm", "tg": "Africa/Lome", "th": "Asia/Bangkok",
    "uy": "America/Montevideo",
}  # fmt: skip


@cache
def texts():
    return tomllib.loads((samples_file("x").parent.parent / "_knowledge_texts.toml").read_text("utf-8"))


@cache
def readers(lang: str) -> list[tuple[str, re.Pattern]]:
    """Each phrase of a language as a pattern that takes out what fills it: figures, or a name of the tables."""
    words = texts()[lang]
    names = [
        n for table in words.values() if not isinstance(table, str) for n in getattr(table, "values", table.__iter__)()
    ]
    one = "|".join([r"[\d:-]+", *map(re.escape, names)])
    blank = f"(?:{one})(?:{words['comma']}(?:{one}))*"
    out = []
    for name, phrase in words.items():
        if isinstance(phrase, str) and "{" in phrase:
            parts = re.split(r"\{(\w)\}", phrase)
            made = "".join(f"(?P<{p}>{blank})" if k % 2 else re.escape(p) for k, p in enumerate(parts))
            out.append((name, re.compile(made)))
    return out


def read(item) -> tuple[str, dict[str, str]]:
    """The phrase of a question and its fills. Exactly one phrase fits, or the question could be misread."""
    asked = item.data["question"]
    found = [(name, m.groupdict()) for name, reader in readers(item.lang) if (m := reader.fullmatch(asked))]
    assert len(found) == 1, (item.lang, asked, found)
    return found[0]


def month_name(lang: str, month: int) -> str:
    return texts()[lang]["months"][month - 1]


def day_name(lang: str, day: date) -> str:
    return texts()[lang]["days"][calendar.weekday(day.year, day.month, day.day)]


def code(lang: str, table: str, name: str) -> str:
    return {shown: key for key, shown in texts()[lang][table].items()}[name]


def months_on(lang: str, name: str, steps: int) -> str:
    """By walking from the middle of one month to that of the next, never by arithmetic modulo twelve."""
    day = date(2000, texts()[lang]["months"].index(name) + 1, 15)
    for _ in range(abs(steps)):
        day = (day + timedelta(days=31 if steps > 0 else -31)).replace(day=15)
    return month_name(lang, day.month)


def days_on(lang: str, name: str, steps: int) -> str:
    """From a week of May 2023, whose first is a Monday."""
    return day_name(lang, date(2023, 5, 1) + timedelta(days=texts()[lang]["days"].index(name) + steps))


def local_time(here: str, there: str, clock: str, flown: timedelta = timedelta()) -> str:
    hours, minutes = map(int, clock.split(":"))
    leaves = datetime(2024, 1, 15, hours, minutes, tzinfo=ZoneInfo(ZONES[here])).astimezone(ZoneInfo("UTC"))
    return (leaves + flown).astimezone(ZoneInfo(ZONES[there])).strftime("%H:%M")


def spoken_in(lang: str, country: str) -> str:
    (only,) = get_official_languages(country.upper())
    return texts()[lang]["languages"][only]


def found_again(item) -> str:
    lang, words = item.lang, texts()[item.lang]
    phrase, f = read(item)
    n = int(f.get("n", 0))
    if phrase == "series":
        shown = [int(x) for x in f["x"].split(words["comma"])]
        assert len({b - a for a, b in pairwise(shown)}) == 1
        return str(2 * shown[-1] - shown[-2])
    if phrase in ("capital", "country"):
        tables = ("countries", "capitals") if phrase == "capital" else ("capitals", "countries")
        return words[tables[1]][code(lang, tables[0], f["x"])]
    if phrase in ("language", "language_city"):
        return spoken_in(lang, code(lang, "countries" if phrase == "language" else "capitals", f["x"]))
    if phrase == "month_after":
        return month_name(lang, date.fromordinal(date.fromisoformat(f["x"]).toordinal() + n).month)
    if phrase in ("month_next", "day_next"):
        on, shown = months_on if phrase == "month_next" else days_on, f["x"].split(words["comma"])
        assert shown == [on(lang, shown[0], k) for k in range(3)]
        return on(lang, shown[2], 1)
    if phrase.startswith(("month_", "months_")):
        return months_on(lang, f["x"], {"month_prev": -1, "months_later": n, "months_before": -n}[phrase])
    if phrase.startswith(("day_prev", "days_")):
        return days_on(lang, f["x"], {"day_prev": -1, "days_later": n, "days_before": -n}[phrase])
    if phrase == "nth_day":
        return days_on(lang, f["x"], n - 1)
    if phrase == "day_of_year":
        return month_name(lang, datetime.strptime(f"2023 {n}", "%Y %j").month)
    if phrase == "weekday_of":
        return day_name(lang, date.fromisoformat(f["x"]))
    if phrase == "year_day":
        return day_name(lang, datetime.strptime(f"{f['y']} {n}", "%Y %j").date())
    there = code(lang, "countries" if phrase == "clock_country" else "capitals", f["y"])
    flown = timedelta(hours=n, minutes=int(f.get("m", 0)))
    return local_time(code(lang, "capitals", f["x"]), there, f["t"], flown)


@pytest.mark.parametrize("seed", SEEDS)
def test_answers_are_found_again_from_the_question_in_every_language(seed):
    for item in ONE.make(seed):
        assert item.answer == found_again(item), (item.lang, item.data["question"])


@pytest.mark.parametrize("seed", SEEDS)
def test_four_options_of_which_one_is_right(seed):
    for item in ONE.make(seed):
        assert len(set(item.choices)) == 4 and item.choices.count(item.answer) == 1
        wrong = next(c for c in item.choices if c != item.answer)
        assert ONE.score(item, f" {item.answer}") == 1.0 and ONE.grade(item, wrong).outcome == "wrong"


def test_items_are_parallel():
    """The same question in every language: equal figures, equal places in the tables, options in the same set."""
    kinds = defaultdict(dict)
    for item in ONE.make(SEEDS[1]):
        phrase, fills = read(item)
        kinds[item.level, item.data["kind"]][item.lang] = (phrase, same_everywhere(item, fills.values()),
                                                           sorted(same_everywhere(item, item.choices)))  # fmt: skip
    assert len(kinds) == 30
    for by_lang in kinds.values():
        assert sorted(by_lang) == LANGS
        found = list(by_lang.values())
        assert all(one[0] == found[0][0] and one[1:] == found[0][1:] for one in found)


def same_everywhere(item, names) -> list[str]:
    """Names by their place in the tables; a name in two tables (Thai: a country and its language) by both."""
    words = texts()[item.lang]
    places: dict[str, str] = {}
    for table in ("months", "days"):
        places |= {name: f"{table}/{k}" for k, name in enumerate(words[table])}
    kind = item.data["kind"]
    tables = ("languages", "countries", "capitals") if kind.startswith("language") else ("countries", "capitals")
    for table in tables:
        places = {name: f"{table}/{key}" for key, name in words[table].items()} | places
    if kind == "language":  # asked of a country, answered by a language
        places |= {words["countries"][c]: f"countries/{c}" for c in FACTS.UNLIKE_ITS_LANGUAGE}
    return [places.get(part, part) for name in names for part in name.split(words["comma"])]


@pytest.mark.parametrize("lang", LANGS)
def test_no_name_of_a_table_stands_for_two_things(lang):
    for table in ("months", "days", "countries", "capitals", "languages"):
        names = texts()[lang][table]
        names = list(names.values()) if isinstance(names, dict) else names
        assert len(set(names)) == len(names) and all(name == name.strip() and "\u00ad" not in name for name in names)
        assert not any(unicodedata.category(name[-1]) == "Cf" for name in names)
    assert len(texts()[lang]["months"]) == 12 and len(texts()[lang]["days"]) == 7


def test_every_language_has_every_phrase_with_the_same_blanks():
    blanks = {lang: {k: sorted(re.findall(r"{(\w)}", v)) for k, v in words.items() if isinstance(v, str)}
              for lang, words in texts().items()}  # fmt: skip
    assert len(LANGS) >= 14 and all(found == blanks["en"] for found in blanks.values())


# Names that stand otherwise than in CLDR, as running text has them: those of GeoNames where it has one in the language,
# the others by judgement.
OTHERWISE = {
    "ar": {"capitals": {"ar", "kr"}, "countries": {"dk", "hu"}, "languages": {"hu"}},
    "bn": {"capitals": {"ao", "ar", "ga", "ir", "is", "kr"}, "countries": {"jo"}},
    "de": {"languages": {"ne"}},
    "en": {"languages": {"bn"}},
    "hi": {"capitals": {"ar", "at", "be", "eg", "ga", "gh", "kr", "pl", "tg"}},
    "it": {"capitals": {"cu"}},
    "ko": {"capitals": {"ar", "at", "cu"}},
    "pt": {"capitals": {"bd"}},
    "ru": {"countries": {"kr"}},
    "te": {"capitals": {"dk", "ga", "is", "jo", "ke", "np", "pl", "se", "tg"}, "countries": {"ga"},
           "languages": {"bn"}},
    "th": {"capitals": {"bd", "hu", "ie", "ke", "np", "ro", "th"}, "languages": {"bn"}},
}  # fmt: skip


def differing(ours, cldr) -> set[str]:
    return {key for key, name in ours.items() if name != cldr(key)}


@pytest.mark.skipif(not babel.__version__.startswith("2.19"), reason="names were taken from the CLDR of Babel 2.19")
@pytest.mark.parametrize("lang", LANGS)
def test_names_are_those_of_cldr(lang):
    words, locale = texts()[lang], Locale(lang)
    assert words["days"] == [get_day_names("wide", "stand-alone", locale)[k] for k in range(7)]
    assert words["months"] == [get_month_names("wide", "stand-alone", locale)[k] for k in range(1, 13)]
    said = "ภาษา" if lang == "th" else ""  # Thai says "the language French", which CLDR leaves to the sentence
    found = {
        # Without the joiner that ends a Telugu name in CLDR: nobody who types the name would put it there.
        "countries": differing(words["countries"], lambda c: locale.territories[c.upper()].rstrip("\u200c")),
        "languages": differing(words["languages"], lambda c: said + locale.languages[c]),
        "capitals": differing(words["capitals"], lambda c: exemplar_city(locale, ZONES[c])),
    }
    assert {table: keys for table, keys in found.items() if keys} == OTHERWISE.get(lang, {})


def exemplar_city(locale: Locale, zone: str) -> str:
    """CLDR leaves out a city whose name is that of its zone; two zones stand there by their older names."""
    old = {"America/Argentina/Buenos_Aires": "America/Buenos_Aires", "Asia/Kathmandu": "Asia/Katmandu"}
    known = (locale.time_zones.get(z, {}).get("city") for z in (zone, old.get(zone)))
    return next(filter(None, known), zone.split("/")[-1].replace("_", " ")).replace("\u00ad", "")


def test_clocks_are_those_of_the_time_zone_database_and_none_is_changed_meanwhile():
    for country, minutes in FACTS.OFFSETS.items():
        found = {datetime(2024, 1, day, hour, tzinfo=ZoneInfo(ZONES[country])).utcoffset()
                 for day in (14, 15, 16, 17) for hour in range(24)}  # fmt: skip
        assert found == {timedelta(minutes=minutes)}, country
    assert any(minutes % 60 for minutes in FACTS.OFFSETS.values())


def test_languages_are_the_only_official_ones_and_no_regional_one_is_an_option():
    options = set(FACTS.LANGUAGE_OF.values())
    for country, spoken in FACTS.LANGUAGE_OF.items():
        assert get_official_languages(country.upper()) == (spoken,)
        also = set(get_official_languages(country.upper(), regional=True, de_facto=True)) - {spoken}
        assert not also & options, country


def test_the_answer_for_a_country_is_no_copy_of_its_name():
    for lang in LANGS:
        for country in FACTS.UNLIKE_ITS_LANGUAGE:
            name, spoken = (
                texts()[lang][t][k] for t, k in (("countries", country), ("languages", FACTS.LANGUAGE_OF[country]))
            )
            assert spoken not in name and name not in spoken


@pytest.mark.parametrize("seed", SEEDS)
def test_right_options_stand_evenly_in_all_places(seed):
    items = ONE.make(seed)
    for level in LEVELS:
        places = Counter(item.choices.index(item.answer) for item in items if item.level == level)
        assert set(places.values()) == {24}
    for lang in LANGS:
        places = Counter(item.choices.index(item.answer) for item in items if item.lang == lang)
        assert max(places.values()) - min(places.values()) <= 1


def drawn(seeds: range) -> list[tuple[str, ...]]:
    """The options of every question of many seeds, the right one first, before they are put in a language."""
    kinds = sys.modules[ONE.make.__module__].KINDS
    return [draw(rng).options for seed in seeds for level in LEVELS
            for rng in [stream(seed, f"test/{level}")] for draw in kinds[level].values()]  # fmt: skip


def test_the_right_figure_is_of_one_rank_as_often_as_of_another():
    figures = [options for options in drawn(range(1000)) if isinstance(options[0], str)]
    ranks = Counter(sorted(o, key=lambda c: int(c.replace(":", ""))).index(o[0]) for o in figures)
    assert len(figures) == 7000 and all(0.23 < n / 7000 < 0.27 for n in ranks.values())


def test_the_middle_of_neighbours_is_right_no_more_often_than_another():
    """A guesser that knows the order of months and days, but not the question."""
    hits = expected = 0.0
    for options in drawn(range(1000)):
        if options[0][0] not in ("months", "days"):
            continue
        size = 12 if options[0][0] == "months" else 7
        places = [k for _, k in options]
        middle = [p for p in places if {(p + 1) % size, (p - 1) % size} <= {*places}]
        hits += places[0] in middle
        expected += len(middle) / 4
    assert expected > 1000 and hits / expected < 1.05


def test_the_nearest_number_is_not_always_the_next():
    items = [item for seed in range(300, 340) for item in ONE.make(seed) if item.lang == "en"]
    items = [item for item in items if item.data["kind"] in ("by-2", "by-3", "by-5", "by-10")]
    hits = [ONE.score(i, ONE.trivial_answers(i)["the number nearest to the last one, or option 1"]) for i in items]
    assert len(hits) == 160 and sum(hits) / len(hits) < 0.4


def test_a_full_stop_of_the_language_does_not_spoil_an_answer():
    for lang, stop in (("zh", "。"), ("ja", "。"), ("hi", "।"), ("bn", "।"), ("de", ".")):
        item = next(i for i in ONE.items() if i.lang == lang and i.level == 2)
        letter = "ABCD"[item.choices.index(item.answer)]
        assert ONE.score(item, f"{item.answer}{stop}") == ONE.score(item, f"{letter}{stop}") == 1.0
    assert ONE.score(item, f"（{letter}）") == ONE.score(item, f"{letter}：{item.answer}") == 1.0


@pytest.mark.parametrize("lang, answer, ways", [
    ("zh", "十一月", ["11月", "１１月", "11月。"]), ("zh", "星期日", ["星期天", "周日"]),
    ("ja", "11月", ["十一月", "１１月"]), ("ko", "6월", ["유월", "6월."]), ("es", "lunes", ["Lunes", "LUNES."]),
    ("ar", "يناير", ["كانون الثاني"]), ("hi", "गुरुवार", ["बृहस्पतिवार"]), ("de", "Samstag", ["Sonnabend", "samstag"]),
])  # fmt: skip
def test_another_spelling_of_an_option_is_that_option(lang, answer, ways):
    item = next(i for seed in range(99) for i in ONE.make(seed) if (i.lang, i.answer) == (lang, answer))
    assert [ONE.score(item, way) for way in ways] == [1.0] * len(ways)
    wrong = next(c for c in item.choices if c != answer)
    other = dataclasses.replace(item, answer=wrong)
    assert [ONE.grade(other, way).outcome for way in ways] == ["wrong"] * len(ways)


def test_every_other_word_means_a_name_of_the_tables_and_is_none_itself():
    for lang, words in texts().items():
        names = {*words["months"], *words["days"]}
        also = words.get("also", {})
        assert set(also.values()) <= names and not set(also) & names, lang


def test_french_has_its_space_before_every_colon():
    for one in (ONE, suite("word-problems-multilingual")):
        prompts = [i.prompt for i in one.items(300) if i.lang == "fr"]
        assert prompts and not any(re.search(r"[^ \d]:|\d: ", prompt) for prompt in prompts)


def test_trivial_strategies_win_no_level():
    items = [item for seed in range(300, 340) for item in ONE.make(seed)]
    for level in LEVELS:
        assert chance_level(ONE, [item for item in items if item.level == level]).value <= 0.36
