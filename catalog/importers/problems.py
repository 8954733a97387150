"""What can be wrong with a file, and how much of it an import puts up with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


class ImportStopped(Exception):
    """The import cannot go on. ``str(error)`` is one line that says where, why, and what to do."""


class BadValue(ValueError):
    """A cell that does not fit; ``str(error)`` is the reason. The reader of the row adds file and line."""


class BadRows:
    """Counts bad rows, tells of each one, and stops the import at one more than ``allowed``."""

    def __init__(self, allowed: int, tell: Callable[[str], None]) -> None:
        self.allowed = allowed
        self.count = 0
        self.tell = tell

    def add(self, path: Path, line: int, reason: str, *, place: str = "line") -> None:
        """Note that ``line`` of ``path`` is skipped. Raises ``ImportStopped`` if that is one too many."""
        self.count += 1
        text = f"{path}, {place} {line}: {reason}"
        if self.count <= self.allowed:
            self.tell(f"skipped: {text}")
        elif self.allowed == 0:
            raise ImportStopped(
                f"{text}. Nothing was imported: correct it, or allow bad rows to be skipped with --max-errors N."
            )
        else:
            raise ImportStopped(
                f"{text}. That is one bad row more than --max-errors {self.allowed}: nothing was imported."
            )
