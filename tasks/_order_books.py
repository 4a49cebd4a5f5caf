"""The orders that an enterprise's agent settles: how they are drawn, and how each is due to be settled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from harness.suites import beside

_drawing = beside(__file__, "_drawing")
Rng, between, pick = _drawing.Rng, _drawing.between, _drawing.pick

# level -> orders, customers, items, warehouses, events
SIZES = {1: (5, 5, 2, 1, 0), 2: (8, 5, 4, 2, 1), 3: (20, 9, 6, 2, 3), 4: (50, 20, 10, 3, 6), 5: (116, 40, 16, 4, 12)}
TOLD = 2  # orders of level 1 that are told step by step
DISCOUNTS = {"gold": 10, "silver": 5, "plain": 0}  # percent
_CITIES = ("Antwerp", "Bergen", "Cadiz", "Dublin", "Essen", "Gdansk")
_ITEMS = ("pump", "valve", "motor", "filter", "cable", "sensor", "hinge", "gear", "lamp", "fan", "bolt", "relay",
          "switch", "nozzle", "spring", "clamp")  # fmt: skip


@dataclass(frozen=True)
class Order:
    customer: str
    item: str
    quantity: int
    refused: bool  # what an approver would say of it


@dataclass(frozen=True)
class Event:
    """What happens when so many orders are settled."""

    after: int
    kind: str  # blocked | arrived | price
    name: str  # customer or item
    place: str = ""
    amount: int = 0


@dataclass(frozen=True)
class Plan:
    orders: Mapping[str, Order]  # oldest first
    customers: Mapping[str, tuple[str, int, int]]  # tier, credit limit, balance
    prices: Mapping[str, int]
    stock: Mapping[tuple[str, str], int]  # (item, warehouse)
    slots: Mapping[str, tuple[int, ...]]  # deliveries that a warehouse can make, day by day
    approval: int  # amounts above it
    events: tuple[Event, ...]
    due: Mapping[str, tuple] = field(default_factory=dict)  # order -> how it has to be settled


@dataclass
class Books:
    """The systems as they stand at an order, for working out what is due."""

    prices: dict[str, int]
    balance: dict[str, int]
    stock: dict[tuple[str, str], int]
    slots: dict[tuple[str, int], int]
    blocked: set[str]

    def settle(self, plan: Plan, order: Order) -> tuple:
        """("declined", reason) or ("done", amount, warehouse, day); what it takes is booked."""
        tier, limit, _ = plan.customers[order.customer]
        amount = order.quantity * self.prices[order.item] * (100 - DISCOUNTS[tier]) // 100
        places = [(-self.stock[order.item, w], w) for w in plan.slots if self.stock[order.item, w] >= order.quantity]
        if order.customer in self.blocked:
            return ("declined", "blocked")
        if self.balance[order.customer] + amount > limit:
            return ("declined", "credit")
        if amount > plan.approval and order.refused:
            return ("declined", "approval")
        if not places:
            return ("declined", "stock")
        place = min(places)[1]
        day = next(d for d in range(1, len(plan.slots[place]) + 1) if self.slots[place, d])
        self.balance[order.customer] += amount
        self.stock[order.item, place] -= order.quantity
        self.slots[place, day] -= 1
        return ("done", amount, place, day)

    def happen(self, event: Event) -> None:
        if event.kind == "blocked":
            self.blocked.add(event.name)
        elif event.kind == "arrived":
            self.stock[event.name, event.place] += event.amount
        else:
            self.prices[event.name] = event.amount


def books(plan: Plan) -> Books:
    slots = {(w, d): free for w, days in plan.slots.items() for d, free in enumerate(days, 1)}
    return Books(dict(plan.prices), {c: b for c, (_, _, b) in plan.customers.items()}, dict(plan.stock), slots, set())


def draw(rng: Rng, level: int) -> tuple[list[str], Plan]:
    n, customers, items, warehouses, events = SIZES[level]
    names = [f"K{100 + int(k)}" for k in rng.permutation(900)[:customers]]
    goods = [_ITEMS[int(k)] for k in rng.permutation(len(_ITEMS))[:items]]
    cities = [_CITIES[int(k)] for k in rng.permutation(len(_CITIES))[:warehouses]]
    prices = {item: between(rng, 10, 90, 10) if level == 1 else between(rng, 12, 95) for item in goods}
    few, many = (2, 5) if level == 1 else (5, 60)
    orders = {
        f"O{1000 + int(number)}": Order(names[k] if level == 1 else pick(rng, names), pick(rng, goods),
                                        between(rng, few, many), bool(rng.random() < 0.4))
        for k, number in enumerate(rng.permutation(9000)[:n])
    }  # fmt: skip
    days = 3 * n // warehouses + 5
    slots = {w: (*(pick(rng, (0, 0, 1, 1, 2)) for _ in range(days)), n) for w in cities}
    happens = tuple(_event_at(rng, n * (k + 1) // (events + 2), k, names, goods, cities) for k in range(events))
    large = sorted(o.quantity * prices[o.item] for o in orders.values())[-max(1, n // 4)] if level > 1 else 10**6
    plan = Plan(orders, *_means(rng, level, orders, names, prices, cities), slots, large // 100 * 100, happens)
    if level == 1:  # one order is against its customer's credit
        plan = _one_short(rng, plan)
    plan = replace(plan, due=_due(plan))
    if level == 1:
        told = [_steps(number, plan.due[number]) for number in list(orders)[:TOLD]]
        return [*told, *(f"Settle the order {number}." for number in list(orders)[TOLD:])], plan
    task = (
        f"Settle the {n} orders in the inbox, oldest first: each is either declined with its reason, or invoiced, "
        f"reserved and booked. Amounts above {plan.approval} EUR need approval. When all is done, say so."
    )
    return [task], plan


def _steps(number: str, due: tuple) -> str:
    """How an order is settled, step by step, as the first pieces of level 1 tell it."""
    if due[0] == "declined":
        return f"The order {number}: decline, {due[1]}."
    _, amount, place, day = due
    return f"The order {number}: invoice {amount} EUR, reserve at {place}, book at {place} on day {day}."


def _means(rng: Rng, level: int, orders: Mapping[str, Order], names: list[str], prices: dict[str, int], cities):
    """(customers, prices, stock): about what the orders need, so that credit and stock run short for some."""
    spent = dict.fromkeys(names, 0)
    wanted = {(item, w): 0 for item in prices for w in cities}
    for k, order in enumerate(orders.values()):
        spent[order.customer] += order.quantity * prices[order.item]
        wanted[order.item, cities[k % len(cities)]] += order.quantity

    def of(amount: int) -> int:
        return int(amount * between(rng, 60, 150) / 100 if level > 1 else amount * 1.5)

    tiers = ("plain",) if level == 1 else tuple(DISCOUNTS)
    customers = {c: (pick(rng, tiers), of(spent[c]) + 500, between(rng, 0, 400)) for c in names}
    return customers, prices, {key: of(amount) + between(rng, 0, 20) for key, amount in wanted.items()}


def _one_short(rng: Rng, plan: Plan) -> Plan:
    order = pick(rng, list(plan.orders.values())[1:])
    tier, _, balance = plan.customers[order.customer]
    return replace(plan, customers={**plan.customers, order.customer: (tier, balance + 20, balance)})


def _event_at(rng: Rng, after: int, k: int, names: list[str], goods: list[str], cities: list[str]) -> Event:
    kind = ("arrived", "price", "blocked")[k % 3]
    if kind == "blocked":
        return Event(after, kind, pick(rng, names))
    return Event(after, kind, pick(rng, goods), pick(rng, cities), between(rng, 30, 90))


def _due(plan: Plan) -> dict[str, tuple]:
    """How every order has to be settled, one after another."""
    now, due = books(plan), {}
    for k, (number, order) in enumerate(plan.orders.items()):
        for event in plan.events:
            if event.after == k:
                now.happen(event)
        due[number] = now.settle(plan, order)
    return due
