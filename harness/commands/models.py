"""stackline models: list, show and check models."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands import _profiles
from harness.commands._tables import format_option, path_option, show


@click.group("models")
def command() -> None:
    """Models: one TOML file a model; architecture for open weights.

    \b
    Example:
      stackline models show qwen3-235b-a22b
    """


@command.command("list")
@format_option
@path_option
def list_(form: str) -> None:
    """One line a model: parameters, KV cache a token, context, native format, price, licence, grade.

    \b
    Example:
      stackline models list --format json
    """
    from harness.discovery import MODEL

    columns = ("id", "publisher", "computed parameters", "computed active", "KV/token bf16", "context", "native",
               "input", "output", "weights", "licence", "grade")  # fmt: skip
    show(columns, [_list_row(m) for m in _profiles.readable(MODEL)], form)


def _list_row(m) -> tuple:
    from harness.architecture import from_table
    from harness.evidence import grade
    from harness.footprint import kv_bytes_per_token

    arch = from_table(m.tables["architecture"], m.path) if "architecture" in m.tables else None
    computed = (None, None, None) if arch is None else (
        f"{arch.parameters / 1e9:.4g} B", f"{arch.active_parameters / 1e9:.3g} B",
        f"{kv / 1e3:.4g} kB" if (kv := kv_bytes_per_token(arch, "bf16")) else "window only")  # fmt: skip
    context = int(m.get("context").point) if m.has("context") else None
    native = m.tables.get("dtypes", {}).get("native")
    prices = (_profiles.shown(m, "price.input"), _profiles.shown(m, "price.output"))
    return (m.id, m.texts.get("publisher"), *computed, context, native, *prices, m.fact("weights"), m.fact("licence"),
            str(grade(m)))  # fmt: skip


@command.command("show")
@click.argument("model_id", metavar="ID")
@click.option("--context", type=click.IntRange(min=1), default=8192, show_default=True,
              help="Tokens of context for the FLOPs and bytes a token.")  # fmt: skip
@format_option
@path_option
def show_(model_id: str, context: int, form: str) -> None:
    """Published values with sources, and what the architecture gives by arithmetic.

    The layer plan, parameters by part, FLOPs and bytes a token at a context, KV cache a token, published scores.

    \b
    Example:
      stackline models show deepseek-r1 --context 32768
    """
    from harness.commands._arithmetic import plan_lines, score_lines
    from harness.commands._show import show_profile
    from harness.profiles import model

    m = model(model_id)
    show_profile(m, form)
    if form != "table":
        return
    for line in (*score_lines(m), *plan_lines(m, context)):
        click.echo(line)


@command.command("compare")
@click.argument("model_ids", nargs=-1, required=True, metavar="MODEL MODEL...")
@format_option
@path_option
def compare(model_ids: tuple[str, ...], form: str) -> None:
    """Models side by side: values, prices, and published scores with whether they are comparable.

    Two scores are comparable where benchmark, version, harness and setting agree; a harness that is not said agrees
    with nothing.

    \b
    Example:
      stackline models compare qwen3.7-max claude-opus-4.8 deepseek-v4-pro
    """
    from harness.commands._compare import compare
    from harness.errors import UserMistake
    from harness.profiles import model
    from harness.scores import side_by_side

    if len(model_ids) < 2:
        raise UserMistake("name two models or more")
    models = [model(m) for m in model_ids]
    extra = [(f"proxy (of {', '.join(m.id for m in models if m.proxy)})",
              *(f"{m.proxy['model']}: {m.proxy['why']}" if m.proxy else None for m in models))]  # fmt: skip
    compare(models, form, extra if any(m.proxy for m in models) else ())
    rows = side_by_side(models)
    if form == "table" and rows:
        click.echo("\npublished scores:")
        columns = ("benchmark", *(m.id for m in models), "side by side")
        cells = [[r.name, *(f"{s.shown}; {s.made_how}" if s else None for s in r.cells), r.verdict] for r in rows]
        show(columns, cells, form, wrap=32)


@command.command("check")
@click.argument("model_ids", nargs=-1, metavar="[ID|FILE]...")
@click.option("--all", "every", is_flag=True, help="Check every model that is found.")
@path_option
def check(model_ids: tuple[str, ...], every: bool) -> None:
    """Check models' files: each mistake with its file, key, what was found and what was expected.

    \b
    Example:
      stackline models check --all
    """
    from harness.discovery import MODEL

    _profiles.check(MODEL, model_ids, every)


@command.command("new")
@click.argument("name", required=False)
@click.option(
    "--from",
    "config",
    required=True,
    metavar="CONFIG.JSON",
    type=click.Path(path_type=Path),
    help="The Hugging Face config.json to read.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Default ./NAME.toml.")
def new(name: str | None, config: Path, out: Path | None) -> None:
    """Write a model's file from its config.json: the layer plan, context and formats; the rest is left to fill in.

    NAME is the new id; without it the config's own name, or that of its folder.

    \b
    Example:
      stackline models new my-model --from config.json
    """
    from harness.discovery import ID_PATTERN, MODEL
    from harness.errors import CannotWrite, UserMistake
    from harness.hf_config.template import id_of, read_config, template
    from harness.profiles import load_file
    from harness.results import write_whole

    raw, said = read_config(config)
    model_id = name or id_of(raw, config)
    if not ID_PATTERN.fullmatch(model_id):
        raise UserMistake(f"'{model_id}' is no id (lower case letters, digits, dots and dashes): give NAME")
    target = out or Path(f"{model_id}.toml")
    if target.exists():
        raise CannotWrite(target, "it is already there")
    write_whole(target, template(model_id, said, config))
    load_file(MODEL, target)
    click.echo(target)
