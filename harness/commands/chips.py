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
    """One line a chip: memory, bandwidth, dense bf16 peak, link, power, and the weakest kind of value.

    \b
    Example:
      stackline chips list --format csv
    """
    from harness.discovery import CHIP, find
    from harness.profiles import chip

    columns = ("id", "name", "vendor", "memory", "bandwidth", "bf16", "link (one way)", "board", "weakest")
    keys = ("memory.capacity", "memory.bandwidth", "compute.bf16", "scaleup.bandwidth", "power.tdp")
    rows = []
    for name in find(CHIP):
        c = chip(name)
        rows.append((c.id, c.name, c.vendor, *(_profiles.shown(c, k) for k in keys), c.weakest_kind))
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
    """Every value of a chip: range, kind, source.

    \b
    Example:
      stackline chips show zhenwu-m890
    """
    from harness.profiles import chip

    _profiles.show_profile(chip(chip_id), form)


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
