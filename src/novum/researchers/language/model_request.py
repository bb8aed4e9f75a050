"""A request to a model: everything that is sent, its address, and the most that it can cost."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from novum.core.model.candidate import Genome, Scalar
from novum.core.model.model_call import ModelRequest
from novum.researchers.language.language_options import Model
from novum.researchers.language.reply_forms import Json
from novum.researchers.language.untrusted_text import without_secrets
from novum.text.canonical_json import canonical

OVERHEAD_TOKENS = 1024
"""What templates and providers add to a prompt, at most."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message. role: system, user or assistant."""

    role: str
    text: str


@dataclass(frozen=True)
class Request:
    """What is sent to which model, secrets taken out.

    base: the candidate that edits in the answer start from; again: nonce of a repeat.

    schema: of the answer. settings: max_tokens, and temperature and seed where they are given.
    """

    model: Model
    messages: tuple[Message, ...]
    schema: Json
    settings: Mapping[str, Any]
    base: Genome
    again: int = 0
    repairs: bool = False
    content: bytes = field(init=False, repr=False)
    id: str = field(init=False)

    def __post_init__(self) -> None:
        clean = tuple(Message(one.role, without_secrets(one.text)) for one in self.messages)
        object.__setattr__(self, "messages", clean)
        said = {
            "model": self.model.label,
            "messages": [{"role": one.role, "content": one.text} for one in clean],
            "schema": self.schema,
            "settings": dict(self.settings),
            "base": {name: _scanned(value) for name, value in self.base.items()},
            "again": self.again,
        }
        object.__setattr__(self, "content", canonical(said))
        object.__setattr__(self, "id", hashlib.sha256(self.content).hexdigest())

    @property
    def max_output(self) -> int:
        """Tokens of the longest answer."""
        return int(self.settings["max_tokens"])

    @property
    def max_input(self) -> int:
        """Tokens that the prompt cannot exceed: no tokenizer makes more of them than there are bytes."""
        return len(canonical([self.schema, [one.text for one in self.messages]])) + OVERHEAD_TOKENS

    @property
    def money(self) -> float:
        """US dollars that it cannot exceed."""
        return self.model.price.of(self.max_input, self.max_output)

    def asked(self, author: str) -> ModelRequest:
        """The request for means."""
        return ModelRequest(self.id, self.model.label, author, self.max_input + self.max_output, self.money)


def _scanned(value: Scalar) -> Scalar:
    return without_secrets(value) if isinstance(value, str) else value
