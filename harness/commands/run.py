"""stackline run: the main job: suites on a model, every chip modelled, a report."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from harness.commands._tables import path_option


@click.command("run")
@click.option("--suite", "suites", multiple=True, metavar="ID", help="Only this suite (repeatable).")
@click.option("--model", "models", multiple=True, metavar="ID", help="Only this model, or 'all' (repeatable).")
@click.option("--chip", "chips", multiple=True, metavar="ID", help="Only this chip, or 'all' (repeatable).")
@click.option("--limit", type=click.IntRange(min=1), help="Items a suite; default a sample: 60, 10 or 5 where it acts.")
@click.option("--full", is_flag=True, help="All items of every suite.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="0: the shipped items, others fresh ones; draws the sample too.",
)
@click.option("--out", type=click.Path(path_type=Path), help="The run folder; default results/<run-id>.")
@click.option("--runner", default="reference", show_default=True, metavar="ID",
              help="What answers: reference, null, replay:FILE, api:MODEL@URL.")  # fmt: skip
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="Another Llama-architecture GGUF or safetensors folder.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes; default one a core.")
@click.option("--agents/--no-agents", default=True, show_default=True,
              help="Simulate agents on a server of each chip: some seconds a chip.")  # fmt: skip
@click.option("--data", multiple=True, metavar="ID=FILE",
              help="A real evaluation, a file or ID=hub (repeatable; see `stackline suites evaluations`).")  # fmt: skip
@click.option("--epochs", type=click.IntRange(1, 64), default=1, show_default=True,
              help="Ask each question so often: majority vote, pass@k and pass^k.")  # fmt: skip
@click.option("--temperature", type=click.FloatRange(0, 2), help="Of sampling; default 0, and 0.7 with --epochs.")
@click.option("--max-turns", type=click.IntRange(min=1), help="Turns of an episode; default as its suite says.")
@click.option("--max-episode-tokens", type=click.IntRange(min=1), help="Tokens read and written in an episode.")
@click.option("--max-episode-seconds", type=click.FloatRange(min=0, min_open=True),
              help="Time of an episode, the model's and its tools'.")  # fmt: skip
@click.option("--max-episode-usd", type=click.FloatRange(min=0, min_open=True),
              help="Money of an episode; needs --token-prices.")  # fmt: skip
@click.option("--token-prices", nargs=2, type=click.FloatRange(min=0), metavar="IN OUT", default=(0.0, 0.0),
              help="USD per million input and output tokens.")  # fmt: skip
@click.option("--allow-unsafe-exec", is_flag=True,
              help="Run model-written programs even where nothing confines them: as you, on this machine.")  # fmt: skip
@click.option("--native-tools", is_flag=True, help="An endpoint's own function calling, not tools in text.")
@click.option("--precision", "precisions", multiple=True, metavar="NAME",
              help="Answer again, numbers emulated in this format, or 'all' (repeatable).")  # fmt: skip
@path_option
def command(
    suites, models, chips, limit, full, seed, out, runner, weights, workers, agents, data, epochs, temperature,
    max_turns, max_episode_tokens, max_episode_seconds, max_episode_usd, token_prices, allow_unsafe_exec, native_tools,
    precisions,
) -> None:  # fmt: skip
    """Run the task suites on the reference model, model chips with large models, write a report.

    Unnamed, the chips and models are the stacks the project compares and every profile of your own.

    \b
    Examples:
      stackline run
      stackline run --limit 10 --chip h20-96gb --chip zhenwu-m890
      stackline run --full --seed 7 --out results/fresh
      stackline run --runner api:my-model@http://localhost:8000/v1
      stackline run --suite function-synthesis --epochs 8 --limit 20
      stackline run --suite science-choice --precision fp8 --precision nvfp4 --no-agents
      stackline run --data gsm8k=gsm8k/test.jsonl --data xcopa=test.it.jsonl --limit 50
    """
    from harness import sandbox
    from harness.agents import Limits
    from harness.errors import UserMistake
    from harness.report import build
    from harness.run.job import Options, run

    if max_episode_usd is not None and not any(token_prices):
        raise UserMistake("--max-episode-usd needs --token-prices IN OUT")
    most = {"tokens": max_episode_tokens, "time_s": max_episode_seconds, "usd": max_episode_usd}
    limits = Limits(max_turns or 0, usd_per_m_input=token_prices[0], usd_per_m_output=token_prices[1],
                    **{name: value for name, value in most.items() if value is not None})  # fmt: skip
    options = Options(
        suites,
        models,
        chips,
        limit,
        full,
        seed,
        out,
        runner,
        weights,
        workers,
        " ".join(["stackline", *sys.argv[1:]]),
        agents,
        data=data,
        limits=limits,
        native_tools=native_tools,
        epochs=epochs,
        temperature=temperature,
        precisions=precisions,
    )

    def say(text: str) -> None:
        click.echo(text, err=True)

    if allow_unsafe_exec:
        sandbox.allow_unconfined()
    folder = run(options, say)
    page = build(folder, say)
    click.echo(page)
