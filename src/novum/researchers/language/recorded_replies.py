"""Recorded replies in the place of a model: by request, and where the request differs, in the order of the record.

A brief tells what had been measured when it was written, and with several workers or another budget that differs a
little from run to run. So the order decides where the address does not, and the record says that it did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from novum.core.model.candidate import Genome
from novum.core.model.model_call import Reply
from novum.researchers.language.raw_response import RawResponse
from novum.text.bounded_json import load_json


@dataclass(frozen=True, slots=True)
class Recorded:
    """One step of a recorded study: a reply of a model, or with an empty `request` a proposal of its substitute."""

    request: str = ""
    model: str = ""
    outcome: Reply = Reply.PROPOSAL
    cause: str = ""
    prompt: str = ""
    reply: str = ""

    @property
    def start(self) -> tuple[Genome, tuple[str, ...]] | None:
        """From which candidate the answer's changes start, and the properties that it was to have, by its prompt."""
        try:
            prompt = load_json(self.prompt)
            return dict(prompt["base"]), tuple(prompt["schema"]["properties"])
        except (ValueError, KeyError, TypeError):
            return None

    @property
    def heard(self) -> RawResponse:
        """The reply as if it had just come; it costs nothing."""
        read_again = self.outcome is Reply.PROPOSAL or (self.outcome is Reply.MALFORMED and self.reply)
        return RawResponse(
            outcome=None if read_again else self.outcome,
            text=self.reply,
            cause="" if read_again else self.cause,
            charged=False,
        )


@dataclass
class Script:
    """The steps of a record that are still to come."""

    steps: Sequence[Recorded]
    _left: list[Recorded] = field(init=False)

    def __post_init__(self) -> None:
        self._left = list(self.steps)

    def next(self, request: str) -> Recorded | None:
        """The step for a request: the one recorded for it, else the next one of all; None after the last."""
        for place, step in enumerate(self._left):
            if step.request == request:
                return self._left.pop(place)
        return self._left.pop(0) if self._left else None

    @property
    def substituted(self) -> bool:
        """Whether the next step was a proposal of the substitute; takes it."""
        if self._left and not self._left[0].request:
            self._left.pop(0)
            return True
        return False
