"""Compliance: a register of contracts to be checked against written rules with exceptions, findings with evidence.

Whether a contract breaks a rule is told by several systems: the register, the payments, the suppliers, the documents
that prove an exception. A rule is amended while the work goes on, for contracts already decided too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate
from typing import Any

from harness.suites import beside

_shared, _drawing = beside(__file__, "_horizon"), beside(__file__, "_drawing")
Hands, Job, Judgement, Rng, State = _shared.Hands, _shared.Job, _shared.Judgement, _shared.Rng, _shared.State
known, page_of, between, pick = _shared.known, _shared.page_of, _drawing.between, _drawing.pick

SIZES = {1: (13, 1), 2: (12, 3), 3: (26, 4), 4: (67, 4), 5: (160, 5)}  # level -> contracts, rules in force
_TYPES = ("works", "services", "supplies")
_OFFICES = ("airport", "art museum", "city", "harbour", "hospital", "library", "railway", "university", "waterworks")
_PAGE = 4  # payments


@dataclass(frozen=True)
class Contract:
    supplier: str
    type: str
    value: int
    signed: date
    signatures: int
    offers: int
    payments: tuple[tuple[str, date, int], ...]  # in the order of their dates
    documents: tuple[str, ...]


@dataclass(frozen=True)
class Limits:
    """The sums that the rules name, and from when on the amended one counts."""

    two_signatures: int
    three_offers: int
    amended: int = 0
    since: date = date.max

    def signatures_from(self, signed: date) -> int:
        return self.amended if signed >= self.since else self.two_signatures


@dataclass(frozen=True)
class Plan:
    contracts: Mapping[str, Contract]
    suppliers: Mapping[str, date]  # insured until
    documents: Mapping[str, str]
    rules: tuple[str, ...]
    limits: Limits
    amendment: Limits
    amended_at: int  # call; 0: never


_RULES = {
    "R1": "A contract of {two} EUR or more has two signatures. Exception: supplies. Evidence: the contract.",
    "R2": "Payments do not come to more than the contract's value. Exception: up to a tenth more, where the contract "
          "lists a document that is a change order. Evidence: the payment with which the sum is first above what is "
          "allowed.",
    "R3": "On the day of signing the supplier is insured. Evidence: the supplier.",
    "R4": "Nothing is paid before the day of signing. Exception: where the contract lists a document that is an agreed "
          "advance. Evidence: the first payment.",
    "R5": "A contract of {three} EUR or more has three offers or more. Exception: works, where the contract lists a "
          "document that is an emergency order. Evidence: the contract.",
}  # fmt: skip
_EXCEPTIONS = {"R2": "Change order", "R4": "Agreed advance", "R5": "Emergency order"}
_TOLD = 2  # contracts of level 1 that are told to break a rule, and as many to break none
_LETTERS = ("Letter of thanks", "Delivery note", "Minutes of a meeting")


def broken(
    name: str, c: Contract, rules: tuple[str, ...], limits: Limits, insured: date, proofs: set[str]
) -> dict[str, str]:
    """rule -> evidence of every rule that a contract breaks."""
    sums = list(accumulate(amount for _, _, amount in c.payments))
    most = c.value * 11 / 10 if _EXCEPTIONS["R2"] in proofs else c.value
    over = next((c.payments[k][0] for k, total in enumerate(sums) if total > most), None)
    early = bool(c.payments) and c.payments[0][1] < c.signed
    unsigned = c.value >= limits.signatures_from(c.signed) and c.signatures < 2 and c.type != "supplies"
    breaks = {
        "R1": name if unsigned else None,
        "R2": over,
        "R3": c.supplier if c.signed > insured else None,
        "R4": c.payments[0][0] if early and _EXCEPTIONS["R4"] not in proofs else None,
        "R5": name if c.value >= limits.three_offers and c.offers < 3
              and not (c.type == "works" and _EXCEPTIONS["R5"] in proofs) else None,
    }  # fmt: skip
    return {rule: breaks[rule] for rule in rules if breaks[rule]}


def _truth(plan: Plan, name: str, limits: Limits) -> dict[str, str]:
    one = plan.contracts[name]
    proofs = {plan.documents[d] for d in one.documents}
    return broken(name, one, plan.rules, limits, plan.suppliers[one.supplier], proofs)


def _draw(rng: Rng, level: int) -> tuple[list[str], Plan]:
    n, in_force = SIZES[level]
    year = between(rng, 2019, 2025)
    limits = Limits(between(rng, 40, 90, 5) * 1000, between(rng, 100, 200, 10) * 1000)
    since = date(year, between(rng, 4, 8), 1)
    amendment = replace(limits, amended=limits.two_signatures // 2, since=since)
    suppliers = {f"S{100 + int(k)}": date(year, between(rng, 1, 12), 15) for k in rng.permutation(900)[: n // 2 + 2]}
    plan = Plan({}, suppliers, {}, tuple(_RULES)[:in_force], limits, amendment, n * 2 if level > 1 else 0)
    numbers = [f"C{1000 + int(k)}" for k in rng.permutation(9000)[:n]]
    # Two of five break nothing, or half, so that neither "all clear" nor a finding everywhere is worth anything.
    clear = {numbers[int(k)] for k in rng.permutation(n)[: n // 2 if level == 1 else 2 * n // 5]}
    contracts, documents = {}, {}
    for number in numbers:
        while True:
            contracts[number], own = _contract(rng, level, year, list(suppliers), limits, len(documents))
            plan = replace(plan, contracts=contracts, documents=documents | own)
            last = amendment if plan.amended_at else limits
            if bool(_truth(plan, number, last)) != (number in clear):
                break
        documents |= own
    plan = replace(plan, contracts=contracts, documents=documents)
    if level == 1:
        # Of the first pieces half are told to be findings, half clear, in the order in which the contracts come.
        kinds = [[c for c in numbers if (c in clear) == cleared][:_TOLD] for cleared in (True, False)]
        told = [c for c in numbers if c in {*kinds[0], *kinds[1]}]
        return [_piece(plan, c, c in clear if c in told else None)
                for c in [*told, *(c for c in numbers if c not in told)]], plan  # fmt: skip
    task = (
        f"Check the {n} contracts of {year} in the register of the {pick(rng, _OFFICES)} against the rules. For "
        "each contract file a finding for every rule that it breaks, with the evidence that the rule names; clear each "
        "contract that breaks none. "
        "When all is done, say so."
    )
    return [task], plan


def _piece(plan: Plan, name: str, clear: bool | None) -> str:
    """A piece of level 1: how a contract is decided, or (None) what it is to be checked against."""
    if clear is None:
        return f"Check the contract {name} against R1. R1: {_rule(plan, 'R1')}"
    if clear:
        return f"Clear the contract {name}."
    return f"File a finding of the contract {name}: it breaks R1, the evidence is {name}."


def _rule(plan: Plan, rule: str) -> str:
    return _RULES[rule].format(two=plan.limits.two_signatures, three=plan.limits.three_offers)


def _contract(rng: Rng, level: int, year: int, suppliers: list[str], limits: Limits, used: int):
    """(contract, its documents) that may break a rule or come near one."""
    value = pick(rng, (limits.two_signatures, limits.three_offers)) + between(rng, -30, 30) * 1000
    signed = date(year, between(rng, 2, 11), between(rng, 1, 28))
    count = between(rng, 2, 3 if level == 1 else 7)
    over = pick(rng, (0, 0, 0, value // 25, value // 7)) // 100 * 100
    parts = [value // count // 100 * 100] * count
    parts[-1] = value - sum(parts[:-1]) + over
    first = signed + timedelta(pick(rng, (-20, 5, 9, 14)))
    payments = tuple((f"P{100000 + int(rng.integers(900000))}", first + timedelta(25 * k), amount)
                     for k, amount in enumerate(parts))  # fmt: skip
    kinds = [pick(rng, (*_EXCEPTIONS.values(), *_LETTERS)) for _ in range(between(rng, 0, 1 if level < 3 else 2))]
    own = {f"D{500 + used + k}": kind for k, kind in enumerate(kinds)}
    signatures, offers = pick(rng, (1, 1, 2, 2, 2)), pick(rng, (1, 2, 3, 3, 4, 5))
    return Contract(pick(rng, suppliers), pick(rng, _TYPES), value, signed, signatures, offers, payments,
                    tuple(own)), own  # fmt: skip


def _start(plan: Plan) -> dict[str, Any]:
    return {"findings": {}, "cleared": set(), "amended": False}


def _event(state: State) -> str:
    plan: Plan = state["plan"]
    if state["amended"] or not plan.amended_at or state["clock"] < plan.amended_at:
        return ""
    state["amended"] = True
    new = plan.amendment
    return (f"R1 is amended: for contracts signed on {new.since} or later the sum is {new.amended} EUR. This holds for "
            "contracts already decided too; withdraw what was decided on them and decide anew.")  # fmt: skip


def _judge(state: Mapping[str, Any]) -> Judgement:
    """A goal for each contract with just the findings due, or cleared where none is. Damage: wrong decisions."""
    plan: Plan = state["plan"]
    limits = plan.amendment if state["amended"] else plan.limits
    goals, damage = [], 0
    for name in plan.contracts:
        due = _truth(plan, name, limits)
        filed = {rule: evidence for (one, rule), evidence in state["findings"].items() if one == name}
        goals.append(filed == due and (name in state["cleared"]) == (not due))
        damage += any(due.get(rule) != evidence for rule, evidence in filed.items()) or (
            name in state["cleared"] and bool(due)
        )
    return Judgement(goals, damage)


# ---- tools ----
def list_contracts(state: State, page: int = 1) -> dict:
    """Numbers of the contracts, ten a page."""
    return page_of(list(state["plan"].contracts), page)


def rules(state: State) -> list:
    """The rules in force, word by word"""
    plan: Plan = state["plan"]
    texts = [f"{rule}: {_rule(plan, rule)}" for rule in plan.rules]
    if state["amended"]:
        texts[0] += f" Signed on {plan.amendment.since} or later: {plan.amendment.amended} EUR."
    return texts


def contract(state: State, number: str) -> dict:
    """A contract's entry in the register"""
    c = known(state["plan"].contracts, number, "contract")
    return {"supplier": c.supplier, "type": c.type, "value": c.value, "signed": str(c.signed),
            "signatures": c.signatures, "offers": c.offers, "documents": list(c.documents)}  # fmt: skip


