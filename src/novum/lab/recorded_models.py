"""What models said in a lab, for a study that is run again without them."""

from __future__ import annotations

from pathlib import Path

from novum.core.engine import artifact_store
from novum.core.events.models_and_people import ModelReplied
from novum.core.events.proposals import ProposalMade
from novum.core.model.model_call import AGENT, COMMENT
from novum.ledger.blobs import FileBlobs
from novum.ledger.journal import Reader
from novum.researchers.language.recorded_replies import Recorded

SUBSTITUTE = "language/"
"""What the names of those begin with who propose while models fail."""


def recorded(directory: str) -> list[Recorded]:
    """The steps of the language researcher of a lab, in order. Raises IntegrityError, StorageError, UserError."""
    return _steps(directory, comments=False)


def remarked(directory: str) -> list[Recorded]:
    """What models were asked to remark on in a lab, and what they said. Raises as `recorded` does."""
    return _steps(directory, comments=True)


def _steps(directory: str, *, comments: bool) -> list[Recorded]:
    blobs, steps = FileBlobs(Path(directory) / "blobs"), []
    with Reader(Path(directory)) as reader:
        for record in reader.read():
            event = record.event
            if isinstance(event, ModelReplied):
                if event.template == AGENT or event.template.startswith(COMMENT) is not comments:
                    continue
                said = [
                    artifact_store.fetch(blobs, one).decode(errors="replace") for one in (event.prompt, event.reply)
                ]
                steps.append(Recorded(event.request, event.model, event.outcome, event.cause, *said))
            elif not comments and isinstance(event, ProposalMade) and event.author.startswith(SUBSTITUTE):
                steps.append(Recorded())
    return steps
