"""What a scorer or a run remarks reaches whoever proposes next, from screening alone, and no score rests on it."""

from __future__ import annotations

import labs
import programs
import pytest

from novum.core.events.trials import TrialFinished
from novum.core.model.budget import Budget
from novum.core.model.errors import StudyError
from novum.core.model.study import GateSettings, ScreeningSettings
from novum.core.model.study_view import PastHypothesis
from novum.core.model.trial_plan import Purpose
from novum.core.state.full_state import FullState
from novum.core.state.study_views.researcher_view import view_of
from novum.lab.session import session
from novum.researchers.language.prompt import brief
from novum.researchers.language.reply_forms import form_of
from novum.sandbox import Tier, sandbox_status

pytestmark = pytest.mark.skipif(sandbox_status().tier is Tier.NONE, reason="no sandbox here")

MAIN = programs.MAIN + 'open("notes.txt", "w").write("far from the \\x1b[31mtarget")\n'
SCORE = programs.SCORE.replace('"size": abs(said)}', '"size": abs(said), "remarks": {"hint": "go higher", "n": 3}}')


def told(tmp_path, files, **changes):
    options = programs.options(tmp_path / "study", files, **changes)
    study = labs.coin_study(
        arena="program",
        options=options,
        screening=ScreeningSettings(seeds=1, patience=4),
        gate=GateSettings(process="scale-free", claim="typical"),
    )
    with session(study, Budget(trials=24), tmp_path / "lab", workers=2) as lab:
        lab.run()
        full = FullState()
        for record in lab.ledger.read():
            full.keep(record.event)
        return full, view_of(lab.state, lab.context.arena, 99)


def remarks_by_purpose(full: FullState) -> dict[Purpose, set[str]]:
    found: dict[Purpose, set[str]] = {}
    for one in full.finished.values():
        assert isinstance(one, TrialFinished)
        found.setdefault(full.plan(one.group).purpose, set()).add(one.remarks if one.score is not None else "")
    return found


@pytest.mark.parametrize(
    ("files", "changes", "words"),
    [
        ({"main.py": MAIN}, {"remarks": "notes.txt"}, "far from the target"),
        ({"score.py": SCORE}, {}, "hint: go higher\nn: 3"),
    ],
)
def test_remarks_of_screening_trials_are_told(tmp_path, files, changes, words):
    full, view = told(tmp_path, files.items(), **changes)
    found = remarks_by_purpose(full)
    assert words in found[Purpose.SCREEN]
    assert all(said == {""} for purpose, said in found.items() if purpose is not Purpose.SCREEN)
    assert view.remarks == words
    assert any(isinstance(one, PastHypothesis) and one.remarks == words for one in view.tried)
    form = form_of(view.space, view.incumbent, "auto", small=False)
    text = brief(view, form, 20_000, small=False).user
    assert words.split("\n")[0] in text


def test_a_program_need_not_remark_on_anything(tmp_path):
    full, view = told(tmp_path, (), remarks="notes.txt")
    assert view.remarks == "" and remarks_by_purpose(full)[Purpose.SCREEN] == {""}


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "answer.json", "notes*.txt"])
def test_remarks_are_in_a_file_of_their_own(tmp_path, name):
    with pytest.raises(StudyError, match=r"remarks|plain relative"):
        programs.options(tmp_path / "study", (), remarks=name)
