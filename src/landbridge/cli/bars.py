"""How does progress look on a terminal?"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)

if TYPE_CHECKING:
    from rich.progress import Task, TaskID
    from rich.text import Text


class _Amount(ProgressColumn):
    """Bytes as bytes with their speed, anything else as counts."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes, self._speed, self._count = DownloadColumn(), TransferSpeedColumn(), MofNCompleteColumn()

    def render(self, task: Task) -> Text:
        if task.fields["unit"] == "B":
            return self._bytes.render(task) + "  " + self._speed.render(task)
        return self._count.render(task) + f" {task.fields['unit']}"


class Bars:
    """One line a step, with a bar where the total is known. Obeys ports.Progress; safe from several threads."""

    def __init__(self) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            _Amount(),
            TimeElapsedColumn(),
            console=Console(file=sys.stderr),
        )
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last picture on the screen."""
        self._progress.stop()

    def start(self, step: str, total: int | None, unit: str) -> None:
        """Add a line."""
        with self._lock:
            self._tasks[step] = self._progress.add_task(step, total=total, unit=unit)

    def advance(self, step: str, amount: int) -> None:
        """Move a line."""
        task = self._tasks.get(step)
        if task is not None:
            self._progress.advance(task, amount)

    def finish(self, step: str) -> None:
        """Fill a line."""
        with self._lock:
            task = self._tasks.pop(step, None)
        if task is not None:
            done = self._progress.tasks[self._progress.task_ids.index(task)].completed
            self._progress.update(task, total=done or 1, completed=done or 1)
