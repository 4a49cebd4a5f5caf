"""Facts behind knowledge-multilingual, the same for every language; the tests find them again in other places.

Left out: countries with two capitals or one about to move (Bolivia, Indonesia), and for languages those with several
official ones or a regional one that could stand beside the answer (Austria, Denmark, Italy, Poland).
"""

from __future__ import annotations

# Minutes east of UTC on 15 and 16 January 2024 in each country's capital, no clock being changed on these days
# (IANA time zone database).
OFFSETS = {
    "af": 270, "ao": 60, "ar": -180, "at": 60, "bd": 360, "be": 60, "bg": 120, "cu": -300, "cz": 60, "de": 60, "dk": 60,
    "eg": 120, "es": 60, "fi": 120, "fr": 60, "ga": 60, "gb": 0, "gh": 0, "gr": 120, "hu": 60, "iq": 180, "ir": 210,
    "is": 0, "it": 60, "jo": 180, "jp": 540, "kr": 540, "mz": 120, "no": 60, "np": 345, "pe": -300, "pl": 60, "pt": 0,
    "ro": 120, "ru": 180, "se": 60, "tg": 0, "th": 420, "uy": -180,
}  # fmt: skip
# The one official language of the whole country (CLDR; in law or in fact).
LANGUAGE_OF = {
    "ao": "pt", "ar": "es", "bd": "bn", "bg": "bg", "cu": "es", "cz": "cs", "de": "de", "eg": "ar", "es": "es",
    "fr": "fr", "ga": "fr", "gb": "en", "gh": "en", "gr": "el", "hu": "hu", "ir": "fa", "is": "is", "jo": "ar",
    "jp": "ja", "kr": "ko", "mz": "pt", "np": "ne", "pt": "pt", "ro": "ro", "ru": "ru", "se": "sv", "tg": "fr",
    "th": "th", "uy": "es",
}  # fmt: skip
# Of these, countries whose language is not named after them, so that the answer is not a copy of the question.
UNLIKE_ITS_LANGUAGE = ("ao", "ar", "cu", "eg", "ga", "gb", "gh", "ir", "jo", "mz", "tg", "uy")
# Countries and capitals that many have heard of: the easier questions ask for these.
WELL_KNOWN = (
    "at", "be", "cu", "cz", "de", "dk", "eg", "es", "fi", "fr", "gb", "gr", "hu", "iq", "ir", "it", "jp", "kr", "no",
    "pe", "pl", "pt", "ru", "se", "th",
)  # fmt: skip
DAYS_OF_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
