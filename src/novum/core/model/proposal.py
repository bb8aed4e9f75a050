"""What a researcher gives back: a hypothesis to try, a comment, or word that it is still busy."""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.model.candidate import Genome
from novum.core.model.model_call import ModelCall, ModelRequest


@dataclass(frozen=True, slots=True)
class Comment:
    """A model's words on a hypothesis such as h7, or on "proposal 12"."""

    about: str
    author: str
    text: str
    request: str = ""
    """The request that they answer."""


@dataclass(frozen=True, slots=True)
class Pending:
    """No proposal now."""

    ask: ModelRequest | None = None
    """A request to a model to set means aside for."""
    consulted: tuple[ModelCall, ...] = ()
    """What came of earlier ones."""
    final: bool = False
    """There will never be another proposal. A researcher that is still thinking says neither."""
    comments: tuple[Comment, ...] = ()
    """What models remark."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A genome to try, why, from which hypotheses it descends, and a prediction that will be scored."""

    genome: Genome
    rationale: str
    parents: tuple[str, ...] = ()
    probability: float = 0.1
    """That it will be supported, in [0, 1]."""
    effect: float = 0.0
    """Expected gain in metric units if it is."""
    author: str = ""
    """Who had the idea, when it is not the researcher itself."""
    consulted: tuple[ModelCall, ...] = ()
    """The models that were asked for it."""
    searched: int = 0
    """Candidates that were tried outside the record before this one was chosen."""
    search_seconds: float = 0.0
    """CPU seconds that this took."""
