"""The three desks of service-desk: what their tools do, what their rules forbid, what customers wish.

A desk's database is one table of records by number. A wish is drawn with its record; what an expert does about it
follows from the rules and the record alone, and is written beside the wish, so that both can be read together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.calls import Call
from harness.suites import beside
from harness.worlds import Tool

_drawing = beside(__file__, "_drawing")
Rng, between, pick = _drawing.Rng, _drawing.between, _drawing.pick
Record = dict[str, Any]


@dataclass(frozen=True)
class Wish:
    """What a customer wants of one record: in words, with "{}" where the number stands; and what an expert does.

    calls: with the number left out, which every call takes first. The customer must be told the number of the record
    where it was done, or the code of the rule where not. The words fit a record of the caller's and a neighbour's.
    """

    words: str
    record: Record
    calls: tuple[tuple[str, Mapping[str, Any]], ...]
    refusal: str = ""  # the code of the rule
    how: str = ""  # the code of a rule that says how a thing is done and stands against nothing: it may be named


@dataclass(frozen=True)
class Desk:
    """A desk: its key argument, rules, tools, wishes; `simple` are wishes that need no look at the record."""

    of: str
    thing: str  # what a record is called
    key: str  # the argument that names a record
    seen: str  # what is known of the example's record
    rules: tuple[str, ...]
    tools: tuple[Tool, ...]
    wishes: Mapping[str, Callable[[Rng, bool], Wish]]  # (rng, allowed) -> wish
    simple: tuple[str, ...]
    example: tuple[str, str, str]  # what a customer asks, the arguments of the call, what is told


def _set(**fields: Any) -> Callable[..., str]:
    """A tool's work: set fields of a record; a callable value is given the arguments."""

    def run(state: dict[str, Any], **arguments: Any) -> str:
        record = _own(state, next(iter(arguments.values())))
        if not state["verified"]:
            raise ValueError("the caller is not verified")
        for name, value in fields.items():
            record[name] = value(record, **arguments) if callable(value) else value
        return "done"

    return run


def _own(state: dict[str, Any], number: str) -> Record:
    if number not in state["db"]:
        raise ValueError(f"there is no {number}")
    return state["db"][number]


def _look(state: dict[str, Any], **arguments: Any) -> Record:
    return dict(_own(state, next(iter(arguments.values()))))


def _verify(state: dict[str, Any], pin: str) -> str:
    if pin != state["pin"]:
        raise ValueError("wrong PIN")
    state["verified"] = True
    return "verified"


def _tool(name: str, description: str, key: str, run: Callable[..., Any], **more: dict[str, Any]) -> Tool:
    properties = {key: {"type": "string"}, **more}
    return Tool(name, description, {"type": "object", "properties": properties, "required": list(properties)}, run)


VERIFY = Tool(
    "verify",
    "Verify the caller by PIN.",
    {"type": "object", "properties": {"pin": {"type": "string"}}, "required": ["pin"]},
    _verify,
)
_NUMBER, _TEXT = {"type": "integer"}, {"type": "string"}


# ---- a shop ----
def _cancel(rng: Rng, allowed: bool) -> Wish:
    status = "pending" if allowed else pick(rng, ("shipped", "delivered"))
    return Wish("Please cancel order {}.", _order(rng, status), (("cancel_order", {}),) if allowed else (),
                "" if allowed else "R1")  # fmt: skip


def _return(rng: Rng, allowed: bool) -> Wish:
    days = between(rng, 1, 30) if allowed else between(rng, 31, 90)
    record = _order(rng, "delivered") | {"days_since_delivery": days}
    to = "credit" if record["category"] == "electronics" else "card"
    return Wish("Please take order {} back and return the money.", record,
                (("return_order", {"refund_to": to}),) if allowed else (), "" if allowed else "R2", "R3")  # fmt: skip


def _address(rng: Rng, allowed: bool) -> Wish:
    street = f"{between(rng, 2, 98)} {pick(rng, _STREETS)}"
    return Wish(f"Please send order {{}} to {street} instead.", _order(rng, "pending" if allowed else "shipped"),
                (("change_address", {"address": street}),) if allowed else (), "" if allowed else "R4")  # fmt: skip


