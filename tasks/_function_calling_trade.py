"""Worlds of function-calling about money and goods: bank, orders. As in _function_calling_home.py."""

from __future__ import annotations

from types import SimpleNamespace

from harness.suites import beside

_job = beside(__file__, "_function_calling_job")
Job, call, known, one, some = _job.Job, _job.call, _job.known, _job.one, _job.some


# Bank: accounts, cards.


def list_accounts(state, owner: str) -> list:
    """Accounts of a person: their ids and kinds, without balances."""
    return [{"id": k, "kind": a["kind"]} for k, a in state["accounts"].items() if a["owner"].lower() == owner.lower()]


def get_balance(state, account: str) -> float:
    """Balance of an account in euros."""
    return known(state["accounts"], account, "account")["balance"]


def transfer(state, source: str, target: str, amount: float) -> str:
    """Transfer euros from an account to another."""
    giver, taker = known(state["accounts"], source, "account"), known(state["accounts"], target, "account")
    if not 0 < amount <= giver["balance"]:
        raise ValueError("the amount is above the balance, or not above 0")
    giver["balance"] = round(giver["balance"] - amount, 2)
    taker["balance"] = round(taker["balance"] + amount, 2)
    return "transferred"


def list_cards(state, owner: str) -> list:
    """Cards of a person: ids, kinds, monthly limits in euros, and whether they are blocked."""
    return [{"id": k, **c} for k, c in state["cards"].items() if c["owner"].lower() == owner.lower()]


def block_card(state, card: str, reason: str = "not said") -> str:
    """Block a card."""
    known(state["cards"], card, "card")["blocked"] = True
    return "blocked"


def set_card_limit(state, card: str, euros: float) -> str:
    """Set a card's monthly limit in euros."""
    known(state["cards"], card, "card")["limit"] = euros
    return "set"


def open_account(state, owner: str, kind: str) -> str:
    """Open an account of a kind (current, savings or joint) for a person; returns its id."""
    key = f"A{900 + len(state['accounts'])}"
    state["accounts"][key] = {"owner": owner, "kind": kind.lower(), "balance": 0.0}
    return key


def _bank(rng) -> dict:
    people = some(rng, _job.PEOPLE, 3)
    numbers = iter(some(rng, range(100, 900), 12))
    accounts = {f"A{next(numbers)}": {"owner": p, "kind": kind, "balance": int(rng.integers(5000, 90000)) / 20}
                for p in people for kind in ("current", "savings")}  # fmt: skip
    cards = {
        f"C{next(numbers)}": {"owner": p, "kind": kind, "limit": 100.0 * int(rng.integers(4, 30)), "blocked": False}
        for p in people for kind in ("credit", "debit")
    }  # fmt: skip
    return {"accounts": accounts, "cards": cards}


def _owners(rng, state):
    return some(rng, sorted({a["owner"] for a in state["accounts"].values()}), 2)


def _account(state, owner: str, kind: str) -> str:
    return next(k for k, a in state["accounts"].items() if (a["owner"], a["kind"]) == (owner, kind))


def _card(rng, state):
    return one(rng, sorted((k, c) for k, c in state["cards"].items() if not c["blocked"]))


def _pay(rng, state):
    giver, taker = _owners(rng, state)
    source, target = _account(state, giver, "current"), _account(state, taker, "savings")
    amount = 5 * int(rng.integers(2, 40))
    if amount > state["accounts"][source]["balance"]:
        return None
    return Job(f"Transfer {amount} euros from {giver}'s current account to {taker}'s savings account.",
               (call(transfer, source=source, target=target, amount=amount),),
               (call(list_accounts, owner=giver), call(list_accounts, owner=taker)), (),
               f"Transfer money from {giver}'s current account to {taker}'s savings account.",
               f"{amount} euros.")  # fmt: skip


def _empty(rng, state):
    owner = _owners(rng, state)[0]
    source, target = _account(state, owner, "savings"), _account(state, owner, "current")
    amount = state["accounts"][source]["balance"]
    if amount <= 0:
        return None
    return Job(f"Move all the money on {owner}'s savings account to {owner}'s current account.",
               (call(transfer, source=source, target=target, amount=amount),),
               (call(list_accounts, owner=owner), call(get_balance, account=source)))  # fmt: skip


def _balance(rng, state):
    owner, kind = _owners(rng, state)[0], one(rng, ("savings", "current"))
    key = _account(state, owner, kind)
    return Job(f"Tell me the balance of {owner}'s {kind} account.", (), (call(list_accounts, owner=owner),),
               (call(get_balance, account=key),))  # fmt: skip


def _block(rng, state):
    key, c = _card(rng, state)
    return Job(f"Block {c['owner']}'s {c['kind']} card.", (call(block_card, card=key),),
               (call(list_cards, owner=c["owner"]),), (), f"A {c['kind']} card was lost. Block it.",
               f"It is {c['owner']}'s.")  # fmt: skip


def _halve(rng, state):
    key, c = _card(rng, state)
    halved = call(set_card_limit, card=key, euros=c["limit"] / 2)
    return Job(f"Halve the monthly limit of {c['owner']}'s {c['kind']} card.", (halved,),
               (call(list_cards, owner=c["owner"]),))  # fmt: skip


# Orders: a shop's goods, a cart, orders sent and not sent.


def search_goods(state, words: str) -> list:
    """Goods whose name holds the words: ids, prices in euros, stock."""
    return [{"id": k, **g} for k, g in state["goods"].items() if words.lower() in g["name"].lower()]


