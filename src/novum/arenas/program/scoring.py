"""The scoring process: `python -m novum.arenas.program.scoring LAB_PID`. Started by scorer.py, ends with the lab."""

from __future__ import annotations

import base64
import ctypes
import json
import os
import signal
import sys
from collections import OrderedDict
from typing import Any

from novum.arenas.program.bundle import unpacked
from novum.arenas.program.run_stages import Stage
from novum.arenas.program.scorer import read_frame, write_frame
from novum.core.model.trial import ArtefactError, OutcomeKind, Role
from novum.sandbox import SandboxUnavailable, Tier, require, sandbox_status

_KEPT_SEEDS = 256
_PR_SET_PDEATHSIG = 1


class Scoring:
    """Answers questions; remembers the bundle it was told last, and the truth of the latest seeds."""

    def __init__(self) -> None:
        self._bundle = ""
        self._truth: OrderedDict[int, dict[str, bytes]] = OrderedDict()

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """The scorer's words, or what went wrong."""
        if question["bundle"] and question["bundle"] != self._bundle:
            self._bundle = question["bundle"]
            self._truth.clear()
        outputs = {name: base64.b64decode(data) for name, data in question["outputs"].items()}
        try:
            bundle = unpacked(self._bundle)
            require(sandbox_status().tier, Tier(bundle.program.isolation))
            stage = Stage(bundle, sandbox_status().tier)
            truth = self._truth_of(stage, int(question["seed"]))
            return {"said": stage.score(outputs, truth, int(question["seed"]), Role(question["role"]))}
        except ArtefactError as error:
            return {"error": str(error), "kind": str(error.kind)}
        except SandboxUnavailable as error:
            return {"unavailable": str(error)}
        except Exception as error:  # what a candidate left is no reason to lose the process, whatever it is
            return {
                "error": f"it cannot be scored: {type(error).__name__}: {error}"[:2000],
                "kind": OutcomeKind.INVALID,
            }

    def _truth_of(self, stage: Stage, seed: int) -> dict[str, bytes]:
        if seed not in self._truth:
            self._truth[seed] = stage.prepared(seed)[1]
            if len(self._truth) > _KEPT_SEEDS:
                self._truth.popitem(last=False)
        return self._truth[seed]


def main(lab: int) -> None:
    """Answer until the lab is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with(lab)
    # What a script prints must not get among the answers.
    answers = os.dup(1)
    os.dup2(2, 1)
    scoring = Scoring()
    while True:
        try:
            question = json.loads(read_frame(0))
        except EOFError:
            return
        write_frame(answers, json.dumps(scoring.answer(question)).encode())


def _die_with(lab: int) -> None:
    """Have the kernel end this process with the lab; a score in the making takes its sandbox along."""
    if prctl := getattr(ctypes.CDLL(None), "prctl", None):
        prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != lab:
        sys.exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
