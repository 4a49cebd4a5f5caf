"""Progress bars on stderr (rich): one line a stage, with time left; silent where stderr is no terminal."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class Bars:
    """A context that draws bars, and plain lines above them."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, soft_wrap=True, highlight=False)
        columns = TextColumn("{task.description:<36}"), BarColumn(24), MofNCompleteColumn()
        self._progress = Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=self.console)

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def bar(self, title: str, total: int) -> Callable[[int], None]:
        """A new bar; call the result with how many more are done."""
        if not self.console.is_terminal:
            self.say(f"{title} ...")
        task = self._progress.add_task(title, total=total)
        return lambda n: self._progress.advance(task, n)

    def say(self, text: str) -> None:
        self.console.print(text, markup=False)
