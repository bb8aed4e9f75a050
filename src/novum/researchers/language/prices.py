"""What hosted models cost: US dollars per million tokens, input and output, without discounts for caches or batches.

Source: the price lists of OpenAI and Anthropic as kept by genai-prices 0.2.3. Prices change: a study that must not
spend more than it thinks declares `price_ceiling`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

VERSION = "2026-11-22"

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    input: float
    output: float

    def of(self, input_tokens: int, output_tokens: int) -> float:
        """US dollars."""
        return (input_tokens * self.input + output_tokens * self.output) / MILLION


FREE = Price(0.0, 0.0)

PRICES: Mapping[str, Price] = {
    "openai:gpt-4.1": Price(2.0, 8.0),
    "openai:gpt-4.1-mini": Price(0.4, 1.6),
    "openai:gpt-4.1-nano": Price(0.1, 0.4),
    "openai:gpt-4o": Price(2.5, 10.0),
    "openai:gpt-4o-mini": Price(0.15, 0.6),
    "openai:gpt-5": Price(1.25, 10.0),
    "openai:gpt-5-mini": Price(0.25, 2.0),
    "openai:gpt-5-nano": Price(0.05, 0.4),
    "openai:gpt-5.4-mini": Price(0.75, 4.5),
    "openai:o4-mini": Price(1.1, 4.4),
    "anthropic:claude-haiku-4-5": Price(1.0, 5.0),
    "anthropic:claude-opus-4-5": Price(5.0, 25.0),
    "anthropic:claude-opus-4-8": Price(5.0, 25.0),
    "anthropic:claude-opus-5": Price(5.0, 25.0),
    "anthropic:claude-sonnet-4-5": Price(3.0, 15.0),
    "anthropic:claude-sonnet-4-6": Price(3.0, 15.0),
    "anthropic:claude-sonnet-5": Price(2.0, 10.0),
}

_DATE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")


def price_of(provider: str, name: str) -> Price | None:
    """The price of a model, dated names included, or None when the table does not know it."""
    return PRICES.get(f"{provider}:{name}") or PRICES.get(f"{provider}:{_DATE.sub('', name)}")
