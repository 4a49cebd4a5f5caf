"""Enterprise: an inbox of orders to be settled over four systems that have to agree with each other.

Customers, stock, invoices and the calendar are systems of their own. Each order changes what the next one finds: the
customer's balance, the stock of a warehouse, the days that are still free. Large orders wait for approval, which takes
its time; customers are blocked, goods arrive and prices change between orders.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness.suites import beside

_shared = beside(__file__, "_horizon")
Hands, Job, Judgement, State = _shared.Hands, _shared.Job, _shared.Judgement, _shared.State
known, page_of = _shared.known, _shared.page_of
_books = beside(__file__, "_order_books")
DISCOUNTS, Order, Plan, books, draw = _books.DISCOUNTS, _books.Order, _books.Plan, _books.books, _books.draw

APPROVAL_TAKES = 12  # calls
SHOWN_DAYS = 7


def _start(plan: Plan) -> dict[str, Any]:
    return {
        "prices": dict(plan.prices), "balance": {c: b for c, (_, _, b) in plan.customers.items()},
        "stock": dict(plan.stock), "slots": books(plan).slots, "blocked": set(), "asked": {},
        "invoices": {}, "reserved": {}, "booked": {}, "declined": {}, "unapproved": set(),
        "front": 0,  # orders settled without a gap
        "happened": 0,
    }  # fmt: skip


def _settled(state: Mapping[str, Any], number: str) -> bool:
    return number in state["declined"] or all(number in state[k] for k in ("invoices", "reserved", "booked"))


def _event(state: State) -> str:
    plan: Plan = state["plan"]
    if state["happened"] == len(plan.events):
        return ""
    event, numbers = plan.events[state["happened"]], list(plan.orders)
    while state["front"] < len(numbers) and _settled(state, numbers[state["front"]]):
        state["front"] += 1
    if state["front"] < event.after:
        return ""
    state["happened"] += 1
    if event.kind == "blocked":
        state["blocked"].add(event.name)
        return f"Customer {event.name} is blocked from now on."
    if event.kind == "arrived":
        state["stock"][event.name, event.place] += event.amount
        return f"Goods have arrived: {event.amount} x {event.name} at {event.place}."
    state["prices"][event.name] = event.amount
    return f"The price of {event.name} is {event.amount} EUR for the orders not yet settled."


def _judge(state: Mapping[str, Any]) -> Judgement:
    """Goals: a declined order's reason; another's invoice, warehouse and day. Damage: orders settled wrong."""
    goals, damage = [], len(state["unapproved"])
    for number, due in state["plan"].due.items():
        parts = [state[k].get(number) for k in ("invoices", "reserved", "booked")]
        declined = state["declined"].get(number)
        wanted = list(due[1:]) if due[0] == "done" else [None] * 3
        goals += [got == want for got, want in zip(parts, wanted, strict=True)] if due[0] == "done" else []
        goals += [] if due[0] == "done" else [declined == due[1]]
        reason = due[1] if due[0] == "declined" else None
        damage += any(got not in (None, want) for got, want in zip([*parts, declined], [*wanted, reason], strict=True))
    return Judgement(goals, damage)


# ---- tools ----
def inbox(state: State, page: int = 1) -> dict:
    """Numbers of the orders, oldest first, ten a page"""
    return page_of(list(state["plan"].orders), page)


def get_order(state: State, order: str) -> dict:
    """What an order asks for"""
    one = known(state["plan"].orders, order, "order")
    return {"customer": one.customer, "item": one.item, "quantity": one.quantity}


def get_customer(state: State, customer: str) -> dict:
    """A customer's tier, credit limit, open balance and status"""
    tier, limit, _ = known(state["plan"].customers, customer, "customer")
    return {"tier": tier, "credit_limit": limit, "balance": state["balance"][customer],
            "status": "blocked" if customer in state["blocked"] else "active"}  # fmt: skip


def get_stock(state: State, item: str) -> dict:
    """An item's price, and what each warehouse has of it that is not reserved"""
    known(state["prices"], item, "item")
    return {"price": state["prices"][item], "free": {w: n for (i, w), n in state["stock"].items() if i == item}}


def request_approval(state: State, order: str) -> str:
    """Ask for the approval of an order; the answer takes a while"""
    known(state["plan"].orders, order, "order")
    state["asked"].setdefault(order, state["clock"])
    return "asked"


def approval(state: State, order: str) -> str:
    """What became of a request for approval"""
    asked = known(state["asked"], order, "request for")
    if state["clock"] < asked + APPROVAL_TAKES:
        return "pending"
    return "refused" if state["plan"].orders[order].refused else "granted"


def invoice(state: State, order: str, amount: int) -> str:
    """Invoice an order; it is added to the customer's balance"""
    _open(state, order, "invoices")
    if amount > state["plan"].approval and state["clock"] < state["asked"].get(order, state["clock"]) + APPROVAL_TAKES:
        state["unapproved"].add(order)
    state["invoices"][order] = amount
    state["balance"][state["plan"].orders[order].customer] += amount
    return f"{order}: invoiced {amount} EUR"


