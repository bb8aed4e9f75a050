"""What the page on architectures says is what the stored runs say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from novum.text.bounded_json import load_json

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def page() -> str:
    return " ".join((DOCS / "architectures.md").read_text().split())


def stored(name: str) -> dict[str, Any]:
    found = load_json((DOCS / "results" / f"{name}.json").read_text())
    assert isinstance(found, dict)
    return found


def short(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.{digits}f}"


@pytest.mark.parametrize("name", ["blind_search", "hybrids", "transfer", "known_entropy"])
def test_the_page_names_the_command_of_each_stored_run(page, name):
    assert stored(name)["command"] in page


def test_the_blind_search(page):
    evolve, random = stored("blind_search")["result"]["rows"]
    assert (evolve["researcher"], random["researcher"]) == ("evolve", "random")

    def row(words: str, cell: Any) -> str:
        return f"| {words} | {cell(evolve)} | {cell(random)} |"

    assert row("hypotheses, verdicts of the gate", lambda one: f"{one['hypotheses']}, {one['confirmed']}") in page
    scores = row(
        "score on 8 fresh seeds, before and after",
        lambda one: f"{short(one['baseline']['score'])}, {short(one['incumbent']['score'])}",
    )
    assert scores in page
    assert row("gain", lambda one: f"{short(one['gain'])} ({short(one['low'])} to {short(one['high'])})") in page
    assert row("parts that these findings add", lambda one: ", ".join(one["parts"])) in page
    shares = row(
        "CPU seconds in screening, in confirmation",
        lambda one: f"{one['shares']['screen']:.0f}, {one['shares']['confirm']:.0f}",
    )
    assert shares in page
    parity = [short(one["incumbent"]["accuracy on parity"], 2) for one in (evolve, random)]
    assert f"Parity stayed at {parity[0]} and {parity[1]}" in page
    assert not {"delta write", "beta in (0, 2)"} & {*evolve["parts"], *random["parts"]}
    assert [len(one["findings"]) for one in (evolve, random)] == [1, 1]


def test_the_hybrids(page):
    result = stored("hybrids")["result"]
    means = {one["design"]: one["mean"] for one in result["measured"]}
    for mixer in ("linear", "mamba2", "delta", "gated-delta"):
        cells = [means[f"{mixer} alone"], *(means[f"{mixer}, attention in layer {at}"] for at in (1, 2, 3, 4))]
        assert f"| {mixer} | {' | '.join(short(one) for one in cells)} |" in page
        gain = result["conclusions"]["attention restores"][mixer]
        assert f"{short(gain['value'])} ({short(gain['low'])} to {short(gain['high'])})" in page
    said = result["conclusions"]
    gap, tau = said["sd of places less sd of mixers"], said["order of these mixers (tau)"]
    assert f"is {short(gap['value'])} ({short(gap['low'])} to {short(gap['high'])})" in page
    assert f"tau is {short(tau['value'], 2)} ({short(tau['low'], 2)} to {short(tau['high'], 2)})" in page
    others = said["order of such mixers (tau)"]
    assert f"({short(others['low'], 2)} to {short(others['high'], 2)})" in page
    first, *rest = (short(one) for one in said["mean by place"])
    assert f"{first} on average, against {rest[0]}, {rest[1]} and {rest[2]}" in page
    assert said["best place"] == 1 and len(said["pairs"]) == 6 and said["pairs decided both ways"] == 0


def test_the_transfer(page):
    result = stored("transfer")["result"]
    (tau,) = result["correlations"]
    assert f"tau is {short(tau['tau'], 2)} ({short(tau['low'], 2)} to {short(tau['high'], 2)})" in page
    means = [one["mean"] for one in result["measured"] if one["design"].endswith("small")]
    assert f"accuracy {short(min(means), 2)} to {short(max(means), 2)}" in page


def test_the_sources_of_known_entropy(page):
    walk, hidden = stored("known_entropy")["result"]["rows"]
    assert f"| entropy | {walk['entropy']:.4f} | {hidden['entropy']:.4f} |" in page

    def floor(one: dict[str, Any]) -> str:
        low, high = (short(end, 4) for end in one["E"])
        return f"{one['law']['E']:.4f} ({low} to {high}), {_signed(one['floor_error'])}"

    def ahead(one: dict[str, Any]) -> str:
        return f"{one['predicted']:.4f}, {one['measured']:.4f}, {_signed(one['prediction_error'])}"

    assert f"| E | {floor(walk)} | {floor(hidden)} |" in page
    assert f"| predicted, measured | {ahead(walk)} | {ahead(hidden)} |" in page
    for one in (walk, hidden):
        assert one["entropy_inside"] and one["floor_near"] and one["prediction_near"] and one["inside"]


def _signed(share: float) -> str:
    return f"{100 * share:+.2f} %".replace("0.", ".", 1)
