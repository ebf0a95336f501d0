"""Connection.backup: a database copied over another while both are in use."""

from __future__ import annotations

from typing import Any, Callable, Optional, Protocol

OK = 0  # SQLITE_OK, SQLITE_DONE: what `progress` gets as its first argument
DONE = 101


class _Source(Protocol):
    def _backup_start(self, target: Any, name: str, /) -> Any: ...
    def _backup_step(self, backup: Any, pages: int, /) -> tuple[bool, int, int]: ...


def back_up(
    source: _Source, target: Any, pages: int, progress: Optional[Callable[[int, int, int], object]], name: str
) -> None:
    """Copy step by step; an exception of `progress` gives the backup up and leaves `target` as it was."""
    backup = source._backup_start(target, name)
    step = pages if pages > 0 else -1
    is_done = False
    while not is_done:
        is_done, remaining, total = source._backup_step(backup, step)
        if progress is not None:
            progress(DONE if is_done else OK, remaining, total)