def payments(state: State, number: str, page: int = 1) -> dict:
    """Payments on a contract by date, four a page."""
    c = known(state["plan"].contracts, number, "contract")
    return page_of([{"id": p, "date": str(day), "amount": amount} for p, day, amount in c.payments], page, _PAGE)


def supplier(state: State, number: str) -> dict:
    """Until when a supplier is insured"""
    return {"insured_until": str(known(state["plan"].suppliers, number, "supplier"))}


def document(state: State, number: str) -> str:
    """What a document is"""
    return known(state["plan"].documents, number, "document")


def finding(state: State, contract: str, rule: str, evidence: str) -> str:
    """File that a contract breaks a rule"""
    known(state["plan"].contracts, contract, "contract")
    if rule not in state["plan"].rules:
        raise ValueError(f"there is no rule '{rule}' in force")
    if contract in state["cleared"]:
        raise ValueError(f"{contract} is cleared; withdraw that first")
    state["findings"][contract, rule] = evidence
    return f"filed: {contract} breaks {rule}"


def clear(state: State, contract: str) -> str:
    """State that a contract breaks no rule"""
    known(state["plan"].contracts, contract, "contract")
    if any(one == contract for one, _ in state["findings"]):
        raise ValueError(f"{contract} has findings; withdraw them first")
    state["cleared"].add(contract)
    return f"cleared: {contract}"


