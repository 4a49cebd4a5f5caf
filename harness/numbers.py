"""Numbers in running text, as people of many languages write them.

Digits of any script, thousands grouped by comma, full stop, apostrophe or space, Indian grouping, a decimal
comma or point by language, Chinese numerals with 万 and 亿, Korean figures with 만 and 억. What one language writes
as 1.234 another reads as one and a bit: `lang` decides where the text alone cannot.

    >>> [str(n) for n in numbers("1.234 kg, dann 5,5 kg", "de")]
    ['1234', '5.5']
    >>> [str(n) for n in numbers("1,234 kg and ১২ more", "en")]
    ['1234', '12']
    >>> [str(n) for n in numbers("一共3万5千元，还有一百二十", "zh")]
    ['35000', '120']
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

DECIMAL_COMMA = frozenset("cs da de el es fi fr hu id it nb nl pl pt ro ru sv tr uk vi".split())
SPACE_GROUPS = frozenset("cs fi fr hu nb pl pt ru sv uk".split())
HAN_NUMERALS = frozenset(("zh", "ja"))

_HAN_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_HAN_TENS = {"十": 10, "百": 100, "千": 1000}
_HAN_MYRIADS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_HAN = "".join([*_HAN_DIGITS, *_HAN_TENS, *_HAN_MYRIADS])

# Korean writes digits with the same units in its own script, a space after 만 and 억: 3만 5천.
_KOREAN_UNITS = str.maketrans("십백천만억", "十百千万億", " ")
_KOREAN_FIGURE = re.compile(r"\d[\d.,]*[십백천만억]+(?: ?\d[\d.,]*[십백천만억]+|(?<=[만억]) ?\d+(?:,\d{3})*|\d+)*")

_SIGN = r"(?<![\d)\]])[-\u2212](?=\d)"
_FIGURE = re.compile(rf"(?:{_SIGN})?\d+(?:[.,'\u2019\u00a0\u202f\u2009 ]\d+)*")
_HAN_FIGURE = re.compile(rf"(?:{_SIGN})?(?:[\d][\d.,]*[十百千万萬亿億]|[{_HAN}])(?:[\d.,]*[{_HAN}]|\d+(?:,\d{{3}})*)*")


def numbers(text: str, lang: str = "en") -> list[Decimal]:
    """Every number in the text, in order."""
    text = plain_digits(text)
    if lang == "ko":
        text = _KOREAN_FIGURE.sub(
            lambda match: _HAN_FIGURE.sub(_han_to_digits, match[0].translate(_KOREAN_UNITS)), text
        )
    if lang in HAN_NUMERALS:
        text = _HAN_FIGURE.sub(_han_to_digits, text)
    found = []
    for match in _FIGURE.finditer(text):
        found += [_value(piece, lang) for piece in _pieces(match.group(), lang)]
    return found


def plain_digits(text: str) -> str:
    """The text with digits of every script, and the separators that belong to them, as in ASCII."""
    swaps = {"٫": ".", "٬": ",", "．": ".", "，": "，", "＋": "+", "−": "-"}
    return "".join(swaps.get(c) or (str(unicodedata.decimal(c)) if c.isdecimal() else c) for c in text)


def _pieces(figure: str, lang: str) -> list[str]:
    """One figure, or several where the separators do not group: "3, 4" never gets here, "3,4,5" does."""
    sign, body = ("-", figure[1:]) if figure[0] in "-\u2212" else ("", figure)
    spaces = "\u00a0\u202f\u2009" + (" " if lang in SPACE_GROUPS else "")
    for separator in ["'", "\u2019", *spaces]:
        body = re.sub(rf"(?<![\d.,])(\d{{1,3}}(?:{separator}\d{{3}})+)(?!\d)", _without(separator), body)
    pieces = re.split(r"['\u2019\u00a0\u202f\u2009 ]", body)
    pieces = [part for piece in pieces for part in _split_lists(piece)]
    pieces[0] = sign + pieces[0]
    return pieces


def _without(separator: str):
    return lambda match: match.group().replace(separator, "")


def _split_lists(piece: str) -> list[str]:
    """ "1,2,3" is three numbers; "1,234,567" and "1,23,456" are one."""
    for separator in ",.":
        if piece.count(separator) > 1 and not _groups(piece, separator):
            return [part for half in piece.split(separator) for part in _split_lists(half)]
    return [piece]


def _groups(piece: str, separator: str) -> bool:
    """Whether the separator groups thousands in this piece (by three, or by two and three as in India)."""
    s = re.escape(separator)
    return (
        re.match(rf"\d{{1,3}}(?:{s}\d{{3}})+(?![\d{s}])|\d{{1,2}}(?:{s}\d{{2}})+{s}\d{{3}}(?![\d{s}])", piece)
        is not None
    )


def _value(piece: str, lang: str) -> Decimal:
    comma, point = piece.rfind(","), piece.rfind(".")
    decimal = "," if lang in DECIMAL_COMMA else "."
    if comma >= 0 and point >= 0:
        decimal = "," if comma > point else "."
    else:
        other = "." if decimal == "," else ","
        # A separator foreign to the language that cannot group thousands can only be decimal: 1.5 in German.
        if other in piece and not _groups(piece.lstrip("-\u2212"), other):
            decimal = other
        elif piece.count(decimal) > 1:
            decimal = other
    grouping = "." if decimal == "," else ","
    return Decimal(piece.replace("\u2212", "-").replace(grouping, "").replace(decimal, "."))


def _korean_to_digits(match: re.Match) -> str:
    return _HAN_FIGURE.sub(_han_to_digits, match[0].translate(_KOREAN_UNITS))


def _han_to_digits(match: re.Match) -> str:
    """Chinese numerals as digits; a lone digit word stays, for it is mostly part of another word (一共)."""
    text = match.group()
    if (len(text) == 1 and text in _HAN_DIGITS) or not any(c in _HAN for c in text):
        return text if match.group() != match.string.strip() else str(_HAN_DIGITS[text])
    total, section, digit = Decimal(0), Decimal(0), None
    for token in re.findall(r"[\d][\d.,]*|.", text.lstrip("-\u2212")):
        if token[0].isdigit():
            digit = _value(token.rstrip(".,"), "zh")
        elif token in _HAN_DIGITS:
            digit = Decimal(_HAN_DIGITS[token]) if digit is None else digit * 10 + _HAN_DIGITS[token]
        elif token in _HAN_TENS:
            section, digit = section + (1 if digit is None else digit) * _HAN_TENS[token], None
        else:
            total += ((section + (digit or 0)) or 1) * _HAN_MYRIADS[token]
            section, digit = Decimal(0), None
    value = total + section + (digit or 0)
    sign = "-" if text[0] in "-\u2212" else ""
    return f" {sign}{value.normalize():f} "
