"""The processor of this machine: its model and what it can do, as far as the system tells."""

from __future__ import annotations

import platform
from pathlib import Path


def processor() -> tuple[str, tuple[str, ...]]:
    """Model and feature flags; no flags where the system does not tell."""
    model, flags = platform.processor(), ()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return model, flags
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model") and value:
            model = value.strip()
        if name.strip() in ("flags", "Features") and value:
            return model, tuple(sorted(value.split()))
    return model, flags