_STREETS = ("Mill Lane", "Harbour Road", "Church Street", "Elm Avenue", "Station Road")


def _order(rng: Rng, status: str) -> Record:
    return {
        "status": status, "category": pick(rng, ("books", "clothing", "electronics", "toys")),
        "days_since_delivery": between(rng, 1, 60) if status == "delivered" else 0, "address": "as on file",
        "refund_to": "",
    }  # fmt: skip


SHOP = Desk(
    of="a web shop", thing="order", key="order_id", seen="pending",
    rules=(
        "R1: Only an order with status 'pending' can be cancelled.",
        "R2: An order can be sent back up to 30 days after delivery, not later.",
        "R3: Money for electronics is returned as 'credit', for everything else to the 'card'.",
        "R4: The address can be changed only while the status is 'pending'.",
    ),
    tools=(
        _tool("get_order", "Look an order up.", "order_id", _look),
        _tool("cancel_order", "Cancel an order.", "order_id", _set(status="cancelled")),
        _tool("return_order", "Take an order back and return the money.", "order_id",
              _set(status="returned", refund_to=lambda r, refund_to, **_: refund_to),
              refund_to={"type": "string", "enum": ["card", "credit"]}),
        _tool("change_address", "Change where an order goes.", "order_id",
              _set(address=lambda r, address, **_: address), address=_TEXT),
    ),
    wishes={"cancel": _cancel, "return": _return, "address": _address},
    simple=("cancel", "address"),
    example=("Please cancel order 20417.", "cancel_order(order_id='20417')", "Order 20417 is cancelled."),
)  # fmt: skip


# ---- a bank ----
def _fee(rng: Rng, allowed: bool) -> Wish:
    record = _account(rng) | {"fee_waived_this_year": not allowed}
    return Wish("There is a fee on account {}. Can you take it off?", record,
                (("waive_fee", {}),) if allowed else (), "" if allowed else "B1")  # fmt: skip