def add_to_cart(state, good: str, quantity: int = 1) -> str:
    """Put a quantity of a good into the cart."""
    if not 0 < quantity <= known(state["goods"], good, "good")["stock"]:
        raise ValueError("so many are not in stock")
    state["cart"][good] = state["cart"].get(good, 0) + quantity
    return "added"


def remove_from_cart(state, good: str) -> str:
    """Take a good out of the cart."""
    known(state["cart"], good, "good in the cart")
    del state["cart"][good]
    return "removed"


def view_cart(state) -> dict:
    """Goods in the cart with their quantities."""
    return state["cart"]


def list_orders(state) -> list:
    """All orders with their ids, goods and states."""
    return [{"id": k, **o} for k, o in state["orders"].items()]


def cancel_order(state, order: str) -> str:
    """Cancel an order that is not sent yet."""
    found = known(state["orders"], order, "order")
    if found["state"] != "open":
        raise ValueError(f"the order is {found['state']}")
    found["state"] = "cancelled"
    return "cancelled"


def place_order(state, city: str, speed: str = "standard") -> str:
    """Order what is in the cart to a city, at the speed standard or express; returns the order's id."""
    if not state["cart"]:
        raise ValueError("the cart is empty")
    key = f"O{700 + len(state['orders'])}"
    state["orders"][key] = {"good": ", ".join(sorted(state["cart"])), "state": "open", "city": city, "speed": speed}
    state["cart"] = {}
    return key


_COLOURS = ("red", "blue", "green", "grey")
_GOODS = ("kettle", "blanket", "notebook", "backpack", "teapot", "umbrella", "scarf", "lantern")


def _orders(rng) -> dict:
    kinds, numbers = some(rng, _GOODS, 5), some(rng, range(10, 99), 10)
    names = [f"{colour} {kind}" for kind in kinds for colour in some(rng, _COLOURS, 2)]
    prices = some(rng, range(40, 900), 10)
    goods = {f"G{n}": {"name": name, "euros": price / 10, "stock": int(rng.integers(20, 60))}
             for n, name, price in zip(numbers, names, prices, strict=True)}  # fmt: skip
    orders = {
        f"O{100 + 37 * k}": {"good": name, "state": "sent" if k == 1 else "open", "city": one(rng, _job.CITIES),
                             "speed": "standard"}
        for k, name in enumerate(some(rng, names, 4))
    }  # fmt: skip
    return {"goods": goods, "cart": {}, "orders": orders}


def _good(rng, state):
    return one(rng, sorted((k, g) for k, g in state["goods"].items() if k not in state["cart"]) or [("", {})])


def _buy(rng, state):
    key, g = _good(rng, state)
    if not key:
        return None
    n = int(rng.integers(2, 15))
    return Job(f"Put the {g['name']} into the cart, {n} of them.", (call(add_to_cart, good=key, quantity=n),),
               (call(search_goods, words=g["name"]),), (), f"Put the {g['name']} into the cart, several of them.",
               f"{n} of them.")  # fmt: skip


def _cheaper(rng, state):
    _, g = _good(rng, state)
    kind = g["name"].split()[1] if g else ""
    same = {k: v for k, v in state["goods"].items() if v["name"].endswith(kind)}
    if not kind or any(k in state["cart"] for k in same):
        return None
    key, n = min(same, key=lambda k: same[k]["euros"]), int(rng.integers(2, 9))
    return Job(f"Put the cheapest {kind} into the cart, {n} of them.", (call(add_to_cart, good=key, quantity=n),),
               (call(search_goods, words=kind),))  # fmt: skip


def _cancel(rng, state):
    waiting = sorted((k, o) for k, o in state["orders"].items() if o["state"] == "open" and len(o["good"].split()) == 2)
    if not waiting:
        return None
    key, o = one(rng, waiting)
    if sum(other["good"] == o["good"] for _, other in waiting) > 1:
        return None
    vague = "Cancel one of my open orders." if len(waiting) > 1 else ""
    return Job(f"Cancel the order for the {o['good']}.", (call(cancel_order, order=key),), (call(list_orders),), (),
               vague, f"The one for the {o['good']}.")  # fmt: skip


def _place(rng, state):
    if not state["cart"]:
        return None
    city, speed = one(rng, _job.CITIES), one(rng, ("standard", "express"))
    said = " by express" if speed == "express" else ""
    more = {"speed": speed} if speed == "express" else {}
    return Job(f"Order what is in the cart{said}, to {city}.", (call(place_order, city=city, **more),), (), (),
               f"Order what is in the cart{said}, to the city of my friend.", f"It goes to {city}.")  # fmt: skip


def _remove(rng, state):
    if not state["cart"]:
        return None
    key = one(rng, sorted(state["cart"]))
    name = state["goods"][key]["name"]
    return Job(f"Take the {name} out of the cart again.", (call(remove_from_cart, good=key),),
               (call(search_goods, words=name),))  # fmt: skip


DOMAINS = {
    "bank": SimpleNamespace(
        start=_bank, jobs=(_pay, _empty, _balance, _block, _halve),
        functions=(list_accounts, get_balance, transfer, list_cards, block_card, set_card_limit, open_account),
    ),
    "orders": SimpleNamespace(
        start=_orders, jobs=(_buy, _cheaper, _cancel, _place, _remove),
        functions=(search_goods, add_to_cart, remove_from_cart, view_cart, list_orders, cancel_order, place_order),
    ),
}  # fmt: skip
