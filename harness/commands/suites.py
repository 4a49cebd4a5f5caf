"""stackline suites: list, show, check and begin task suites."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands._tables import format_option, path_option, show


@click.group("suites")
def command() -> None:
    """Task suites: one file a suite, Python with computed answers, or your own questions in YAML or JSONL.

    \b
    Examples:
      stackline suites show science-choice
      stackline suites new our-questions
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
    """Published evaluations that `stackline run --data ID=FILE` reads from your own copy, or `ID=hub` from the hub.

    \b
    Example:
      stackline suites evaluations
    """
    from harness.evaluations import evaluation, names

    rows = [(name, e.hub.replace(", ,", ","), e.method, e.follows, e.licence, ", ".join(e.languages),
             ", ".join(e.columns or e.fields),
             _state(e)) for name in names() for e in (evaluation(name),)]  # fmt: skip
    head = ("id", "published as", "answered by", "prompts and filters of", "licence", "languages", "fields of a row",
            "state")  # fmt: skip
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
    from harness.errors import UserMistake
    from harness.options import LETTERS
    from harness.suites import suite

    s = suite(suite_id)
    items = s.items(seed)
    chance = chance_level(s, items)
    click.echo(f"{s.title} ({s.id}, version {s.version}, {s.licence})")
    click.echo(f"imitates {s.imitates}; {s.differs}")
    click.echo(f"answered by {s.method}, at most {s.max_tokens} tokens, stop strings {list(s.stop)}")
    if s.partial:
        click.echo("an item may be solved in part: the credit is a share from 0 to 1")
    click.echo(f"{len(items)} items at seed {seed}; chance {chance.value:.3f} ({chance.strategy})")
    for k in sorted({i.level for i in items}) if level is None else (level,):
        item = next((i for i in items if i.level == k), None)
        if item is None:
            raise UserMistake(f"{s.id} has no item of level {k}")
        of = f"level {k}" if k else "no level"
        click.echo(f"\n--- {of}, {item.id}, {item.lang}\n{item.prompt}")
        for letter, choice in zip(LETTERS, item.choices, strict=False):
            click.echo(f"  {letter}. {choice}")
        click.echo(f"--- answer: {_shortened(item.answer)}")


def _shortened(answer: str, most: int = 24) -> str:
    """A long transcript's beginning and end."""
    lines = answer.splitlines()
    if len(lines) <= most:
        return answer
    half = most // 2
    return "\n".join([*lines[:half], f"... {len(lines) - most} more lines ...", *lines[-half:]])


@command.command("check")
@click.argument("names", nargs=-1, metavar="[ID|FILE]...")
@click.option("--all", "every", is_flag=True, help="Check every suite that is found.")
@path_option
def check(names: tuple[str, ...], every: bool) -> None:
    """Check suites: each loads, every item's own answer scores 1 and an empty one 0.

    \b
    Example:
      stackline suites check tasks/our-questions.yaml
    """
    from harness.discovery import SUITE, find, path_of
    from harness.errors import BadFile, SandboxUnavailable, UserMistake

    if not names and not every:
        raise UserMistake("name a suite or a file, or give --all")
    paths = [Path(n) if n.endswith(SUITE.suffixes) else path_of(SUITE, n) for n in names] or list(find(SUITE).values())
    mistakes = 0
    for path in paths:
        try:
            click.echo(_checked(path))
        except BadFile as error:
            mistakes += 1
            click.echo(f"stackline: {error}", err=True)
        except SandboxUnavailable as error:
            click.echo(f"{path.stem}: loads; its answers were not run: {error}")
    if mistakes:
        raise UserMistake(f"{mistakes} of {len(paths)} files have a mistake")


def _checked(path: Path) -> str:
    """One line on a suite that is sound. Raises MissingFile, or BadFile where an answer scores wrongly."""
    from harness.chance import chance_level
    from harness.errors import BadFile, MissingFile
    from harness.suites import suite_of

    if not path.exists():
        raise MissingFile(path, "suite")
    one = suite_of(path)
    items = one.items()
    for item in items:
        if one.score(item, item.answer) != 1.0:
            raise BadFile(path, f"{item.id}, answer", item.answer, "one that the suite's own scorer accepts")
        if one.score(item, "") != 0.0:
            raise BadFile(path, f"{item.id}, answer", "scores 1 when nothing is said", "a scorer that refuses silence")
    chance, languages = chance_level(one, items), sorted({item.lang for item in items})
    return f"{one.id}: ok, {len(items)} items in {', '.join(languages)}, chance {chance.value:.2f} ({chance.strategy})"


@command.command("new")
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="Default ./tasks/NAME.yaml.")
def new(name: str, out: Path | None) -> None:
    """Begin a suite of your own: a YAML file of questions, to be filled in without code.

    \b
    Example:
      stackline suites new our-questions
    """
    from harness.discovery import ID_PATTERN, SUITE
    from harness.errors import CannotWrite, UserMistake
    from harness.plain_suites import TEMPLATE
    from harness.results import write_whole

    if not ID_PATTERN.fullmatch(name):
        raise UserMistake(f"'{name}' is no id: lower case letters, digits, dots and dashes")
    target = out or Path(SUITE.folder) / f"{name}.yaml"
    if target.exists():
        raise CannotWrite(target, "it is already there")
    write_whole(target, TEMPLATE.format(name=name))
    _checked(target)
    click.echo(target)


def _state(one) -> str:
    """What is known of an evaluation here."""
    if one.refusal:
        return f"cannot be run here: {one.refusal}"
    access = "; for those whom its publisher gave access" if one.gated else ""
    return (
        "run by us on the published items" if one.tried else "not run by us: written to the published fields"
    ) + access
