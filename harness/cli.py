"""The `stackline` command. Each subcommand is one file in `harness/commands/`, imported when it is called."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import click

from harness import __version__
from harness.errors import StacklineError

_COMMANDS = Path(__file__).parent / "commands"


class LazyGroup(click.Group):
    """Subcommands by file name: `commands/run.py` holds `command`, the click command named `run`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(p.stem.replace("_", "-") for p in _COMMANDS.glob("*.py") if not p.name.startswith("_"))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(ctx):
            return None
        return importlib.import_module(f"harness.commands.{name.replace('-', '_')}").command

    def resolve_command(self, ctx: click.Context, args: list[str]):
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            import difflib

            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f"; did you mean '{near[0]}'?" if near else "; `stackline --help` lists the commands"
            raise click.UsageError(f"no command '{args[0]}'{hint}") from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands without importing them: each file's first line says what it does."""
        rows = []
        for name in self.list_commands(ctx):
            first = (_COMMANDS / f"{name.replace('-', '_')}.py").read_text("utf-8").split("\n", 1)[0]
            rows.append((name, first.strip('"').partition(": ")[2]))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="stackline")
@click.option(
    "--path",
    "paths",
    multiple=True,
    metavar="DIR",
    help="A folder with your own chips, models, suites, workloads, plots.",
)
def stackline(paths: tuple[str, ...]) -> None:
    """Compare chip-and-model stacks for AI inference: quality, speed, cost, energy.

    Every figure says what it is (measured, published, modelled, assumed), with an interval and a source.

    \b
    Examples:
      stackline run                                 suites, chips and the report
      stackline run --suite science-choice --limit 10 --chip h20-96gb
      stackline chips show zhenwu-m890
    """
    if paths:
        from harness.discovery import add_paths

        add_paths(paths)


def main() -> None:
    """Run the command; a mistake is one line on stderr and exit code 2, Ctrl-C 130, a failure 1."""
    try:
        sys.exit(stackline.main(standalone_mode=False) or 0)
    except click.exceptions.Abort:
        _say("interrupted")
        sys.exit(130)
    except KeyboardInterrupt:
        _say("interrupted: finished answers are kept")
        sys.exit(130)
    except getattr(click.exceptions, "NoArgsIsHelpError", ()) as error:  # a group alone: its help, lines kept
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.UsageError as error:
        _say(error.format_message() + (f" (see `{error.ctx.command_path} --help`)" if error.ctx else ""))
        sys.exit(2)
    except click.ClickException as error:
        _say(error.format_message())
        sys.exit(error.exit_code)
    except StacklineError as error:
        _say(str(error))
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


def _say(text: str) -> None:
    click.echo(f"stackline: {' '.join(text.split())}", err=True)
