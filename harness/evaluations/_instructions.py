"""The instructions of IFEval that a program can check: `CHECKS[id](text, arguments)` is whether a text follows one.

What each demands is as Zhou and others 2023 (arXiv 2311.07911) describe it and as their published checkers decide;
written afresh. Two differ where those need a trained splitter: sentences end at a full stop, question or exclamation
mark before white space (an abbreviation or an initial ends none), and words in capitals are those between spaces,
their punctuation taken off.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from harness.errors import UserMistake

Check = Callable[[str, Mapping[str, Any]], bool]
CHECKS: dict[str, Check] = {}
_ABBREVIATION = re.compile(r"(?:\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|etc|e\.g|i\.e|approx|No|Inc|Ltd|Co))\.\Z")
_FENCES = ("```json", "```Json", "```JSON", "```")


def _check(name: str) -> Callable[[Check], Check]:
    def keep(function: Check) -> Check:
        CHECKS[name] = function
        return function

    return keep


def _compared(count: int, relation: str | None, wanted: int) -> bool:
    return count < wanted if relation == "less than" else count >= wanted


def sentences(text: str) -> int:
    """How many sentences a text has.

    >>> sentences("It is 3.5 km. Dr. Who left! Why?")
    3
    """
    parts = re.split(r"(?<=[.!?])[\"')\]]*\s+", text.strip())
    return sum(bool(part.strip()) and not _ABBREVIATION.search(part) for part in parts[:-1]) + bool(parts[-1].strip())


def language(text: str) -> str | None:
    """ISO 639-1 code of a text's language; None where it has no letters to tell.

    Raises UserMistake without langdetect.
    """
    try:
        import langdetect
    except ImportError as error:
        raise UserMistake("ifeval tells languages with langdetect: pip install 'stackline[ifeval]'") from error
    langdetect.DetectorFactory.seed = 0  # it draws: the same answer every time
    try:
        return langdetect.detect(text)
    except langdetect.LangDetectException:
        return None


@_check("keywords:existence")
def _keywords(text, given):
    return all(re.search(word, text, re.IGNORECASE) for word in given["keywords"])


@_check("keywords:frequency")
def _frequency(text, given):
    found = len(re.findall(given["keyword"].strip(), text, re.IGNORECASE))
    return _compared(found, given.get("relation"), given["frequency"])


@_check("keywords:forbidden_words")
def _forbidden(text, given):
    return not any(re.search(rf"\b{word}\b", text, re.IGNORECASE) for word in given["forbidden_words"])


@_check("keywords:letter_frequency")
def _letters(text, given):
    return _compared(text.lower().count(given["letter"].lower()), given.get("let_relation"), given["let_frequency"])


@_check("language:response_language")
def _in_language(text, given):
    return language(text) in (given["language"], None)


@_check("length_constraints:number_sentences")
def _number_of_sentences(text, given):
    return _compared(sentences(text), given.get("relation"), given["num_sentences"])


@_check("length_constraints:number_paragraphs")
def _paragraphs(text, given):
    parts = re.split(r"\s?\*\*\*\s?", text)
    inner = [part for k, part in enumerate(parts) if part.strip() or 0 < k < len(parts) - 1]
    return all(part.strip() for part in inner) and len(inner) == given["num_paragraphs"]


@_check("length_constraints:number_words")
def _number_of_words(text, given):
    return _compared(len(re.findall(r"\w+", text)), given.get("relation"), given["num_words"])


@_check("length_constraints:nth_paragraph_first_word")
def _first_word(text, given):
    parts = text.split("\n\n")
    full, place = sum(bool(part.strip()) for part in parts), given["nth_paragraph"]
    if place > full or not parts[place - 1].strip():
        return False
    word = re.split(r"[.,?!'\"]", parts[place - 1].split()[0].lstrip("'").lstrip('"'))[0].lower()
    return full == given["num_paragraphs"] and word == given["first_word"].lower()


@_check("detectable_content:number_placeholders")
def _placeholders(text, given):
    return len(re.findall(r"\[.*?\]", text)) >= given["num_placeholders"]


@_check("detectable_content:postscript")
def _postscript(text, given):
    marker = given["postscript_marker"].strip()
    forms = {"P.P.S": r"p\.\s?p\.\s?s", "P.S.": r"p\.\s?s\."}
    return re.search(forms.get(marker, re.escape(marker.lower())), text.lower()) is not None


@_check("detectable_format:number_bullet_lists")
def _bullets(text, given):
    return len(re.findall(r"^\s*(?:\*[^*\n]|-).*$", text, re.MULTILINE)) == given["num_bullets"]


@_check("detectable_format:constrained_response")
def _constrained(text, given):
    return any(f"My answer is {word}." in text for word in ("yes", "no", "maybe"))


@_check("detectable_format:number_highlighted_sections")
def _highlights(text, given):
    once = [part for part in re.findall(r"\*[^\n*]*\*", text) if part.strip("*").strip()]
    twice = [part for part in re.findall(r"\*\*[^\n*]*\*\*", text) if part[2:-2].strip()]
    return len(once) + len(twice) >= given["num_highlights"]


@_check("detectable_format:multiple_sections")
def _sections(text, given):
    return len(re.findall(rf"\s?{given['section_spliter'].strip()}\s?\d+\s?", text)) >= given["num_sections"]


@_check("detectable_format:json_format")
def _json(text, given):
    body = text.strip()
    for fence in _FENCES:
        body = body.removeprefix(fence)
    try:
        json.loads(body.removesuffix("```").strip())
    except ValueError:
        return False
    return True


@_check("detectable_format:title")
def _title(text, given):
    return any(title.lstrip("<").rstrip(">").strip() for title in re.findall(r"<<[^\n]+>>", text))


@_check("combination:two_responses")
def _two_responses(text, given):
    parts = text.split("******")
    inner = [part.strip() for k, part in enumerate(parts) if part.strip() or 0 < k < len(parts) - 1]
    return len(inner) == 2 and all(inner) and inner[0] != inner[1]


@_check("combination:repeat_prompt")
def _repeated(text, given):
    return text.strip().lower().startswith(given["prompt_to_repeat"].strip().lower())


@_check("startend:end_checker")
def _ending(text, given):
    return text.strip().strip('"').lower().endswith(given["end_phrase"].strip().lower())


@_check("startend:quotation")
def _quoted(text, given):
    return len(text.strip()) > 1 and text.strip()[0] == text.strip()[-1] == '"'


@_check("change_case:capital_word_frequency")
def _capital_words(text, given):
    words = [word.strip(".,;:!?\"'()[]") for word in text.split()]
    return _compared(sum(word.isupper() for word in words), given.get("capital_relation"), given["capital_frequency"])


@_check("change_case:english_capital")
def _all_capitals(text, given):
    return text.isupper() and language(text) in ("en", None)


@_check("change_case:english_lowercase")
def _all_lowercase(text, given):
    return text.islower() and language(text) in ("en", None)


@_check("punctuation:no_comma")
def _no_comma(text, given):
    return "," not in text
