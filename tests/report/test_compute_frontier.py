"""Gain against compute: nobody on the frontier is beaten by one that takes no more, and nobody else belongs on it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from labs import Flaky, ScriptedArena, coin_study, in_memory, scored

from novum.core.model.budget import Budget
from novum.report.compute_frontier import Point, chart, frontier, points

SOME = st.builds(
    Point, st.sampled_from([0.5, 0.9, 1.0, 1.2]), st.integers(-3, 3).map(float), st.text(max_size=2), st.just("open"),
    st.just(""),
)  # fmt: skip


@given(st.lists(SOME, min_size=1, max_size=12))
def test_the_frontier_holds_what_nobody_beats_at_its_price(found):
    best = frontier(found)
    for one in found:
        beaten = any(other.compute <= one.compute and other.gain >= one.gain for other in best)
        assert beaten
    for one in best:
        assert not any(other.compute <= one.compute and other.gain > one.gain for other in found)


def test_candidates_stand_at_the_cost_of_their_trials():
    study = coin_study(arena="scripted")
    lab = in_memory(study, Budget(trials=400), arena=ScriptedArena(), executor=Flaky(scored))
    lab.run()
    assert points(lab.state) == [], "trials that take no time say nothing of what they cost"
    for name, cost in lab.state.sweep_costs.items():
        cost.trials, cost.compute = 2, 8.0 + lab.state.candidates[name].genome["level"] % 7
        cost.relative = cost.compute / 4.0
    found = points(lab.state)
    assert found[0] == Point(1.0, 0.0, "baseline", "open", "")
    assert len(found) > 2
    for one in found[1:]:
        level = lab.state.hypotheses[one.id].candidate.genome["level"]
        base = lab.state.incumbents[0].candidate.genome["level"] % 7
        assert abs(one.compute - (8 + level % 7) / (8 + base)) < 1e-9
    drawn = chart(found, "score", 1.05)
    assert drawn is not None and len(drawn.to_dict(validate=False)["layer"]) == 3
    domain = drawn.to_dict(validate=False)["layer"][2]["encoding"]["color"]["scale"]["domain"]
    assert set(domain) == {one.outcome for one in found} and len(domain) > 1
    assert chart([], "score", None) is None
