"""Research: an archive of mills' yearly returns, in which the true figure is found by following links and rules.

An owner's return may be corrected, and a correction corrected; an inspector's survey stands above both; mills have
changed their names; some owners count in loads. Each figure is filed with the document that it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from harness.suites import beside

_shared, _drawing = beside(__file__, "_horizon"), beside(__file__, "_drawing")
Hands, Job, Judgement, Rng, State = _shared.Hands, _shared.Job, _shared.Judgement, _shared.Rng, _shared.State
known, listed, page_of, unlisted = _shared.known, _shared.listed, _shared.page_of, _shared.unlisted
between, pick = _drawing.between, _drawing.pick

SIZES = {1: (2, 4), 2: (5, 3), 3: (14, 3), 4: (37, 3), 5: (92, 3)}  # level -> mills asked for, years
_STARTS = ("Al", "Bor", "Cas", "Dun", "Esk", "Fal", "Gar", "Hol", "Ing", "Kel", "Lor", "Mar", "Nor", "Ost", "Pel",
           "Ras", "Sel", "Tor", "Ulv", "Wes")  # fmt: skip
_ENDS = ("bury", "dale", "den", "ford", "gate", "ham", "holm", "ley", "mere", "stead", "ton", "wick")
_GOODS = ("flour", "paper", "timber", "wool", "oil")
_WORD = re.compile(r"\w+")
_LOAD = 12  # crates
_TOLD = 3  # of the figures of level 1
Figure = tuple[int, str]  # crates, and the document they stand in


@dataclass(frozen=True)
class Late:
    """A supplement to a survey that comes in during the work, and whose figure it is."""

    call: int
    document: str
    mill: str
    year: int
    figure: Figure


@dataclass(frozen=True)
class Plan:
    documents: Mapping[str, tuple[str, str]]  # id -> (title, text)
    words: Mapping[str, frozenset[str]]  # of the titles
    asked: Mapping[tuple[str, int], Figure]  # by the name that the task has
    late: tuple[Late, ...]
    totals: bool = True  # the total is asked for too


class _Archive:
    """An archive as it is written, with the figure that each mill and year has in the end.

    Ids of documents are drawn, so that their order says nothing.
    """

    def __init__(self, rng: Rng, level: int, goods: str, years: range, room: int) -> None:
        self.rng, self.level, self.goods, self.years = rng, level, goods, years
        self.ids = [f"D{n}" for n in rng.permutation(9 * room)[:room] + room]
        self.documents: dict[str, tuple[str, str]] = {}
        self.figures: dict[tuple[str, int], Figure] = {}
        self.measured: dict[int, list[tuple[str, int]]] = {year: [] for year in years}  # by the inspector

    def add(self, title: str, text: str) -> str:
        new = self.ids.pop()
        self.documents[new] = (title, text)
        return new

    def crates(self) -> int:
        return between(self.rng, 130, 980)

    def mill(self, mill: str, former: str) -> None:
        """All documents of a mill; `former`: a name it had once, or nothing."""
        returns = ", ".join(f"{year}: {self.year(mill, year)}" for year in self.years)
        before = f" Until {self.years[0] - between(self.rng, 1, 20)} it was called {former}." if former else ""
        self.add(f"Card: {mill}", f"Mill of {mill}, {self.goods}.{before} Returns: {returns}")
        if former:
            self.add(f"Change of name: {former}", f"The mill {former} goes by the name {mill} now.")
        self.add(f"Street names: {mill} Lane", f"{mill} Lane leads to the river. It is not named for the mill.")

    def year(self, mill: str, year: int) -> str:
        """The owner's return, whose document is returned, and its corrections."""
        rng, crates = self.rng, self.crates()
        loads = self.level > 1 and rng.random() < 0.3
        amount = f"{crates // _LOAD} loads and {crates % _LOAD} crates" if loads else f"{crates} crates"
        chain = [crates, *(self.crates() for p in (0.4, 0.2 * (self.level > 2)) if rng.random() < p)]
        below, source = "", ""
        # The last correction is written first, so that the one before can name it.
        for old, new in reversed(list(pairwise(chain))):
            words = f"Correction for {mill}, {year}: for {old} crates read {new} crates.{below}"
            at = self.add(f"Correction: {mill} {year}", words)
            source, below = source or at, f" Corrected by {at}."
        text = f"Return of the mill {mill} for {year} by its owner: {amount} of {self.goods}.{below}"
        first = self.add(f"Return: {mill} {year}", text)
        self.figures[mill, year] = (chain[-1], source or first)
        if self.level > 1 and rng.random() < 0.25:
            self.measured[year].append((mill, self.crates()))
        return first

    def surveys(self) -> None:
        """The inspector's survey of each year, six mills a part."""
        for year, measured in self.measured.items():
            for part in range(-(-len(measured) // 6)):
                some = measured[part * 6 : part * 6 + 6]
                lines = "; ".join(f"{mill}: {crates} crates" for mill, crates in some)
                at = self.add(f"Survey: {year} part {part + 1}", f"The inspector's survey of {year}. {lines}.")
                self.figures |= {(mill, year): (crates, at) for mill, crates in some}

    def supplement(self, call: int, mill: str, asked_as: str, year: int) -> Late:
        crates = self.crates()
        words = f"Supplement to the inspector's survey of {year}. {mill}: {crates} crates."
        at = self.add(f"Survey: {year} supplement {mill}", words)
        return Late(call, at, asked_as, year, (crates, at))


def _draw(rng: Rng, level: int) -> tuple[list[str], Plan]:
    n, span = SIZES[level]
    first, goods = between(rng, 1880, 1930), pick(rng, _GOODS)
    years = range(first, first + span)
    archive = _Archive(rng, level, goods, years, 40 * n + 200)
    names = [f"{_STARTS[int(i) // 12]}{_ENDS[int(i) % 12]}" for i in rng.permutation(240)[: 2 * n + 4]]
    mills, others, former = names[:n], names[n : n + 4], names[n + 4 :]
    # From level 2 on some mills are asked for by the name that they had before.
    asked_as = {m: old if level > 1 and rng.random() < 0.3 else m for m, old in zip(mills, former, strict=True)}
    for mill in (*mills, *others):
        old = asked_as.get(mill, mill)
        archive.mill(mill, old if old != mill else "")
    archive.surveys()
    late = tuple(archive.supplement(6 * n * (k + 1) // level + 5, m := mills[k % n], asked_as[m], years[k % span])
                 for k in range(level - 1))  # fmt: skip
    asked = {(asked_as[m], year): archive.figures[m, year] for m in mills for year in years}
    titles = {at: frozenset(_WORD.findall(title.casefold())) for at, (title, _) in archive.documents.items()}
    plan = Plan(archive.documents, titles, asked, late)
    if level == 1:
        return [_piece(plan, m, year, goods, k < _TOLD) for k, (m, year) in enumerate(asked)], replace(
            plan, totals=False)  # fmt: skip
    task = (
        f"Find how many crates of {goods} the mills {listed(list(asked_as.values()))} made in "
        f"{listed(list(map(str, years)))}. File each figure with its document, under the name given here, and "
        "then the total of all figures."
    )
    return [task], plan


def _piece(plan: Plan, mill: str, year: int, goods: str, told: bool) -> str:
    """A piece of level 1: what is to be filed, or to be found out first."""
    crates, document = plan.asked[mill, year]
    if told:
        return (f"The mill {mill} made {crates} crates of {goods} in {year}, says the document {document}. File the "
                "figure with its document.")  # fmt: skip
    return f"Find how many crates of {goods} the mill {mill} made in {year}. File the figure with its document."


def _start(plan: Plan) -> dict[str, Any]:
    return {"filed": {}, "total": [], "came": 0}


def _event(state: State) -> str:
    late = state["plan"].late
    if state["came"] == len(late) or state["clock"] < late[state["came"]].call:
        return ""
    new = late[state["came"]]
    state["came"] += 1
    return f"New in the archive: {new.document}, a supplement to the survey of {new.year}."


def _judge(state: Mapping[str, Any]) -> Judgement:
    """A goal for each figure filed right with its document, one for the total. Damage: wrong figures filed."""
    plan: Plan = state["plan"]
    true = {**plan.asked, **{(late.mill, late.year): late.figure for late in plan.late[: state["came"]]}}
    right = [state["filed"].get(key) == figure for key, figure in true.items()]
    total = state["total"][-1:] == [sum(crates for crates, _ in true.values())]
    return Judgement([*right, total] if plan.totals else right, len(state["filed"]) - sum(right))


def _hidden(state: Mapping[str, Any]) -> set[str]:
    return {late.document for late in state["plan"].late[state["came"] :]}


# ---- tools ----
def search(state: State, words: str, page: int = 1) -> dict:
    """Documents whose title has all the words, ten a page"""
    plan: Plan = state["plan"]
    wanted, hidden = set(_WORD.findall(words.casefold())), _hidden(state)
    found = [f"{at}: {plan.documents[at][0]}" for at, has in plan.words.items() if wanted <= has and at not in hidden]
    return page_of(found, page)


def read(state: State, document: str) -> dict:
    """A document's title and text"""
    if document in _hidden(state):
        raise ValueError(f"there is no document '{document}'")
    title, text = known(state["plan"].documents, document, "document")
    return {"title": title, "text": text}


def file_figure(state: State, mill: str, year: int, crates: int, document: str) -> str:
    """File a figure with the document it comes from; filing it again replaces it"""
    if (mill, year) not in state["plan"].asked:
        raise ValueError(f"{mill} in {year} is not asked for")
    state["filed"][mill, year] = (crates, document)
    return f"filed: {mill} {year}"


def file_total(state: State, crates: int) -> str:
    """File the total of all figures; the last one counts"""
    state["total"] = [*state["total"], crates]
    return "filed"


# ---- an expert, who knows only what the tools return ----
def _expert(do: Hands, task: str) -> None:
    if told := re.match(r"The mill (\w+) made (\d+) crates of \w+ in (\d+), says the document (\w+)\.", task):
        do("file_figure", mill=told[1], year=int(told[3]), crates=int(told[2]), document=told[4])
        return
    filed: dict[tuple[str, int], tuple[str, int]] = {}  # by the mill's present name: name in the task, crates
    mills, years = _asked(task)
    measured: dict[tuple[str, int], tuple[int, str]] = {}
    for year in years:
        for line in do.pages("search", words=f"survey {year}"):
            _note(do, line.partition(":")[0], measured)
    for mill in mills:
        name, returns = _card(do, mill)
        for year in years:
            crates, document = measured.get((name, year)) or _figure(do, returns[year])
            do("file_figure", mill=mill, year=year, crates=crates, document=document)
            filed[name, year] = (mill, crates)
        _news(do, measured, filed)
    total = sum(crates for _, crates in filed.values()) if "total" not in task else -1
    while total != (total := sum(crates for _, crates in filed.values())):
        do("file_total", crates=total)
        _news(do, measured, filed)


def _asked(task: str) -> tuple[list[str], list[int]]:
    """The mills and years that a task names."""
    mills, years = re.search(r"the mills? (.*) made in ([^.]*)\.", task).groups()
    return unlisted(mills), [int(year) for year in unlisted(years)]


def _news(do: Hands, measured: dict, filed: dict) -> None:
    """Read what has come in; a figure already filed is filed anew."""
    while do.notices:
        at = re.match(r"New in the archive: (D\d+)", do.notices.pop(0))[1]
        for name, year in _note(do, at, measured):
            if (name, year) in filed:
                mill, crates = filed[name, year][0], measured[name, year][0]
                do("file_figure", mill=mill, year=year, crates=crates, document=at)
                filed[name, year] = (mill, crates)


def _note(do: Hands, document: str, measured: dict) -> list[tuple[str, int]]:
    """Keep what a survey has measured: it is needed much later."""
    text = do("read", document=document)["text"]
    year = int(re.search(r"survey of (\d+)", text)[1])
    found = re.findall(r"(\w+): (\d+) crates", text)
    measured |= {(mill, year): (int(crates), document) for mill, crates in found}
    return [(mill, year) for mill, _ in found]


def _card(do: Hands, mill: str) -> tuple[str, dict[int, str]]:
    """(present name, year -> return) of a mill."""
    found = dict(reversed(line.split(": ", 1)) for line in do.pages("search", words=mill))
    while f"Card: {mill}" not in found:
        text = do("read", document=found[f"Change of name: {mill}"])["text"]
        mill = re.search(r"goes by the name (\w+)", text)[1]
        found = dict(reversed(line.split(": ", 1)) for line in do.pages("search", words=f"card {mill}"))
    text = do("read", document=found[f"Card: {mill}"])["text"]
    return mill, {int(year): at for year, at in re.findall(r"(\d+): (D\d+)", text)}


def _figure(do: Hands, document: str) -> tuple[int, str]:
    """(crates, document) at the end of a chain of corrections."""
    while True:
        text = do("read", document=document)["text"]
        if not (below := re.search(r"Corrected by (D\d+)", text)):
            break
        document = below[1]
    if m := re.search(r"read (\d+) crates", text):
        return int(m[1]), document
    loads, crates = re.search(r"(?:(\d+) loads and )?(\d+) crates", text).groups()
    return int(loads or 0) * _LOAD + int(crates), document


def _trivial(pieces: Sequence[str]) -> Mapping[str, str]:
    asked = [_asked(piece) for piece in pieces if not piece.startswith("The mill")]
    blind = [f"Action: [file_figure(mill={mill!r}, year={year}, crates=500, document='D100')]"
             for mills, years in asked for mill in mills for year in years]  # fmt: skip
    return {"files one guess everywhere": "\n".join(blind)}


JOB = Job(
    rules=(
        f"You do research in an archive by calling functions. A load is {_LOAD} crates. An owner's return says what "
        "was made, unless a correction is named in it, which then stands in its place, and may be corrected itself. "
        "What the inspector's survey of a year has measured stands above both, and a supplement to it above that. File "
        "the document whose figure counts in the end. A wrong figure that is filed takes a right one away from your "
        "result. Heed the notices."
    ),
    example=(
        "User: Find how many crates of salt the mill Tarn made in 1870. File the figure with its document.\n"
        "Action: [search(words='return Tarn 1870')]\n"
        'Observation: {"found": ["D7: Return: Tarn 1870"], "page": 1, "pages": 1}\nAction: [read(document=\'D7\')]\n'
        'Observation: {"title": "Return: Tarn 1870", "text": "Return of the mill Tarn for 1870 by its owner: 88 crates '
        "of salt.\"}\nAction: [file_figure(mill='Tarn', year=1870, crates=88, document='D7')]\n"
        'Observation: "filed: Tarn 1870"\nAnswer: It is filed.'
    ),
    first_rules=(
        "You do research in an archive by calling functions. An owner's return says what was made, unless a correction "
        "is named in it, which then stands in its place, and may be corrected itself. File the document whose figure "
        "counts in the end. A wrong figure that is filed takes a right one away from your result."
    ),
    first_example=(
        "User: Find how many crates of salt the mill Osk made in 1872. File the figure with its document.\n"
        "Action: [search(words='return Osk 1872')]\n"
        'Observation: {"found": ["D9: Return: Osk 1872"], "page": 1, "pages": 1}\n'
        "Action: [read(document='D9')]\n"
        'Observation: {"title": "Return: Osk 1872", "text": "Return of the mill Osk for 1872 by its owner: '
        '93 crates of salt."}\n'
        "Action: [file_figure(mill='Osk', year=1872, crates=93, document='D9')]\n"
        'Observation: "filed: Osk 1872"\n'
        "Answer: It is filed.\n"
        "User: The mill Tarn made 88 crates of salt in 1870, says the document D7. File the figure with its "
        "document.\n"
        "Action: [file_figure(mill='Tarn', year=1870, crates=88, document='D7')]\n"
        'Observation: "filed: Tarn 1870"\n'
        "Answer: It is filed.\n"
        "User: The mill Osk made 145 crates of salt in 1871, says the document D31. File the figure with its "
        "document.\n"
        "Action: [file_figure(mill='Osk', year=1871, crates=145, document='D31')]\n"
        'Observation: "filed: Osk 1871"\n'
        "Answer: It is filed."
    ),
    tools=(search, read, file_figure, file_total), told=(file_figure,), found=(search, read), opens="Find",
    draw=_draw, start=_start, judge=_judge, expert=_expert, event=_event, trivial=_trivial,
)  # fmt: skip
