"""Children of the fork server behind walls find what ordinary programs expect, and a limit that they met is named."""

import json
import os
import sys
from pathlib import Path

import pytest

from novum.core.model.candidate import Candidate
from novum.core.model.errors import ExecutorError
from novum.core.model.trial import Limits, OutcomeKind, Trial, TrialGroup
from novum.executors.local.executor import LocalExecutor
from novum.executors.output_checks import classify
from novum.sandbox.job import Tier

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sandboxes need Linux")

PROGRAMS = Path(__file__).parents[1] / "sandbox" / "ordinary_programs.py"
# The server imported what it runs long before; the machine's own encoding and locale are the lab's.
LIMITS = Limits(seconds=30.0, memory_bytes=256 << 20, processes=24, file_bytes=8 << 20)


@pytest.mark.parametrize("tier", [Tier.NAMESPACES, Tier.LANDLOCK], ids=str)
def test_ordinary_programs_find_what_they_expect(tier, monkeypatch):
    scope = {}
    exec(PROGRAMS.read_text(), scope)
    programs = scope["EVERYWHERE"] | (scope["NAMESPACES_ONLY"] if tier is Tier.NAMESPACES else {})
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *sys.path]))
    monkeypatch.setenv("LANG", "C.UTF-8")
    candidate = Candidate({"programs": json.dumps(programs)})
    with LocalExecutor("ordinary_program", 1, sandbox=tier) as executor:
        executor.submit(TrialGroup("g", candidate, (Trial("g/1", 1),), limits=LIMITS))
        try:
            while not (results := executor.collect(30.0)):
                pass
        except ExecutorError as error:
            pytest.skip(str(error))
    output = results[0].outputs[0]
    assert output.failure is None, output.cause
    assert json.loads(output.artefact) == {}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("can't start new thread"), "limits.processes allows more"),
        (BlockingIOError(11, "Resource temporarily unavailable"), "limits.processes allows more"),
        (RuntimeError("ld terminated with signal 25 [File size limit exceeded]\nxs\n\nset A=1"), "limits.file_bytes"),
        (OSError(28, "No space left on device"), "the disk it writes to is full"),
        (OSError(24, "Too many open files"), "too many open files"),
    ],
)
def test_a_limit_behind_an_error_is_named(error, said):
    kind, cause = classify(error, LIMITS)
    assert kind is OutcomeKind.CRASHED
    assert said in cause
    assert str(error) in cause


def test_other_errors_name_no_limit():
    assert classify(ValueError("boom"), LIMITS) == (OutcomeKind.CRASHED, "ValueError: boom")