def _limit(rng: Rng, allowed: bool) -> Wish:
    record = _account(rng)
    most = _MOST[record["kind"]]
    wanted = between(rng, most // 2, most, 100) if allowed else between(rng, most + 100, 2 * most, 100)
    return Wish(f"Please set the limit of account {{}} to {wanted}.", record,
                (("set_limit", {"limit": wanted}),) if allowed else (), "" if allowed else "B2")  # fmt: skip


def _lost_card(rng: Rng, allowed: bool) -> Wish:
    record = _account(rng) | {"kind": "gold" if allowed else "basic"}
    calls = (("block_card", {}), ("order_card", {})) if allowed else (("block_card", {}),)
    return Wish("The card of account {} is lost. Please send a new one.", record, calls, "" if allowed else "B3", "B3")


_MOST = {"basic": 5000, "gold": 10000}


def _account(rng: Rng) -> Record:
    return {
        "kind": pick(rng, ("basic", "gold")), "fee": between(rng, 5, 40), "fee_waived_this_year": False,
        "limit": between(rng, 500, 2000, 100), "card": "active",
    }  # fmt: skip


BANK = Desk(
    of="a bank", thing="account", key="account_id", seen="basic",
    rules=(
        "B1: A fee is waived at most once a year.",
        "B2: The limit is at most 5000 for a basic account and 10000 for a gold account.",
        "B3: A lost card is always blocked. A new card is ordered for gold accounts only; others buy one at a branch.",
    ),
    tools=(
        _tool("get_account", "Look an account up.", "account_id", _look),
        _tool("waive_fee", "Take a fee off.", "account_id", _set(fee=0, fee_waived_this_year=True)),
        _tool("set_limit", "Set the spending limit.", "account_id", _set(limit=lambda r, limit, **_: limit),
              limit=_NUMBER),
        _tool("block_card", "Block the card of an account.", "account_id", _set(card="blocked")),
        _tool("order_card", "Order a new card for an account.", "account_id", _set(card="new card ordered")),
    ),
    wishes={"fee": _fee, "limit": _limit, "card": _lost_card},
    simple=("fee", "limit"),
    example=("Please set the limit of account 20417 to 900.", "set_limit(account_id='20417', limit=900)",
             "The limit of account 20417 is set."),
)  # fmt: skip


# ---- a telephone company ----
def _plan(rng: Rng, allowed: bool) -> Wish:
    record = _line(rng) | {"unpaid_bills": 0 if allowed else between(rng, 1, 3)}
    wanted = pick(rng, [p for p in ("S", "M", "L", "XL") if p != record["plan"]])
    return Wish(f"Please move line {{}} to plan {wanted}.", record,
                (("change_plan", {"plan": wanted}),) if allowed else (), "" if allowed else "T1")  # fmt: skip


def _data(rng: Rng, allowed: bool) -> Wish:
    added = between(rng, 2, 7)
    wanted = between(rng, 1, 10 - added) if allowed else between(rng, 11 - added, 10)
    return Wish(f"Please add {wanted} GB to line {{}}.", _line(rng) | {"gb_added_this_month": added},
                (("add_data", {"gb": wanted}),) if allowed else (), "" if allowed else "T2")  # fmt: skip


def _slow(rng: Rng, allowed: bool) -> Wish:
    record = _line(rng) | {"outage_in_area": not allowed}
    call = ("restart_line", {}) if allowed else ("open_ticket", {"topic": "outage"})
    return Wish("Line {} has been dead since this morning. Please do something.", record, (call,),
                "" if allowed else "T3", "T3")  # fmt: skip


def _line(rng: Rng) -> Record:
    return {
        "plan": pick(rng, ("S", "M", "L", "XL")), "unpaid_bills": 0, "gb_added_this_month": 0, "outage_in_area": False,
        "restarted": False, "ticket": "",
    }  # fmt: skip


TELECOM = Desk(
    of="a telephone company", thing="line", key="line_id", seen="no unpaid bills",
    rules=(
        "T1: The plan of a line with unpaid bills is not changed.",
        "T2: At most 10 GB are added to a line in a month, those added before included.",
        "T3: A dead line is restarted; where there is an outage in the area, a ticket on 'outage' is opened instead.",
    ),
    tools=(
        _tool("get_line", "Look a line up.", "line_id", _look),
        _tool("change_plan", "Change the plan of a line.", "line_id", _set(plan=lambda r, plan, **_: plan),
              plan={"type": "string", "enum": ["S", "M", "L", "XL"]}),
        _tool("add_data", "Add GB to a line.", "line_id",
              _set(gb_added_this_month=lambda r, gb, **_: r["gb_added_this_month"] + gb), gb=_NUMBER),
        _tool("restart_line", "Restart a line.", "line_id", _set(restarted=True)),
        _tool("open_ticket", "Open a ticket for a line.", "line_id", _set(ticket=lambda r, topic, **_: topic),
              topic=_TEXT),
    ),
    wishes={"plan": _plan, "data": _data, "slow": _slow},
    simple=("plan", "data"),
    example=("Please move line 20417 to plan M.", "change_plan(line_id='20417', plan='M')",
             "Line 20417 is on plan M."),
)  # fmt: skip

def example(desk: Desk, checked: str) -> str:
    """An example of a desk's talk that keeps to its policy: the caller verified, the record known, done, told."""
    asked, done, told = desk.example
    return (
        f"User: {checked} [{desk.thing} 20417: of Rosa Vidal, {desk.seen}] Rosa Vidal here. {asked}\n"
        f"Action: [{done}]\nObservation: \"done\"\nAnswer: {told}"
    )


DESKS: Mapping[str, Desk] = {"shop": SHOP, "bank": BANK, "telecom": TELECOM}


def call(desk: Desk, number: str, name: str, arguments: Mapping[str, Any]) -> Call:
    """A call on a record."""
    return Call(name, {desk.key: number, **arguments})
