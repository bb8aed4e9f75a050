"""The chart of how a rule agrees with the gradient draws every cell, in the panel of its nudge."""

from novum.report.calibration import write
from novum.report.gradient_agreement_chart import AgreementCell, chart

CELLS = [
    AgreementCell(width, depth, nudge, 0.9 - 0.1 * nudge, 0.8 - 0.1 * nudge, 0.95 - 0.1 * nudge)
    for width in (16, 32)
    for depth in (2, 4, 8)
    for nudge in (0.1, 1.0)
]


def test_every_cell_stands_in_the_panel_of_its_nudge():
    drawn = chart(CELLS).to_dict()
    panels = drawn["concat"]
    assert [panel["title"] for panel in panels] == ["nudge 0.1", "nudge 1"]
    for panel, nudge in zip(panels, (0.1, 1.0), strict=True):
        shown = {(row["width"], row["depth"], row["cosine"]) for row in drawn["datasets"][panel["data"]["name"]]}
        assert shown == {(one.width, one.depth, one.cosine) for one in CELLS if one.nudge == nudge}


def test_it_is_drawn_without_a_browser(tmp_path):
    write(chart(CELLS), tmp_path / "agreement.svg")
    text = (tmp_path / "agreement.svg").read_text()
    assert "units of a hidden layer" in text
    assert "hidden layers" in text
