"""stackline chips: list, show, check and begin chip profiles."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands import _profiles
from harness.commands._tables import format_option, path_option, show


@click.group("chips")
def command() -> None:
    """Chip profiles: one TOML file a chip, every value with a source.

    \b
    Examples:
      stackline chips list
      stackline chips show zhenwu-m890
      stackline chips new my-chip --like h20-96gb
    """


@command.command("list")
@format_option
@path_option
def list_(form: str) -> None:
    """One line a chip: memory, bandwidth, dense bf16 peak, link, power, and the profile's grade.

    \b
    Example:
      stackline chips list --format csv
    """
    from harness.discovery import CHIP
    from harness.evidence import grade

    columns = ("id", "name", "vendor", "memory", "bandwidth", "bf16", "link (one way)", "board", "grade")
    keys = ("memory.capacity", "memory.bandwidth", "compute.bf16", "scaleup.bandwidth", "power.tdp")
    rows = []
    for c in _profiles.readable(CHIP):
        rows.append((c.id, c.name, c.vendor, *(_profiles.shown(c, k) for k in keys), str(grade(c))))
    show(columns, rows, form)
    if form == "table":
        click.echo(
            "\n~ median of a published or derived range; `stackline chips show ID` has ranges and sources",
            err=True,
        )


@command.command("show")
@click.argument("chip_id", metavar="ID")
@format_option
@path_option
def show_(chip_id: str, form: str) -> None:
    """Every value of a chip: range, kind, source; export status by the numbers; what is stated to run on it.

    \b
    Example:
      stackline chips show zhenwu-m890
    """
    from harness.commands._show import show_profile
    from harness.profiles import chip

    show_profile(chip(chip_id), form)


@command.command("compare")
@click.argument("chip_ids", nargs=-1, required=True, metavar="CHIP CHIP...")
@click.option("--model", "asked", metavar="MODEL[/DTYPE]", help="Also say whether this model is stated to run on each.")
@format_option
@path_option
def compare(chip_ids: tuple[str, ...], asked: str | None, form: str) -> None:
    """Chips side by side: values with ranges and kinds, ratios to the first with theirs, export status.

    \b
    Example:
      stackline chips compare h20-96gb zhenwu-m890 --model qwen3-235b-a22b/fp8
    """
    from harness.commands._compare import compare
    from harness.errors import UserMistake
    from harness.export import DISCLAIMER, statuses
    from harness.profiles import chip

    if len(chip_ids) < 2:
        raise UserMistake("name two chips or more")
    chips = [chip(c) for c in chip_ids]
    extra = [("formats not computed", *(", ".join(c.unsupported) or "none" for c in chips))]
    verdicts = [{s.rule: s for s in statuses(c)} for c in chips]
    for rule in dict.fromkeys(rule for said in verdicts for rule in said):
        extra.append((f"export {rule}", *(said[rule].verdict if rule in said else None for said in verdicts)))
    if asked:
        extra += _support_rows(chips, asked)
    compare(chips, form, extra)
    if form == "table" and any(verdicts):
        click.echo(f"\n~ median of a range; export status {DISCLAIMER}", err=True)


def _support_rows(chips: list, asked: str) -> list[tuple]:
    """What is stated of a model in a format on each chip, and the format a tool computes in instead."""
    from harness.profiles import model
    from harness.stack import parse
    from harness.support import fallback, support

    stack = parse(asked)
    wanted = model(stack.model)
    if "architecture" not in wanted.tables:
        return [(wanted.id, *("closed: its weights run only where its publisher runs them" for _ in chips))]
    dtype = stack.weight_dtype or wanted.native_dtype
    found = [support(c, wanted.id, dtype) for c in chips]
    return [
        (f"{wanted.id} in {dtype}", *(str(s) for s in found)),
        ("  stated by", *(s.source or None for s in found)),
        ("  with limits", *(s.limits or None for s in found)),
        ("  computes in instead", *(fallback(c, dtype) or None for c in chips)),
    ]


@command.command("check")
@click.argument("chip_ids", nargs=-1, metavar="[ID|FILE]...")
@click.option("--all", "every", is_flag=True, help="Check every chip that is found.")
@path_option
def check(chip_ids: tuple[str, ...], every: bool) -> None:
    """Check profiles: each mistake with its file, key, what was found and what was expected.

    \b
    Example:
      stackline chips check --all
    """
    from harness.discovery import CHIP

    _profiles.check(CHIP, chip_ids, every)


@command.command("new")
@click.argument("name")
@click.option("--like", required=True, metavar="CHIP", help="The shipped chip to begin from.")
@click.option("--out", type=click.Path(path_type=Path), help="Default ./hardware_profiles/NAME.toml.")
@path_option
def new(name: str, like: str, out: Path | None) -> None:
    """Begin a profile: a template with CHIP's keys, every value marked as assumed until you cite it.

    \b
    Example:
      stackline chips new my-chip --like h20-96gb
    """
    from harness.discovery import CHIP

    click.echo(_profiles.new(CHIP, name, like, out))
