"""stackline capacity: how much load a stack holds at a service level, and what a demand takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands._serving import Number, policy, policy_options
from harness.commands._tables import format_option, path_option, show
from harness.errors import UserMistake

if TYPE_CHECKING:
    from harness.serving.capacity import Capacity
    from harness.serving.deploy import Deployment
    from harness.serving.fleet import Demand

# Figure -> (what it is, unit). `{}` is the load: users, or sessions a second.
_HELD = {
    "load": ("load that one copy holds", "{}"), "per_chip": ("of it a chip", "{}"),
    "per_server": ("of it a server", "{}"), "per_mw": ("of it a megawatt at the meter", "{}"),
    "sessions_per_s": ("sessions of a copy", "1/s"), "requests_per_s": ("requests of a copy", "1/s"),
    "output_tok_s_per_chip": ("output", "token/s a chip"), "prefix_hit_rate": ("prefix hit rate", "1"),
    "busy_share": ("time at work", "1"), "power_w_per_chip": ("board power", "W a chip"),
}  # fmt: skip
_FLEET = {
    "copies": ("copies of the stack", "count"), "chips": ("chips", "count"), "servers": ("servers", "count"),
    "racks": ("racks", "count"), "facility_mw": ("power at the meter", "MW"), "usd_per_hour": ("rent", "USD/h"),
    "usd_per_session": ("rent a session", "USD"), "share_of_capacity": ("of their capacity used", "1"),
}  # fmt: skip


@click.command("capacity")
@click.argument("stack")
@click.option("--demand", required=True, metavar="SPEC", help="workload=ID and users=N, rate=R or sessions_per_day=N.")
@click.option("--slo", metavar="SPEC", help="Service level: ttft_ms=5000,tpot_ms=30 (default: the workload's own).")
@click.option("--attain", type=click.FloatRange(0.5, 1), default=0.95, show_default=True, metavar="SHARE",
              help="Share of requests that must keep every limit.")  # fmt: skip
@click.option("--rack-kw", type=Number(1), default=40.0, show_default=True, help="Power of a rack, assumed.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the sessions drawn.")
@policy_options
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also write JSON.")
@format_option
@path_option
def command(
    stack: str, demand: str, slo: str | None, attain: float, rack_kw: float, seed: int, routing: str,
    keep_s: float | None, hold_s: float, host_gb: float, preempt: str, out: Path | None, form: str,
) -> None:  # fmt: skip
    """Find the most load that STACK holds, by bisection over simulations, and the fleet that meets a demand.

    users=N are sessions at once, each followed by the next (agents, people); rate=R and sessions_per_day=N begin
    whatever becomes of the others. The demand is met by copies of STACK. Modelled; p10 and p90 carry the uncertainty
    of a step's time.

    \b
    Example:
      stackline capacity qwen3-235b-a22b/fp8@zhenwu-m890:8 --demand workload=chat,users=2000
      stackline capacity deepseek-v4-flash@b200-sxm:8 --demand workload=coding-agent,sessions_per_day=1e8
    """
    from harness.serving.capacity import capacity
    from harness.serving.deploy import deploy
    from harness.serving.fleet import parse_demand
    from harness.serving.steady import pool

    asked, deployment = parse_demand(demand), deploy(stack)
    sessions = pool(asked.workload, seed)
    limits = limits_of(slo, sessions.workload)
    click.echo(f"bisecting {asked.kind} of {asked.workload} on {deployment.stack} ...", err=True)
    settings = policy(routing, keep_s, hold_s, host_gb, preempt)
    found = capacity(deployment, sessions, asked.kind, limits, attain, settings, lambda seen, _: click.echo(
        f"  {seen.load:g} {asked.kind}: {seen.held:.1%} within the limits", err=True))  # fmt: skip
    rows = _rows(deployment, asked, found, rack_kw)
    shown = _number if form == "table" else float
    cells = [[what, *(None if x is None else shown(x) for x in numbers), unit] for _, what, *numbers, unit in rows]
    show(["figure", "value", "p10", "p90", "unit"], cells, form)
    level = ", ".join(f"{k}={v:g}" for k, v in limits.items())
    if form == "table":
        from harness.serving.fleet import ASSUMPTIONS

        click.echo(f"\nService level: {level}, kept by {attain:.0%} of requests. Modelled. Assumes:")
        click.echo("\n".join(f"- {line}" for line in (*ASSUMPTIONS, f"racks of {rack_kw:g} kW")))
        if found.low is None:
            click.echo("No interval: at the p90 of its step times the stack does not hold even the least load.")
    if out is not None:
        _write(out, deployment, asked, limits, attain, rows)


def limits_of(slo: str | None, workload) -> dict[str, float]:
    """The limits that were given, else the workload's own. Raises UserMistake where there are none."""
    from harness.serving.slo import own_limits, parse_slo

    given = parse_slo(slo) or own_limits(workload)
    if not given:
        raise UserMistake(f"workload '{workload.id}' names no service level: give --slo ttft_ms=...,tpot_ms=...")
    return given


def _rows(d: Deployment, demand: Demand, found: Capacity, rack_kw: float) -> list[list]:
    """[name, what, value, p10, p90, unit]; the interval's ends are those of the fleet at the ends of the load."""
    from harness.errors import NotPredictable
    from harness.serving.fleet import fleet, per_unit, reach

    if found.middle is None:
        raise NotPredictable(f"{d.stack} does not hold even the least load of {demand.workload} at this service level")
    least, most = reach(found)
    columns = [x and {"load": x.load, **per_unit(d, x), "sessions_per_s": x.sessions_per_s,
                      "requests_per_s": x.requests_per_s, "output_tok_s_per_chip": x.output_tok_per_s / d.stack.chips,
                      "prefix_hit_rate": x.hit_rate, "busy_share": x.busy, "power_w_per_chip": x.power_w_per_chip,
                      **fleet(d, demand, x, rack_kw)} for x in (found.middle, least, most)]  # fmt: skip
    unit = "users" if demand.kind == "users" else "sessions/s"
    out = []
    for name, (what, of) in (_HELD | _FLEET).items():
        value, *ends = (c.get(name) if c else None for c in columns)
        if value is None or value != value:
            continue
        low, high = (None, None) if least is None else (min(value, *ends), max(value, *ends))
        out.append([name, what, value, low, high, of.format(unit)])
    return out


def _number(x: float) -> str:
    return f"{x:,.0f}" if abs(x) >= 1000 or x == int(x) else f"{x:.4g}"


def _write(out: Path, d: Deployment, demand: Demand, limits: dict, attain: float, rows: list[list]) -> None:
    from harness.results import write_whole

    figures = {name: {"value": value, "p10": low, "p90": high, "unit": unit, "kind": "modelled"}
               for name, _, value, low, high, unit in rows}  # fmt: skip
    document = {"stack": str(d.stack), "workload": demand.workload, "demand": {demand.kind: demand.amount},
                "slo": limits, "attain": attain, "figures": figures}  # fmt: skip
    write_whole(out, json.dumps(document, indent=1) + "\n")
