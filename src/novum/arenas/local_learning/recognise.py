"""Which published rule a genome is in its essential genes: run as a program for the battery."""

from __future__ import annotations

import json
import sys

from novum.arenas.local_learning.space import CARRIED
from novum.core.model.candidate import Genome, genome_text
from novum.text.bounded_json import load_json

SIGNALS = {
    "direct": "direct feedback alignment",
    "inverse": "target propagation",
    "goodness": "forward-forward",
    "perturbation": "perturbation",
    "hebbian": "Hebbian components",
}
RANDOM = {"fixed": "feedback alignment", "sign": "sign-symmetric feedback", "mirrored": "mirrored feedback"}


def rule(genome: Genome) -> list[str]:
    """Names of a complete genome: of where its errors come from, and of the relaxation that carries them."""
    signal, settling = str(genome["signal"]), str(genome["settling"])
    found = []
    if signal == "transpose":
        found = {"none": ["backpropagation"], "prediction": ["predictive coding"]}.get(settling, [])
        if settling == "prediction" and genome["predictions"] == "fixed":
            found = [*found, "predictions of the forward pass"]
    elif signal == "random":
        found = [RANDOM[str(genome["feedback"])]]
    else:
        found = [SIGNALS[signal]]
    if settling == "hopfield":
        found = [*found, "equilibrium propagation"]
    if settling == "prediction" and signal in CARRIED and signal != "transpose":
        found = [*found, "relaxed"]
    return found


def main(request: str) -> None:
    """Answer `{"options", "genomes"}` with the names of each genome."""
    told = []
    for genome in load_json(request)["genomes"]:
        names = rule(genome)
        told.append({"names": names, "words": ", ".join(names), "rule": genome_text(genome)})
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.stdin.read())
