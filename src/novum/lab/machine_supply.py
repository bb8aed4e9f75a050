"""How machines come to a lab: what a person is told when it opens its door, and the token that lets them in."""

from __future__ import annotations

from pathlib import Path

from novum.core.model.ports import Executor

TOKEN_VARIABLE = "NOVUM_TOKEN"


def joining(executor: Executor, directory: Path) -> list[str]:
    """What to do so that a machine joins; nothing where the executor needs none."""
    address = getattr(executor, "address", "")
    if not address:
        return []
    return [
        f"machines join at {address}: {TOKEN_VARIABLE}=$(novum machines --lab {directory} --token) there, then "
        f"novum worker --connect {address} --token-from {TOKEN_VARIABLE}"
    ]
