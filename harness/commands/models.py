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
    """One line a model: parameters, KV cache a token, context, native format, licence.

    \b
    Example:
      stackline models list --format json
    """
    from harness.discovery import MODEL, find
    from harness.footprint import kv_bytes_per_token
    from harness.profiles import model
    from harness.roofline.point import architecture

    rows = []
    for name in find(MODEL):
        m = model(name)
        arch = architecture(m) if "architecture" in m.tables else None
        rows.append((
            m.id, m.texts["publisher"], arch and f"{arch.parameters / 1e9:.4g} B",
            arch and f"{arch.active_parameters / 1e9:.3g} B",
            arch and f"{kv_bytes_per_token(arch, 'bf16') / 1e3:.4g} kB", int(m.get("context").point),
            m.tables.get("dtypes", {}).get("native"), m.fact("licence"),
        ))  # fmt: skip
    show(
        ("id", "publisher", "parameters", "active", "KV/token bf16", "context", "native", "licence"),
        rows,
        form,
    )


@command.command("show")
@click.argument("model_id", metavar="ID")
@format_option
@path_option
def show_(model_id: str, form: str) -> None:
    """Published values with sources, and what the architecture gives by arithmetic.

    \b
    Example:
      stackline models show deepseek-r1
    """
    from harness.footprint import kv_bytes_per_token
    from harness.profiles import model
    from harness.roofline.point import architecture

    m = model(model_id)
    _profiles.show_profile(m, form)
    if form != "table" or "architecture" not in m.tables:
        return
    arch = architecture(m)
    click.echo(f"\nlayers: {arch.layer_count}, hidden {arch.hidden}, vocabulary {arch.vocab}")
    for group in arch.layers:
        click.echo(f"  {group.count:3d} x {_plan(group.attention)} | {_plan(group.mlp)}")
    click.echo(f"parameters by arithmetic: {arch.parameters:,} ({arch.active_parameters:,} used by a token)")
    wide, narrow = (kv_bytes_per_token(arch, dtype) for dtype in ("bf16", "fp8"))
    click.echo(f"KV cache a token: {wide:,.0f} B in bf16, {narrow:,.0f} B in fp8")


def _plan(part: object) -> str:
    fields = {k: v for k, v in vars(part).items() if k != "kind" and v not in (0, False)}
    return f"{part.kind} " + " ".join(f"{k}={v}" if v is not True else k for k, v in fields.items())


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