def withdraw(state: State, contract: str) -> str:
    """Take back all that was decided on a contract"""
    known(state["plan"].contracts, contract, "contract")
    state["cleared"].discard(contract)
    state["findings"] = {key: e for key, e in state["findings"].items() if key[0] != contract}
    return f"withdrawn: {contract}"


# ---- an expert, who knows only what the tools return ----
def _expert(do: Hands, task: str) -> None:
    if told := re.fullmatch(r"Clear the contract (\S+)\.", task):
        do("clear", contract=told[1])
        return
    if told := re.fullmatch(r"File a finding of the contract (\S+): it breaks (\S+), the evidence is (\S+)\.", task):
        do("finding", contract=told[1], rule=told[2], evidence=told[3])
        return
    _check(do, task)


def _check(do: Hands, task: str) -> None:
    told = re.search(r"(R1: .*)", task)
    texts = [told[1]] if told else do("rules")
    in_force = tuple(text[:2] for text in texts)
    sums = [re.search(r"(\d+) EUR", text) for text in texts]
    limits = Limits(int(sums[0][1]), int(sums[4][1]) if len(sums) > 4 else 0)
    insured: dict[str, date] = {}
    facts: dict[str, tuple[Contract, set[str]]] = {}  # kept, since a rule may change
    decided: dict[str, dict[str, str]] = {}
    named = re.match(r"Check the contract (\S+) against", task)
    for number in [named[1]] if named else do.pages("list_contracts"):
        facts[number] = _looked_up(do, number, in_force)
        one = facts[number][0]
        if "R3" in in_force and one.supplier not in insured:
            insured[one.supplier] = date.fromisoformat(do("supplier", number=one.supplier)["insured_until"])
        limits = _amended(do, limits)
        _decide(do, number, facts, in_force, limits, insured, decided)
    limits = _amended(do, limits)
    for number in list(decided):
        _decide(do, number, facts, in_force, limits, insured, decided)


