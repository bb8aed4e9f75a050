"""Scaling laws of sources whose entropy is known: does `novum scale` find it, and what a larger run will lose.

    python benchmarks/known_entropy.py --json

For each source a study of the sequence arena is scaled by the command line, with a design and an architecture that
suit it: E of the fitted law is held against the entropy, and the prediction that is registered beforehand against a
run of ten times the compute of the largest one of the fit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NEAR = 0.02
"""How far E and the prediction may be off, as a share."""


@dataclass(frozen=True)
class Source:
    """A task of known entropy, the mixer in one layer, FLOP of 6 N D for everything, and words for the design."""

    task: str
    mixer: str
    flop: float
    words: tuple[str, ...]


RATES = ("--rate=0.003", "--rate=0.01", "--rate=0.03", "--rate=0.1")
DESIGN = ("--held-out=10", "--sizes=3", "--budgets=3", "--span=8", "--width=4", *RATES)
SOURCES = {
    "random walk": Source(
        "random_walk(nodes=32, mean_degree=6, length=32)", "linear", 1e12, (*DESIGN, "--tokens-per-parameter=60")
    ),
    "hidden Markov": Source(
        "hidden_markov(states=4, symbols=4, length=32)", "mamba2", 1e12, (*DESIGN, "--tokens-per-parameter=60")
    ),
}
SMALLEST = (
    "--sizes=3",
    "--budgets=2",
    "--span=3",
    "--repeats=1",
    "--width=3",
    "--tokens-per-parameter=9",
    *RATES[1:],
)


def scaled(name: str, source: Source, flop: float, seed: int, small: bool) -> dict[str, Any]:
    """What the command says of one source."""
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder, "source.toml")
        options = f'tasks = "{source.task}"\nmetric = "loss"\nbatch = {2 if small else 8}\n'
        study.write_text(f'name = "source"\narena = "sequence"\n\n[options]\n{options}')
        words = [f"--flop={flop or source.flop:g}", f"--genome=layer_1={source.mixer}", f"--seed={seed}"]
        began = time.monotonic()
        design = SMALLEST if small else source.words
        done = subprocess.run(
            [sys.executable, "-m", "novum.cli", "scale", str(study), *words, *design, f"--out={folder}/out", "--json"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        if done.returncode:
            raise SystemExit(f"{name}: {done.stderr.strip().splitlines()[-1]}")
        return _row(name, source, json.loads(done.stdout), seed, time.monotonic() - began)


def _row(name: str, source: Source, said: dict[str, Any], seed: int, seconds: float) -> dict[str, Any]:
    law = said["laws"][0]
    before = law["prediction"] or {}
    error = before.get("relative_error")
    return {
        "source": name,
        "task": source.task,
        "mixer": source.mixer,
        "seed": seed,
        "wall_seconds": round(seconds, 1),
        "entropy": said["entropy"],
        "law": law["law"],
        "E": law["intervals"].get("E"),
        "entropy_inside": law["entropy_inside"],
        "floor_error": law["floor_error"],
        "floor_near": law["floor_near"],
        "predicted": before.get("value"),
        "predicted_interval": [before.get("low"), before.get("high")],
        "measured": before.get("measured"),
        "prediction_error": error,
        "prediction_near": None if error is None else abs(error) <= NEAR,
        "inside": before.get("inside"),
        "remarks": law["remarks"],
        "cells": said["cells"],
    }


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="sources whose name contains this")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--flop", type=float, default=0.0, help="instead of each source's own")
    parser.add_argument("--small", action="store_true", help="the smallest design, which says nothing")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = []
    for name, source in SOURCES.items():
        if given.only not in name:
            continue
        for seed in range(given.seeds):
            row = scaled(name, source, given.flop, 1000 * seed, given.small)
            rows.append(row)
            print(_words(row), file=sys.stderr, flush=True)
    if given.json:
        print(json.dumps({"rows": rows}, indent=1))


def _words(row: dict[str, Any]) -> str:
    if row["law"] is None:
        return f"{row['source']}, seed {row['seed']}: no law: {'; '.join(row['remarks'])}"
    return (
        f"{row['source']}, seed {row['seed']}: E {row['law']['E']:.4f} in {row['E']}, entropy {row['entropy']:.4f} "
        f"({'inside' if row['entropy_inside'] else 'OUTSIDE'}, {row['floor_error']:+.2%}); predicted "
        f"{row['predicted']:.4f}, measured {row['measured']:.4f} ({row['prediction_error']:+.2%}, "
        f"{'inside' if row['inside'] else 'OUTSIDE'}); {row['wall_seconds']:.0f} s {row['remarks']}"
    )


if __name__ == "__main__":
    main()