def reserve(state: State, order: str, warehouse: str) -> str:
    """Reserve an order's goods in a warehouse"""
    one = _open(state, order, "reserved")
    known(state["plan"].slots, warehouse, "warehouse")
    if state["stock"][one.item, warehouse] < one.quantity:
        raise ValueError(f"{warehouse} has not so many")
    state["reserved"][order] = warehouse
    state["stock"][one.item, warehouse] -= one.quantity
    return f"{order}: reserved at {warehouse}"


def calendar(state: State, warehouse: str, first_day: int = 1) -> dict:
    """How many deliveries a warehouse can still make, seven days from a day on"""
    days = known(state["plan"].slots, warehouse, "warehouse")
    if not 1 <= first_day <= len(days):
        raise ValueError(f"days are 1 to {len(days)}")
    shown = range(first_day, min(len(days), first_day + SHOWN_DAYS - 1) + 1)
    return {f"day {d}": state["slots"][warehouse, d] for d in shown}


def book(state: State, order: str, warehouse: str, day: int) -> str:
    """Book an order's delivery from a warehouse on a day"""
    _open(state, order, "booked")
    if not state["slots"].get((warehouse, day)):
        raise ValueError(f"{warehouse} has no free delivery on day {day}")
    state["slots"][warehouse, day] -= 1
    state["booked"][order] = day
    return f"{order}: delivered on day {day}"


def decline(state: State, order: str, reason: str) -> str:
    """Decline an order: blocked, credit, approval or stock"""
    _open(state, order, "declined")
    if reason not in ("blocked", "credit", "approval", "stock"):
        raise ValueError("reason is one of blocked, credit, approval, stock")
    state["declined"][order] = reason
    return f"{order}: declined, {reason}"


def _open(state: State, order: str, step: str) -> Order:
    """The order, if it still may take a step. Raises ValueError where it may not."""
    one = known(state["plan"].orders, order, "order")
    if order in state[step]:
        raise ValueError(f"{order} has been through this already")
    if step != "declined" and order in state["declined"]:
        raise ValueError(f"{order} is declined")
    if step == "declined" and any(order in state[k] for k in ("invoices", "reserved", "booked")):
        raise ValueError(f"{order} is being delivered")
    return one


# ---- an expert, who knows only what the tools return ----
_DONE = r"The order (\S+): invoice (\d+) EUR, reserve at (\w+), book at \w+ on day (\d+)\."


def _expert(do: Hands, task: str) -> None:
    if told := re.fullmatch(_DONE, task):
        do("invoice", order=told[1], amount=int(told[2]))
        do("reserve", order=told[1], warehouse=told[3])
        do("book", order=told[1], warehouse=told[3], day=int(told[4]))
        return
    if told := re.fullmatch(r"The order (\S+): decline, (\w+)\.", task):
        do("decline", order=told[1], reason=told[2])
        return
    named = re.match(r"Settle the order (\S+)\.", task)
    above = int(m[1]) if (m := re.search(r"above (\d+) EUR", task)) else 10**9
    numbers = [named[1]] if named else do.pages("inbox")
    seen: dict[str, dict] = {}
    prices: dict[str, int] = {}
    from_day: dict[str, int] = do.memory
    for k, number in enumerate(numbers):
        for ahead in numbers[k : k + 4] if above < 10**9 else [number]:
            if ahead not in seen:
                seen[ahead] = do("get_order", order=ahead)
                _ask_early(do, ahead, seen[ahead], prices, above)
        _settle(do, number, seen[number], above, from_day)


def _ask_early(do: Hands, number: str, wanted: Mapping[str, Any], prices: dict[str, int], above: int) -> None:
    """An approval that may be needed is there in time if it is asked for some orders ahead."""
    if above < 10**9:
        if wanted["item"] not in prices:
            prices[wanted["item"]] = do("get_stock", item=wanted["item"])["price"]
        if wanted["quantity"] * prices[wanted["item"]] > above:
            do("request_approval", order=number)


def _settle(do: Hands, number: str, wanted: Mapping[str, Any], above: int, from_day: dict[str, int]) -> None:
    who, item, quantity = wanted["customer"], wanted["item"], wanted["quantity"]
    account = do("get_customer", customer=who)
    if account["status"] == "blocked":
        do("decline", order=number, reason="blocked")
        return
    goods = do("get_stock", item=item)
    amount = quantity * goods["price"] * (100 - DISCOUNTS[account["tier"]]) // 100
    places = [(-free, w) for w, free in goods["free"].items() if free >= quantity]
    if account["balance"] + amount > account["credit_limit"]:
        do("decline", order=number, reason="credit")
    elif amount > above and _refused(do, number):
        do("decline", order=number, reason="approval")
    elif not places:
        do("decline", order=number, reason="stock")
    else:
        place = min(places)[1]
        do("invoice", order=number, amount=amount)
        do("reserve", order=number, warehouse=place)
        do("book", order=number, warehouse=place, day=_free_day(do, place, from_day))


