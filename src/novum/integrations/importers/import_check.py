"""Whether what an imported task is run with can be loaded here: tried once, behind walls, before a budget is spent."""

from __future__ import annotations

from pathlib import Path

from novum.arenas.program.bundle import unpacked
from novum.arenas.program.run_stages import environment_of
from novum.core.model.errors import StudyError
from novum.sandbox import Bounds, Job, Tier, run, sandbox_status
from novum.studies.load import load_study

SECONDS = 60.0


def check_loads(directory: Path, source: Path, script: str) -> tuple[str, ...]:
    """What is to be said of it: nothing where `script --check` ends well. Raises StudyError with its last line."""
    study = load_study(str(directory)).study
    tier = sandbox_status().tier
    if tier is Tier.NONE:
        return ("the evaluator was not tried: there is no sandbox here (novum doctor)",)
    bundle = unpacked(str(study.options["bundle"]))
    job = Job(
        ("python", script, "--check"),
        files=bundle.shown,
        limits=Bounds(seconds=SECONDS, cpu_seconds=SECONDS, memory_bytes=study.limits.memory_bytes, processes=32),
        environment=environment_of("", bundle.program.environment),
        readable=tuple(map(Path, bundle.program.data)),
        packages=bundle.program.packages,
    )
    ended = run(job, tier)
    if ended.limit == "seconds":
        return (f"the evaluator was not ready after {SECONDS:g} s of loading: nobody knows yet whether it works here",)
    if ended.kind is not None:
        said = (ended.stderr or ended.stdout).strip().splitlines()
        raise StudyError(f"{source}: {said[-1][:500] if said else ended.cause}: mend that and import again")
    return ()
