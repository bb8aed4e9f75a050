"""Which known parts a stack has, by its genes: run as a program for the battery."""

from __future__ import annotations

import json
import sys

from novum.arenas.sequence.options import Options
from novum.arenas.sequence.space import OWN, places, space
from novum.core.model.candidate import Genome, genome_text
from novum.text.bounded_json import load_json

WRITES = {
    "delta": "delta write",
    "longhorn": "implicit step",
    "preconditioned": "preconditioned delta write",
    "separate": "separate erase and write",
}


def parts(genome: Genome, options: Options) -> list[str]:
    """Names of the known parts of a genome in normal form, of the mixer that is described by its genes."""
    found = ["short convolution"] if genome["taps"] else []
    if OWN not in [genome[place] for place in places(options)]:
        return found
    if name := WRITES.get(str(genome["write"])):
        found.append(name)
    if genome["beta"] == 2:
        found.append("beta in (0, 2)")
    if genome["decay"] != "none":
        found.append("decay")
    if genome["rotating"]:
        found.append("rotation")
    return found


def main(request: str) -> None:
    """Answer `{"options", "genomes"}` with the parts of each genome."""
    asked = load_json(request)
    options = Options.taken(asked["options"])
    admitted = space(options)
    told = []
    for genome in asked["genomes"]:
        whole = admitted.validate(genome)
        names = parts(whole, options)
        told.append({"names": names, "words": ", ".join(names) or "no known part", "rule": genome_text(whole)})
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.stdin.read())
