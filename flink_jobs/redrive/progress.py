"""How far the reading has come, on standard error."""

from collections.abc import Iterable

from flink_jobs.redrive.reader import Page
from flink_jobs.redrive.tally import Tally


class Catchup:
    """The share of the backlog that was read, from how far each shard is behind."""

    def __init__(self) -> None:
        self._most_ms: dict[str, int] = {}
        self._behind_ms: dict[str, int] = {}

    def share(self, page: Page) -> float:
        """Return the share after a page, 0 to 1."""
        most = self._most_ms.get(page.shard, 0)
        self._most_ms[page.shard] = max(most, page.behind_ms)
        self._behind_ms[page.shard] = page.behind_ms
        total = sum(self._most_ms.values())
        return 1.0 - sum(self._behind_ms.values()) / total if total else 1.0


def show(pages: Iterable[Page], tally: Tally) -> None:
    """Take every page, and show a bar meanwhile."""
    # ``--help`` and a wrong option need no terminal library.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    catchup = Catchup()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Reading dead letters", total=1.0)
        for page in pages:
            words = f"{tally.read:,} read, {tally.driven.total():,} driven"
            progress.update(bar, completed=catchup.share(page), description=words)
