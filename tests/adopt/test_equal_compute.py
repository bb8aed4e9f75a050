"""Training longer is no discovery: it is refused at equal compute, and told where compute is free."""

from __future__ import annotations

from dataclasses import replace

import pytest
from labs import coin_study

from novum.adopt.adoption import Wishes, adopt
from novum.adopt.project import find_project
from novum.core.model.budget import Budget
from novum.core.model.metric import COMPUTE
from novum.core.model.proposal import Proposal
from novum.core.model.study import Guardrail
from novum.lab.open_campaign import as_recorded
from novum.lab.session import session
from novum.sandbox import Tier, sandbox_status
from novum.studies.load import load_study

pytestmark = pytest.mark.skipif(sandbox_status().tier is Tier.NONE, reason="no sandbox here")

STEPS = 500_000
SCRIPT = """import random
SEED = 1
STEPS = 500_000
random.seed(SEED)
error = 1.0
for step in range(STEPS):
    error -= 4e-7 * error
print(f"val loss {error + random.gauss(0, 0.004):.5f}")
"""


class Longer:
    """Proposes the script with ever more steps."""

    def propose(self, view, rng):
        del rng
        return Proposal(view.space.with_parameters({}, {"STEPS": 10 * STEPS + view.number}), "more steps")


def campaign(tmp_path, compute: str):
    (tmp_path / "train.py").write_text(SCRIPT)
    result = adopt(find_project(tmp_path / "train.py", ()), Wishes(seconds=60.0, compute=compute), lambda _: None)
    assert f"high = {4 * STEPS}" in result.text
    (tmp_path / "study.toml").write_text(result.text.replace(f"high = {4 * STEPS}", f"high = {20 * STEPS}"))
    study = load_study(str(tmp_path)).study
    with session(study, Budget(trials=34), tmp_path / "lab", workers=2, researcher=Longer()) as lab:
        lab.run()
        return lab.state


def test_more_steps_are_refused_at_equal_compute(tmp_path):
    state = campaign(tmp_path, "equal")
    assert not state.findings and len(state.hypotheses) > 3
    baseline = state.incumbents[0].candidate.id
    ratios = [state.compute_ratio(one.candidate.id, baseline) for one in state.screened]
    assert ratios and all(ratio > 1.2 for ratio in ratios), "ten times the steps, and a start that both pay for"
    judged = [one for one in state.hypotheses.values() if one.verdict]
    assert all("compute" in one.verdict.reason for one in judged), "what costs so much is not run again"


def test_where_compute_is_free_the_ratio_is_told(tmp_path):
    supported = campaign(tmp_path, "free").findings
    assert supported
    (seen,) = (one for one in supported[0].verdict.guards if one.metric == COMPUTE)
    assert seen.mean is not None and seen.mean < -0.1


def test_a_campaign_from_before_equal_compute_goes_on_without_it(tmp_path):
    study = coin_study(arena="program")
    guarded = replace(study, gate=replace(study.gate, guardrails=(Guardrail(COMPUTE, 1.05), Guardrail(COMPUTE, 2.0))))
    kept = as_recorded(guarded, study)
    assert kept.gate.guardrails == (Guardrail(COMPUTE, 2.0),), "what somebody wrote stays"
    assert as_recorded(guarded, guarded) == guarded
