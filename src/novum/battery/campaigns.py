"""Campaigns of the battery, each in a process of its own: run, verified, read."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from novum.battery.target import TargetStudy
from novum.battery.target_outcome import Side
from novum.core.model.candidate import Genome, genome_text
from novum.core.model.errors import NovumError, UserError
from novum.core.state.hypothesis import Hypothesis
from novum.lab.restore import read_lab
from novum.text.bounded_json import load_json

RANDOM = '\n[researcher]\nname = "random"\n'
STOPPED = 130
"""The status of a campaign that was interrupted."""
LOOK_SECONDS = 5.0
"""Between two looks at a running campaign."""
LOOKED_AT = 200
"""Screened candidates that are held against the answer, the best ones, beside all findings."""


def study_text(one: TargetStudy, *, control: bool) -> str:
    """The study of a target; for the control with candidates drawn at random, in bulk where the search is."""
    if not control:
        return one.study
    before, _, table = one.study.partition("\n[researcher]\n")
    bulk = 'name = "bulk"' in table
    return before + (f"\n[researcher]\n{table}options.random = true\n" if bulk else RANDOM)


def run(
    lab: Path, text: str, cpu_seconds: float, seed: int, enough: Callable[[], bool], *, force: bool = False
) -> None:
    """Run a campaign until so much CPU time is used in it or it is `enough`; or go on with it.

    force: also with a budget that pays for no confirmation, as a control's may be. Raises UserError where it fails.
    """
    lab.parent.mkdir(parents=True, exist_ok=True)
    file = lab.with_suffix(".toml")
    file.write_text(text, "utf-8")
    budget = f"cpu {max(1.0, cpu_seconds):.0f}s"
    command = ["run", str(file), "--lab", str(lab), "--budget", budget, "--seed", str(seed)]
    command += ["--force"] if force else []
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "novum.cli", *command, "--workers", "1", "--plain", "--json"],
            stdout=subprocess.DEVNULL, stderr=errors, env=_environment(), start_new_session=True,
        )  # fmt: skip
        try:
            _wait(process, enough)
        finally:
            if process.poll() is None:  # interrupted: what is running is lost, what has ended is in the record
                process.terminate()
                process.wait()
        errors.seek(0)
        if process.returncode not in (0, STOPPED):
            last = (errors.read().strip().splitlines() or ["no message"])[-1]
            raise UserError(f"novum {' '.join(command)} ended with status {process.returncode}: {last}")


def _wait(process: subprocess.Popen[bytes], enough: Callable[[], bool]) -> None:
    """Until the process has ended; it is told to stop once it is `enough`."""
    while process.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_SECONDS)
            return
        if enough():
            process.send_signal(signal.SIGINT)  # ends the session after what is running
            process.wait()
            return


def findings(lab: Path) -> int:
    """How many findings stand by now; 0 as long as there is no record."""
    try:
        state = read_lab(lab)
    except NovumError:
        return 0
    return sum(bool(each.finding and not each.retracted) for each in state.hypotheses.values())


def verified(lab: Path) -> bool:
    """Whether the record holds."""
    return _novum(["verify", "--lab", str(lab), "--json"], allowed=(0, 1)) == 0


def read(one: TargetStudy, lab: Path) -> Side:
    """What a campaign has found."""
    state = read_lab(lab)
    every = [each for each in state.hypotheses.values() if each.finding or state.advantage(each) is not None]
    standing = [each for each in every if each.finding and not each.retracted]
    ranked = sorted(every, key=lambda each: state.advantage(each) or float("-inf"), reverse=True)[:LOOKED_AT]
    looked = list({each.id: each for each in (*standing, *ranked)}.values())
    names = recognised(one, [each.candidate.genome for each in looked])
    said = {each.id: name for each, name in zip(looked, names, strict=True)}
    hits = [each for each in looked if accepted(one.target.accepted, said[each.id]["names"])]
    sure = [each for each in standing if each in hits]
    shown = next(iter(sure or hits or standing[-1:] or ranked[:1]), None)
    return Side(
        state.cpu_seconds_in_all,
        state.spending.searched + state.proposals,
        bool(hits),
        bool(sure),
        **({} if shown is None else _shown(shown, said[shown.id])),
        score=state.level(state.incumbent.candidate.id),
    )


def accepted(answers: Sequence[str], names: Sequence[str]) -> bool:
    """Whether one of the answers is there; its parts are joined by " + " (names themselves may end in a plus)."""
    return any({part.strip() for part in answer.split(" + ")} <= set(names) for answer in answers)


def recognised(one: TargetStudy, genomes: Sequence[Genome]) -> list[dict[str, Any]]:
    """For each genome {"names": known rules or parts that it is or has, "words", "rule"}. Raises UserError."""
    request = json.dumps({"options": one.options, "genomes": [dict(genome) for genome in genomes]})
    done = subprocess.run(
        [sys.executable, "-m", one.target.recogniser], input=request, capture_output=True, text=True, env=_environment()
    )
    if done.returncode:
        raise UserError(f"{one.target.recogniser} failed: {(done.stderr.splitlines() or ['no message'])[-1]}")
    found: list[dict[str, Any]] = load_json(done.stdout)
    return found


def _shown(one: Hypothesis, said: dict[str, Any]) -> dict[str, Any]:
    rule = said["rule"] or genome_text(one.candidate.genome)
    gain = one.finding.effect if one.finding else None
    return {"hypothesis": one.id, "recognised": said["words"], "rule": rule, "gain": gain}


def _novum(arguments: list[str], allowed: tuple[int, ...]) -> int:
    """Run a command of Novum's; returns its status. Raises UserError with its last line where that is not allowed."""
    done = subprocess.run(
        [sys.executable, "-m", "novum.cli", *arguments], capture_output=True, text=True, env=_environment()
    )
    if done.returncode not in allowed:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"novum {' '.join(arguments)} ended with status {done.returncode}: {last}")
    return done.returncode


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}
