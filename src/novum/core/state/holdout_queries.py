"""The holdout as the fold sees it: final data that are asked rarely, and never shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from novum.core.events.verdicts import HoldoutAnswered, HoldoutAsked, HoldoutClosed, HoldoutOpened


@dataclass
class HoldoutQueries:
    """Queries and answers so far. Built by the fold."""

    opened: HoldoutOpened | None = None
    asked: list[HoldoutAsked] = field(default_factory=list)
    answers: dict[str, HoldoutAnswered] = field(default_factory=dict)
    closed: HoldoutClosed | None = None

    @property
    def left(self) -> int:
        """Queries that have not been spent."""
        return self.opened.queries - len(self.asked) if self.opened else 0

    @property
    def waiting(self) -> HoldoutAsked | None:
        """A query that was paid for and has no answer yet."""
        return next((one for one in self.asked if one.hypothesis not in self.answers), None)

    @property
    def spent(self) -> bool:
        """Whether it has answered all its queries and still has to close."""
        return bool(self.opened) and self.left == 0 and self.waiting is None and self.closed is None

    def open(self, event: HoldoutOpened) -> None:
        """Queries may be asked from here on."""
        self.opened = event

    def ask(self, event: HoldoutAsked) -> None:
        """A query is paid for."""
        self.asked.append(event)

    def answer(self, event: HoldoutAnswered) -> None:
        """Its answer."""
        self.answers[event.hypothesis] = event

    def close(self, event: HoldoutClosed) -> None:
        """No query is left."""
        self.closed = event
