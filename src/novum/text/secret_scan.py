"""What must neither leave the machine nor enter the record: keys by their form, values of telling variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from novum.text.assigned_secrets import cleaned

REMOVED = "[secret removed]"

_SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\b(?:sk|pk|rk)(?:-[A-Za-z0-9_-]{16,}|_(?:live|test)_[A-Za-z0-9]{10,})"
    r"|\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}|\bglpat-[A-Za-z0-9_-]{16,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{30,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bhf_[A-Za-z0-9]{20,}|\bnpm_[A-Za-z0-9]{30,}|\bpypi-[A-Za-z0-9_-]{30,}"
    r"|(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}+\.[A-Za-z0-9_-]{10,}+\.[A-Za-z0-9_-]{5,}",
    re.DOTALL,
)
_BEARER = re.compile(r"\b(Bearer\s+)[A-Za-z0-9._~+/-]{16,}=*")
_TELLING = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|^PGPASS|(?:^|_)PAT$", re.IGNORECASE)
_LONG_ENOUGH = 8
"""Characters below which a variable's value is too common a word to be taken out of every text."""


@dataclass(frozen=True)
class Secrets:
    """Finds and removes secrets."""

    values: tuple[str, ...] = ()
    """Those that are known word for word, the longest first."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Secrets:
        """With the values of the variables whose names tell that they are secret."""
        found = {value for name, value in environment.items() if _TELLING.search(name) and len(value) >= _LONG_ENOUGH}
        return cls(tuple(sorted(found, key=lambda value: (-len(value), value))))

    def clean(self, text: str) -> str:
        """`text` with every secret in it replaced."""
        if len(text) < _LONG_ENOUGH:
            return text
        for value in self.values:
            text = text.replace(value, REMOVED)
        text = _SECRETS.sub(REMOVED, text)
        if "Bearer" in text:
            text = _BEARER.sub(rf"\g<1>{REMOVED}", text)
        return cleaned(text, REMOVED)

    def where(self, text: str) -> int:
        """The line, from 1, of the first secret in `text`; 0 when there is none."""
        lines = text.splitlines()
        found = next((number for number, one in enumerate(lines, start=1) if self.clean(one) != one), 0)
        return found or int(self.clean(text) != text)

    def reveals(self, data: bytes) -> bool:
        """Whether bytes hold a value that is known word for word."""
        return any(value.encode() in data for value in self.values)
