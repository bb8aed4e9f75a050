"""Recovery: another researcher searches from the baseline with as many trials, beside what the campaign found."""

from __future__ import annotations

import pytest
from labs import SECRET, coin_study

from novum.core.model.budget import Budget
from novum.core.model.errors import UserError
from novum.lab.recovery import recover
from novum.lab.session import session
from novum.report.report_page import write_report


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    directory = tmp_path_factory.mktemp("found")
    (directory / "lab.secret").write_text(SECRET.hex())
    with session(coin_study(seed=3), Budget(trials=400), directory) as running:
        running.run()
        assert running.state.findings
    return directory


def test_the_control_has_the_trials_that_the_incumbent_took_and_its_gain_is_told(lab, tmp_path):
    found = recover(lab)
    assert found.researcher == "random"
    assert 0 < found.trials <= 400
    assert found.campaign_gain > 0
    assert found.gain is not None
    assert (found.findings == 0) == ("found nothing" in found.words)
    assert found.words.startswith("random from the baseline")
    page = tmp_path / "report.html"
    write_report(lab, page)
    assert "Random from the baseline" in page.read_text()


def test_the_same_researcher_is_no_control(lab):
    with pytest.raises(UserError, match="name another researcher"):
        recover(lab, "evolve")


def test_without_a_finding_there_is_nothing_to_recover(tmp_path):
    with session(coin_study(options={"world": "null"}), Budget(trials=60), tmp_path / "lab") as running:
        running.run()
    with pytest.raises(UserError, match="nothing to recover"):
        recover(tmp_path / "lab")