def _refused(do: Hands, number: str) -> bool:
    do("request_approval", order=number)
    while (says := do("approval", order=number)) == "pending":
        do("inbox")
    return says == "refused"


def _free_day(do: Hands, place: str, from_day: dict[str, int]) -> int:
    """The first day that is free; days before it stay full, so the search goes on from there next time."""
    first = from_day.get(place, 1)
    while True:
        for name, free in do("calendar", warehouse=place, first_day=first).items():
            if free:
                from_day[place] = int(name.removeprefix("day "))
                return from_day[place]
        first += SHOWN_DAYS


def _trivial(pieces: Sequence[str]) -> Mapping[str, str]:
    numbers = list(dict.fromkeys(re.findall(r"[Tt]he order (O\d+)", " ".join(pieces))))
    return {
        f"declines everything for {why}": "\n".join(f"Action: [decline(order={o!r}, reason={why!r})]" for o in numbers)
        for why in ("credit", "stock")
    }


JOB = Job(
    rules=(
        "You settle orders by calling functions, strictly oldest first. The amount is quantity x price less the tier's "
        f"discount (gold {DISCOUNTS['gold']} %, silver {DISCOUNTS['silver']} %), cents dropped. Decline an order, with "
        "the first reason that holds: blocked, the customer's status says so; credit, balance and amount come to more "
        "than the credit limit; approval, it was needed and refused; stock, no warehouse has the whole quantity. "
        "Otherwise invoice it, reserve it at the warehouse that has most of the item (of equals the first by name), "
        "and book its delivery there on the first free day. Approvals may be asked for ahead. An order settled wrong, "
        "or invoiced before a needed approval, takes away one of the steps done right. Heed the notices."
    ),
    example=(
        "User: Settle the order O77.\nAction: [get_order(order='O77')]\n"
        'Observation: {"customer": "K5", "item": "rope", "quantity": 9}\nAction: [get_customer(customer=\'K5\')]\n'
        'Observation: {"tier": "plain", "credit_limit": 500, "balance": 40, "status": "active"}\n'
        "Action: [get_stock(item='rope')]\nObservation: {\"price\": 4, \"free\": {\"Oslo\": 30}}\n"
        "Action: [invoice(order='O77', amount=36)]\nObservation: \"O77: invoiced 36 EUR\"\n"
        "Action: [reserve(order='O77', warehouse='Oslo')]\nObservation: \"O77: reserved at Oslo\"\n"
        "Action: [calendar(warehouse='Oslo')]\nObservation: {\"day 1\": 0, \"day 2\": 1}\n"
        "Action: [book(order='O77', warehouse='Oslo', day=2)]\nObservation: \"O77: delivered on day 2\"\n"
        "Answer: O77 is settled."
    ),
    first_rules=(
        "You settle orders by calling functions, strictly oldest first. The amount is quantity x price. Decline an "
        "order for the reason credit where balance and amount come to more than the customer's credit limit. Otherwise "
        "invoice it, reserve it at the warehouse, and book its delivery there on the first free day. An order settled "
        "wrong takes away one of the steps done right."
    ),
    first_example=(
        "User: Settle the order O78.\n"
        "Action: [get_order(order='O78')]\n"
        'Observation: {"customer": "K5", "item": "rope", "quantity": 9}\n'
        "Action: [get_customer(customer='K5')]\n"
        'Observation: {"tier": "plain", "credit_limit": 500, "balance": 490, "status": "active"}\n'
        "Action: [get_stock(item='rope')]\n"
        'Observation: {"price": 4, "free": {"Oslo": 30}}\n'
        "Action: [decline(order='O78', reason='credit')]\n"
        'Observation: "O78: declined, credit"\n'
        "Answer: O78 is settled.\n"
        "User: The order O77: invoice 36 EUR, reserve at Oslo, book at Oslo on day 2.\n"
        "Action: [invoice(order='O77', amount=36)]\n"
        'Observation: "O77: invoiced 36 EUR"\n'
        "Action: [reserve(order='O77', warehouse='Oslo')]\n"
        'Observation: "O77: reserved at Oslo"\n'
        "Action: [book(order='O77', warehouse='Oslo', day=2)]\n"
        'Observation: "O77: delivered on day 2"\n'
        "Answer: O77 is settled."
    ),
    tools=(inbox, get_order, get_customer, get_stock, invoice, reserve, calendar, book, decline, request_approval,
           approval),
    told=(invoice, reserve, book, decline), found=(get_order, get_customer, get_stock, calendar), opens="Settle",
    draw=draw, start=_start, judge=_judge, expert=_expert, event=_event, trivial=_trivial,
)  # fmt: skip
