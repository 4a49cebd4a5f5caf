"""stackline stacks: whole stacks, who holds each layer, and what is left without one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands._tables import format_option, path_option, show

if TYPE_CHECKING:
    from harness.cut import Cut
    from harness.whole_stacks import WholeStack

_WRAP, _MOST = 44, 3
_TEMPLATE = """\
name = "Our racks: H200 with open Qwen3.5 weights"
serves = "qwen3.5-397b-a17b/fp8@h200-sxm:8"      # as every command takes a stack
about = "What it stands for, in a sentence."
where = "Where inference runs, as far as it is stated."
chip_disclosed = "customer-chosen"               # yes | no | customer-chosen
read = "2026-11-23"

[layers]                                         # ids of harness/stacks/_layers.toml
server = "hgx"
cloud = "coreweave"
runtime = "cuda"
engine = "vllm"
agents = "langgraph"

# [missing]                                      # a layer that there is none of, and why
# cloud = "our own data centre"
"""


def cut_options(function):
    """--without and --buyer."""
    function = click.option("--buyer", type=click.Choice(("cn", "us", "eu")),
                            help="Who buys: layers that stated rules close to them are lost.")(function)  # fmt: skip
    return click.option("--without", multiple=True, metavar="TERM",
                        help="Take away a maker (nvidia), a jurisdiction (jurisdiction:us) or a layer "
                        "(cloud:azure); repeatable.")(function)  # fmt: skip


@click.group("stacks")
def command() -> None:
    """Whole stacks, chip to agent framework: who makes each layer, under which terms, and what remains without it.

    \b
    Examples:
      stackline stacks list --without jurisdiction:us
      stackline stacks show alibaba-m890-qwen3.7-max
      stackline stacks compare alibaba-m890-qwen3.8 nvidia-h200-qwen3.5
    """


@command.command("list")
@cut_options
@format_option
@path_option
def list_(without: tuple[str, ...], buyer: str | None, form: str) -> None:
    """Every whole stack; with --without or --buyer which remain, what replaces a lost layer, and what that costs.

    Speed and money are modelled at 8,192 tokens in, 1,024 out and 16 requests at once; quality is what is published.

    \b
    Examples:
      stackline stacks list
      stackline stacks list --without nvidia
      stackline stacks list --buyer cn --format csv
    """
    from harness.cut import Cut, checked
    from harness.whole_stacks import all_stacks

    stacks = all_stacks()
    cut = checked(Cut(without, buyer or ""), stacks)
    if not cut:
        rows = [(s.id, s.name, s.serves.model, s.serves.chip, _jurisdictions(s), s.chip_disclosed) for s in stacks]
        show(("id", "name", "model", "chip", "jurisdiction of " + "/".join(_roles()), "chip disclosed"), rows, form)
        return
    _show_cut(stacks, cut, form)


def _roles() -> tuple[str, ...]:
    from harness.whole_stacks import ROLES

    return ROLES


def _jurisdictions(one: WholeStack) -> str:
    return " ".join("+".join(one.layers[r].jurisdiction) if r in one.layers else "-" for r in _roles())


def _show_cut(stacks: list[WholeStack], cut: Cut, form: str) -> None:
    from harness.cut import LOST, losses, remaining, state

    left = remaining(stacks, cut)
    columns = ("id", "state", "layer", "why", "replaced by", "what changes", "speed a chip", "USD a token", "quality")
    rows = []
    for one in stacks:
        found = losses(one, cut)
        what = ", ".join(f"{loss.role} {loss.layer.name}" for loss in found)
        why = "; ".join(dict.fromkeys(loss.why for loss in found))
        head = (one.id, state(found), what or None, why or None)
        options = _options(one, cut, left) if state(found) == LOST else [(None,) * 5]
        again = (" ",) * len(head) if form == "table" else head
        rows += [(*(again if k else head), *option) for k, option in enumerate(options)]
    show(columns, rows, form, wrap=_WRAP)
    if form == "table":
        click.echo(f"\n{cut}: {len(left)} of {len(stacks)} stacks remain. Ratios are modelled, new over old, with "
                   "p10 to p90; a layer of open source or open weights is not lost by its origin. Not legal advice.",
                   err=True)  # fmt: skip


def _options(one: WholeStack, cut: Cut, left: list[WholeStack]) -> list[tuple]:
    """The cheapest replacements by modelled money, those without a figure last; the reason where there is none."""
    from harness.cut import replacements, served
    from harness.run import stack_costs as costs

    old = costs.served(one.serves)
    found = []
    for option in replacements(one, cut, left):
        model, chip = served(one, option)
        same = (model, chip) == (one.serves.model, one.serves.chip)
        new = old if same else costs.replaced(one.serves, option.taken_from.serves, model, chip)
        price = new.figure(costs.MONEY)
        found.append((price.value if price else float("inf"), option, new, same))
    found.sort(key=lambda f: (f[0], f[1].taken_from.id))
    if not found:
        return [("nothing that remains", None, None, None, None)]
    return [_option_row(option, new, old, one, same) for _, option, new, same in found[:_MOST]]


def _option_row(option, new, old, one: WholeStack, same: bool) -> tuple:
    from harness.profiles import model
    from harness.run import stack_costs as costs

    name = option.taken_from.id if option.whole else f"{', '.join(option.roles)} of {option.taken_from.id}"
    what = "the agent framework" if same else str(new.stack)
    ratios = [_ratio(costs.beside(new, old, figure)) for figure in (costs.SPEED, costs.MONEY)]
    if same:
        return (name, what, "same", "same", "same model")
    if new.stack.model == old.stack.model:
        return (name, what, *ratios, "same model")
    pairs = costs.compared_scores(model(new.stack.model), model(one.serves.model))
    quality = "; ".join(f"{b.name} {b.shown} → {a.shown} ({a.harness})" for a, b in pairs)
    return (name, what, *ratios, quality or None)


def _ratio(figure) -> str | None:
    return None if figure is None else f"×{figure.value:.2g} ({figure.p10:.2g} .. {figure.p90:.2g})"


@command.command("show")
@click.argument("stack_id", metavar="ID")
@format_option
@path_option
def show_(stack_id: str, form: str) -> None:
    """Every layer of a stack: maker, jurisdiction, licence or terms, openness, limits, buyers, source.

    \b
    Example:
      stackline stacks show huawei-910c-deepseek
    """
    from harness.whole_stacks import whole_stack

    one = whole_stack(stack_id)
    columns = ("layer", "name", "maker", "jurisdiction", "open", "licence or terms", "limits", "buyers", "source")
    rows = []
    for role in _roles():
        if role in one.missing:
            rows.append((role, None, None, None, None, None, one.missing[role], None, None))
            continue
        layer = one.layers[role]
        buyers = "; ".join(f"{a.buyer}: {a.state}, {a.why} ({a.date})" for a in layer.buyers)
        rows.append((role, layer.name, layer.maker, " ".join(layer.jurisdiction), layer.open, layer.licence or None,
                     layer.limits or None, buyers or None, _source(layer)))  # fmt: skip
    if form == "table":
        click.echo(f"{one.name} ({one.id})\n{one.about}\nserves {one.serves}; chip disclosed: {one.chip_disclosed}\n"
                   f"where inference runs: {one.where}\n")  # fmt: skip
    show(columns, rows, form, wrap=_WRAP)


def _source(layer) -> str:
    about = layer.source
    parts = [about["title"], about.get("url", ""), f"{about['kind']} {about.get('date', '')}".strip()]
    return ", ".join(part for part in parts if part)


@command.command("compare")
@click.argument("stack_ids", metavar="ID ID...", nargs=-1, required=True)
@format_option
@path_option
def compare(stack_ids: tuple[str, ...], form: str) -> None:
    """Whole stacks side by side: who holds each layer, what each gives and costs, what is published of its quality.

    \b
    Example:
      stackline stacks compare alibaba-m890-qwen3.8 huawei-910c-deepseek nvidia-h200-qwen3.5
    """
    from harness.whole_stacks import whole_stack

    stacks = [whole_stack(i) for i in dict.fromkeys(stack_ids)]
    rows = [(role, *(_held(one, role) for one in stacks)) for role in _roles()]
    rows += [("where inference runs", *(one.where for one in stacks)),
             ("chip disclosed", *(one.chip_disclosed for one in stacks)), *_figures(stacks)]  # fmt: skip
    show(("", *(one.id for one in stacks)), rows, form, wrap=_WRAP)
    if form == "table":
        click.echo("\nmodelled at 8,192 tokens in, 1,024 out, 16 requests at once, p10 to p90; scores are published, "
                   "and stand side by side where benchmark, harness and setting are the same", err=True)  # fmt: skip


def _held(one: WholeStack, role: str) -> str:
    if role not in one.layers:
        return f"none: {one.missing[role]}"
    layer = one.layers[role]
    openness = {"yes": "open", "partly": "partly open", "no": "closed"}.get(layer.open, "openness not read")
    return f"{layer.name}, {layer.maker} ({'+'.join(layer.jurisdiction)}), {openness}"


def _figures(stacks: list[WholeStack]) -> list[tuple]:
    """Rows of modelled figures, of API prices, and of published scores that at least two of them share."""
    from harness.profiles import model
    from harness.run import stack_costs as costs
    from harness.scores import side_by_side

    served = [costs.served(one.serves) for one in stacks]
    names = (("output tokens/s a chip", costs.SPEED), ("TPOT, ms", "tpot_ms"), ("USD per million output tokens, rent",
             costs.MONEY), ("J an output token, board", "energy_j_per_output_tok"))  # fmt: skip
    rows = [(title, *(_cell(one, figure) for one in served)) for title, figure in names]
    models = [model(one.serves.model) for one in stacks]
    rows.append(("USD per million output tokens, API price", *(_api_price(m) for m in models)))
    kinds = [entry for entry in side_by_side(models) if sum(s is not None for s in entry.cells) > 1]
    return rows + [(f"{entry.name}: {entry.verdict}", *(s and f"{s.shown}, {s.made_how}" for s in entry.cells))
                   for entry in kinds if entry.verdict == "comparable"]  # fmt: skip


def _cell(served, name: str) -> str | None:
    figure = served.figure(name)
    if figure is None:
        return f"— ({served.why})" if served.why else None
    return f"{figure.value:.3g} ({figure.p10:.3g} .. {figure.p90:.3g})"


def _api_price(one) -> str | None:
    if not one.has("price.output"):
        return None
    cited = one.get("price.output")
    return f"{cited.point * 1e6:.3g} [{cited.kind}, {cited.date}]"


@command.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check stack files of your own, and say the first mistake of the first that has one.

    \b
    Example:
      stackline stacks check ours.toml
    """
    from harness.whole_stacks import load_file

    for path in files:
        one = load_file(path)
        click.echo(f"{path}: {one.name}, {len(one.layers)} layers, serves {one.serves}")


@command.command("new")
@click.argument("out", metavar="FILE", type=click.Path(path_type=Path))
def new(out: Path) -> None:
    """Write a stack file to begin with; its name is the id that every command takes with --path.

    \b
    Example:
      stackline stacks new stacks/ours.toml
    """
    from harness.errors import CannotWrite

    if out.exists():
        raise CannotWrite(out, "it is there already")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(_TEMPLATE, "utf-8")
    click.echo(f"{out}: begin with it, then `stackline stacks check {out}`")