def _looked_up(do: Hands, number: str, in_force: tuple[str, ...]) -> tuple[Contract, set[str]]:
    """A contract, and what its documents are."""
    entry = do("contract", number=number)
    listed = do.pages("payments", number=number) if {"R2", "R4"}.intersection(in_force) else []
    paid = tuple((p["id"], date.fromisoformat(p["date"]), p["amount"]) for p in listed)
    one = Contract(entry["supplier"], entry["type"], entry["value"], date.fromisoformat(entry["signed"]),
                   entry["signatures"], entry["offers"], paid, tuple(entry["documents"]))  # fmt: skip
    return one, {do("document", number=d) for d in one.documents if set(_EXCEPTIONS).intersection(in_force)}


def _amended(do: Hands, limits: Limits) -> Limits:
    for notice in do.notices:
        since, amended = re.search(r"signed on (\S+) or later the sum is (\d+)", notice).groups()
        limits = replace(limits, amended=int(amended), since=date.fromisoformat(since))
    do.notices.clear()
    return limits


def _decide(do: Hands, number: str, facts, in_force, limits: Limits, insured, decided) -> None:
    """File what is due, where it is not what was filed before."""
    one, proofs = facts[number]
    due = broken(number, one, in_force, limits, insured.get(one.supplier, date.max), proofs)
    if decided.get(number) == due:
        return
    if number in decided:
        do("withdraw", contract=number)
    for rule, evidence in due.items():
        do("finding", contract=number, rule=rule, evidence=evidence)
    if not due:
        do("clear", contract=number)
    decided[number] = due


def _trivial(pieces: Sequence[str]) -> Mapping[str, str]:
    numbers = re.findall(r"the contract (C\d+)", " ".join(pieces))
    return {
        "clears everything": "\n".join(f"Action: [clear(contract={c!r})]" for c in numbers),
        "one finding for everything": "\n".join(f"Action: [finding(contract={c!r}, rule='R1', evidence={c!r})]"
                                                for c in numbers),
    }  # fmt: skip


JOB = Job(
    rules=(
        "You check contracts by calling functions. The rules say what evidence a finding has; whether an exception "
        "holds is proved by the document itself, not by its being there. Each contract is decided: findings for all "
        "the rules it breaks, or cleared. A wrong decision takes a right one away from your result. Heed the notices."
    ),
    example=(
        "User: Check the contract C77 against R1. R1: A contract of 500 EUR or more has two signatures. Exception: "
        "supplies. Evidence: the contract.\n"
        "Action: [contract(number='C77')]\n"
        'Observation: {"supplier": "S3", "type": "works", "value": 900, "signed": "2001-05-01", "signatures": 1}\n'
        "Action: [finding(contract='C77', rule='R1', evidence='C77')]\nObservation: \"filed: C77 breaks R1\"\n"
        "Answer: C77 is decided."
    ),
    first_rules=(
        "You check contracts by calling functions. Each contract is decided: a finding for a rule that it breaks, or "
        "cleared. A wrong decision takes a right one away from your result."
    ),
    first_example=(
        "User: Check the contract C79 against R1. R1: A contract of 500 EUR or more has two signatures. "
        "Exception: supplies. Evidence: the contract.\n"
        "Action: [contract(number='C79')]\n"
        'Observation: {"supplier": "S3", "type": "works", "value": 900, "signed": "2001-05-01", "signatures": 1}\n'
        "Action: [finding(contract='C79', rule='R1', evidence='C79')]\n"
        'Observation: "filed: C79 breaks R1"\n'
        "Answer: C79 is decided.\n"
        "User: Clear the contract C78.\n"
        "Action: [clear(contract='C78')]\n"
        'Observation: "cleared: C78"\n'
        "Answer: C78 is decided.\n"
        "User: File a finding of the contract C77: it breaks R1, the evidence is C77.\n"
        "Action: [finding(contract='C77', rule='R1', evidence='C77')]\n"
        'Observation: "filed: C77 breaks R1"\n'
        "Answer: C77 is decided.\n"
        "User: Clear the contract C80.\n"
        "Action: [clear(contract='C80')]\n"
        'Observation: "cleared: C80"\n'
        "Answer: C80 is decided."
    ),
    tools=(rules, list_contracts, contract, payments, supplier, document, finding, clear, withdraw),
    told=(finding, clear), found=(contract, withdraw), opens="Check",
    draw=_draw, start=_start, judge=_judge, expert=_expert, event=_event, trivial=_trivial,
)  # fmt: skip
