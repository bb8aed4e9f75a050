"""What a researcher gives back: a hypothesis to try, a comment, or word that it is still busy."""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.model.candidate import Genome
from novum.core.model.model_call import ModelCall, ModelRequest


@dataclass(frozen=True, slots=True)
class Comment:
    """A model's words on a hypothesis such as h7, or on "proposal 12". request: the request that they answer."""

    about: str
    author: str
    text: str
    request: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """No proposal now. ask: a request to a model to set means aside for; consulted: what came of earlier ones.

    comments: what models remark. final: there will never be another proposal. A researcher that is still thinking
    says neither.
    """

    ask: ModelRequest | None = None
    consulted: tuple[ModelCall, ...] = ()
    final: bool = False
    comments: tuple[Comment, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A genome to try, why, from which hypotheses it descends, and a prediction that will be scored.

    probability: that it will be supported, in [0, 1]; effect: expected gain in metric units if it is. author: who had
    the idea, when it is not the researcher itself; consulted: the models that were asked for it.
    """

    genome: Genome
    rationale: str
    parents: tuple[str, ...] = ()
    probability: float = 0.1
    effect: float = 0.0
    author: str = ""
    consulted: tuple[ModelCall, ...] = ()
