"""Numbers are read as their writers meant them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.numbers import numbers, plain_digits

CASES = [
    ("The answer is 42.", "en", "42"),
    ("1,234,567", "en", "1234567"),
    ("1,234", "en", "1234"),
    ("1,234", "de", "1.234"),
    ("1.234", "de", "1234"),
    ("1.5", "de", "1.5"),
    ("1,5", "en", "1.5"),
    ("1.234.567,89", "es", "1234567.89"),
    ("1,234,567.89", "de", "1234567.89"),
    ("1 234 567", "fr", "1234567"),
    ("1\u202f234,5", "fr", "1234.5"),
    ("10 000", "ru", "10000"),
    ("1\u2019234.50", "de", "1234.50"),
    ("12,34,567", "te", "1234567"),
    ("১২৩", "bn", "123"),
    ("๔๕๖", "th", "456"),
    ("౭౮౯", "te", "789"),
    ("१२३", "hi", "123"),
    ("١٬٢٣٤٫٥", "ar", "1234.5"),
    ("３０００円", "ja", "3000"),
    ("一千零五", "zh", "1005"),
    ("两百五十", "zh", "250"),
    ("十二", "ja", "12"),
    ("1.5万", "zh", "15000"),
    ("3万5千", "zh", "35000"),
    ("二十亿", "zh", "2000000000"),
    ("三", "zh", "3"),
    ("3만 5천 원", "ko", "35000"),
    ("1만 2,500원", "ko", "12500"),
    ("5천", "ko", "5000"),
    ("2억 3천만 원", "ko", "230000000"),
    ("1.234,5", "pt", "1234.5"),
    ("\u22125", "en", "-5"),
    ("-5", "en", "-5"),
]


@pytest.mark.parametrize(("text", "lang", "value"), CASES)
def test_one_number(text, lang, value):
    assert numbers(text, lang) == [Decimal(value)]


@pytest.mark.parametrize(
    ("text", "lang", "values"),
    [
        ("", "en", []),
        ("none, at all. - ' ,", "en", []),
        ("31, 32, 33,34,35", "en", [31, 32, 33, 34, 35]),
        ("80, 85", "de", [80, 85]),
        ("7-3 = 4", "en", [7, 3, 4]),
        ("12 345", "en", [12, 345]),
        ("一共12个", "zh", [12]),
        ("감자 3 kg, 모두 12개와 3만 5천 원", "ko", [3, 12, 35000]),
        ("答えは3つの箱で30個です", "ja", [3, 30]),
        ("3 + 4 = 7.", "en", [3, 4, 7]),
    ],
)
def test_several_numbers(text, lang, values):
    assert numbers(text, lang) == values


@given(st.integers(0, 10**9), st.sampled_from("en de fr es it ru zh ja th sw bn te".split()))
def test_grouped_thousands_read_back(value, lang):
    groupings = {"de": ".", "es": ".", "it": ".", "fr": "\u202f", "ru": "\u00a0"}
    assert numbers(f"{value:,}".replace(",", groupings.get(lang, ",")), lang) == [value]


@given(st.integers(0, 10**9), st.sampled_from("0٠०০౦๐０"))
def test_digits_of_every_script_read_back(value, zero):
    assert numbers("".join(chr(ord(zero) + int(d)) for d in str(value))) == [value]


@given(st.text(max_size=60), st.sampled_from("en de fr zh ja te".split()))
def test_no_text_breaks_the_parser(text, lang):
    assert all(isinstance(n, Decimal) for n in numbers(text, lang))
    assert isinstance(plain_digits(text), str)
