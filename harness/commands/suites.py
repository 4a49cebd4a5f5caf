"""stackline suites: list and show task suites."""

from __future__ import annotations

import click

from harness.commands._tables import format_option, path_option, show


@click.group("suites")
def command() -> None:
    """Task suites: one Python file a suite, items with computed answers.

    \b
    Example:
      stackline suites show science-choice
    """


@command.command("list")
@format_option
@path_option
def list_(form: str) -> None:
    """One line a suite: family, what it imitates, version, licence.

    \b
    Example:
      stackline suites list
    """
    from harness.suites import all_suites

    rows = [(s.id, s.family, s.imitates, s.method, s.max_tokens, s.version, s.licence) for s in all_suites()]
    show(("id", "family", "imitates", "answered by", "max tokens", "version", "licence"), rows, form)


@command.command("evaluations")
@format_option
def evaluations_(form: str) -> None:
    """Published evaluations that `stackline run --data ID=FILE` reads from your own copy of their items.

    \b
    Example:
      stackline suites evaluations
    """
    from harness.evaluations import evaluation, names

    rows = [(name, e.hub, e.method, e.follows, e.licence, ", ".join(e.languages), ", ".join(e.columns or e.fields))
            for name in names() for e in (evaluation(name),)]  # fmt: skip
    head = ("id", "published as", "answered by", "prompts of lm-eval's", "licence", "languages", "fields of a row")
    show(head, rows, form)


@command.command("show")
@click.argument("suite_id", metavar="ID")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Which items.")
@click.option("--level", type=click.IntRange(1, 5), help="Only this level.")
@path_option
def show_(suite_id: str, seed: int, level: int | None) -> None:
    """What a suite asks: its description, chance level, and one item a level.

    \b
    Example:
      stackline suites show science-choice --level 3
    """
    from harness.chance import chance_level
    from harness.options import LETTERS
    from harness.suites import LEVELS, suite

    s = suite(suite_id)
    items = s.items(seed)
    chance = chance_level(s, items)
    click.echo(f"{s.title} ({s.id}, version {s.version}, {s.licence})")
    click.echo(f"imitates {s.imitates}; {s.differs}")
    click.echo(f"answered by {s.method}, at most {s.max_tokens} tokens, stop strings {list(s.stop)}")
    click.echo(f"{len(items)} items at seed {seed}; chance {chance.value:.3f} ({chance.strategy})")
    for k in LEVELS if level is None else (level,):
        item = next(i for i in items if i.level == k)
        click.echo(f"\n--- level {k}, {item.id}, {item.lang}\n{item.prompt}")
        for letter, choice in zip(LETTERS, item.choices, strict=False):
            click.echo(f"  {letter}. {choice}")
        click.echo(f"--- answer: {item.answer}")
