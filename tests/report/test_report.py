"""The study report: what it says, that it stands alone, and that nobody can write into it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.support.views import index_of

import novum
from novum.core.events.event import Event, Record
from novum.core.events.verdicts import ConfirmationOpened
from novum.core.model.budget import Budget
from novum.core.model.candidate import Change, changes
from novum.core.model.errors import UserError
from novum.ledger.journal import Journal, Reader
from novum.report import charts, wording
from novum.report.figures import axis, figures
from novum.report.report_page import write_report
from novum.studies.load import parse_study
from novum.text.format import clean, counted, cut, number, seconds, signed
from novum.views.campaign_history import History
from novum.views.campaign_summary import summarise

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
ESCAPES = "\x1b[31mred\x1b[0m\u202e"


class Page(HTMLParser):
    """A page as a browser sees it: elements, text outside of scripts, and the scripts."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.parts: list[str] = []
        self.inside = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.inside = tag if tag in ("script", "style") else ""
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            attrs, text = self.scripts[-1]
            self.scripts[-1] = attrs, text + data
        elif not self.inside:
            self.parts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.parts).split())


def history_of(lab: Path) -> History:
    with Reader(lab) as reader:
        return index_of(reader.read()).history()


@cache
def report_of(lab: Path) -> tuple[str, Page]:
    path = lab / "report.html"
    size = write_report(lab, path)
    html = path.read_text(encoding="utf-8")
    assert size == path.stat().st_size == len(html.encode())
    return html, Page(html)


@pytest.fixture(scope="module")
def coins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lab = tmp_path_factory.mktemp("coins")
    novum.run(replace(novum.load_study("coinflip").study, seed=3), Budget(trials=1200), lab)
    return lab


@pytest.fixture(scope="module")
def nothing_there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lab = tmp_path_factory.mktemp("null")
    study = replace(novum.load_study("coinflip").study, options={"world": "null", "flips": 100})
    novum.run(study, Budget(trials=300), lab)
    return lab


@pytest.fixture(params=["coins", "by_hand"])
def lab(request: pytest.FixtureRequest) -> Path:
    path: Path = request.getfixturevalue(request.param)
    return path


def test_every_finding_is_shown_with_its_evidence_interval_and_the_commands_that_run_it_again(lab: Path) -> None:
    _, page = report_of(lab)
    found = summarise(history_of(lab).state).findings
    assert found
    for one in found:
        assert f"{number(one.e_value)} {number(one.threshold)} {one.n} {signed(one.effect)}" in page.text
        if one.interval:
            assert f"{signed(one.interval[0])} … {signed(one.interval[1])}" in page.text
        for change in changes(one.candidate, one.incumbent):
            assert f"{change.gene} {change.old} → {change.new}" in page.text
        assert f"novum replay {one.id} --lab {lab.name}" in page.text
    assert f"novum export {found[0].id} --lab {lab.name} -o {found[0].id}.zip" in page.text


def test_on_a_narrow_page_every_number_has_the_name_of_its_column(lab: Path) -> None:
    html, _ = report_of(lab)
    tables = re.findall(r'<table class="stack">(.*?)</table>', html, re.DOTALL)
    assert len(tables) >= 2
    for table in tables:
        columns = [Page(one).text for one in re.findall(r"<th\b.*?</th>", table, re.DOTALL)]
        rows = [re.findall(r"<td\b[^>]*>", row) for row in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)]
        assert rows[1:]
        for row in (row for row in rows if len(row) > 1):
            assert [re.findall('data-label="(.*?)"', cell) for cell in row] == [[], [], *([one] for one in columns[1:])]


def test_numbers_agree_with_the_summary(lab: Path) -> None:
    _, page = report_of(lab)
    summary = summarise(history_of(lab).state)
    assert (
        f"registered {summary.hypotheses:,} hypotheses and ran {summary.trials:,} trials: "
        f"{summary.supported} supported, {summary.refuted} refuted, {summary.inconclusive} inconclusive "
        f"and {summary.failed} failed." in page.text
    )
    assert f"trials {summary.trials:,}" in page.text
    assert f"CPU time {seconds(summary.cpu_seconds)}" in page.text
    assert f"seed {summary.seed} " in page.text
    assert "is at most 10 %" in page.text


def test_history_computes_the_recorded_evidence_again(lab: Path) -> None:
    history = history_of(lab)
    closed = [one for one in history.confirmations if one.verdict]
    assert closed
    for one in closed:
        assert one.verdict
        assert len(one.path) == one.verdict.pairs + 1
        assert one.path[-1] == pytest.approx(one.verdict.e_value, rel=1e-12)
    assert sum(one.trials for one in history.spending) == history.state.trials
    assert sum(one.cpu for one in history.spending) == pytest.approx(history.state.cpu_seconds)
    assert [reign.hypothesis for reign in history.incumbent_runs] == [
        one.hypothesis for one in history.state.incumbents
    ]
    for before, after in zip(history.incumbent_runs, history.incumbent_runs[1:], strict=False):
        assert before.end == after.begin


def test_the_page_asks_for_nothing_outside_itself(lab: Path) -> None:
    html, page = report_of(lab)
    for tag, attrs in page.elements:
        assert tag not in ("link", "iframe", "object", "embed", "img", "base", "form", "audio", "video", "source")
        for name in ("src", "href", "srcset", "action", "data", "poster", "background", "xlink:href"):
            assert name not in attrs or re.fullmatch(r"#event-\d+", attrs[name] or ""), (tag, attrs)
        assert not any(name.startswith("on") for name in attrs)
    policy = next(attrs for tag, attrs in page.elements if attrs.get("http-equiv") == "Content-Security-Policy")
    assert (policy["content"] or "").startswith("default-src 'none';")
    assert "connect-src" not in (policy["content"] or "")
    styles = "".join(re.findall(r"<style>(.*?)</style>", html, re.DOTALL))
    assert "url(" not in styles
    assert "@import" not in styles
    for attrs, text in page.scripts:
        if attrs.get("type") == "application/json":
            assert "://" not in text
            assert "url" not in json.loads(text).get("data", {})


def test_the_javascript_is_there_once_and_admitted_by_its_hash(by_hand: Path) -> None:
    _, page = report_of(by_hand)
    code = [text for attrs, text in page.scripts if attrs.get("type") is None]
    assert len(code) == 2
    assert "vegaEmbed" in code[0]
    policy = next(attrs["content"] for tag, attrs in page.elements if attrs.get("http-equiv"))
    assert policy
    assert policy.count("'sha256-") == 2
    assert "script-src 'unsafe-inline'" not in policy


def test_hostile_words_stay_words(tmp_path: Path, make_lab: Callable[..., Path]) -> None:
    words_of_evil = {"name": EVIL, "question": EVIL, "metric": EVIL}
    lab = make_lab(tmp_path / "lab", cause=EVIL + ESCAPES, word=EVIL + "{{ 7 * 7 }}", **words_of_evil)
    html, page = report_of(lab)
    assert len(page.scripts) == 2 + 1 + sum(1 for _, attrs in page.elements if "data-chart" in attrs)
    assert "img" not in [tag for tag, _ in page.elements]
    assert "alert(1)</script><script" not in html
    assert EVIL in page.text
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert "{{ 7 * 7 }}" in page.text
    assert "red (" in page.text
    for attrs, text in page.scripts:
        if attrs.get("type") == "application/json":
            assert not re.search(r"[<>&]", text)
            json.loads(text)


def test_the_host_and_the_process_are_not_passed_on(by_hand: Path) -> None:
    html, _ = report_of(by_hand)
    assert "secret-host-name" not in html
    assert "4242" not in html


def test_a_campaign_without_trials_has_a_page(tmp_path: Path, events_of: Callable[..., list[Event]]) -> None:
    events = events_of()
    for length in (1, 2, 3):
        lab = tmp_path / str(length)
        with Journal(lab) as journal:
            journal.append(events[:length], durable=True)
        _, page = report_of(lab)
        assert "No hypothesis has been registered yet" in page.text
        assert "Nothing was supported" in page.text
        assert "No candidate has been scored yet." in page.text
        assert not any("data-chart" in attrs for _, attrs in page.elements)


def test_a_lab_without_campaign_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path / "lab").close()
    with pytest.raises(UserError, match="empty"):
        write_report(tmp_path / "lab", tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_a_null_campaign_says_so(nothing_there: Path) -> None:
    summary = summarise(history_of(nothing_there).state)
    assert summary.supported == 0
    _, page = report_of(nothing_there)
    assert "Nothing was supported: no candidate has been shown to beat its incumbent." in page.text
    assert "The baseline is still the best candidate known." in page.text
    assert not any(attrs.get("data-chart") == "forest" for _, attrs in page.elements)


def test_a_killed_campaign_can_be_reported_at_every_moment(
    tmp_path: Path, events_of: Callable[..., list[Event]]
) -> None:
    events = events_of(hypotheses=12)
    kinds: set[type] = set()
    for end in range(1, len(events)):
        fresh = type(events[end - 1]) not in kinds
        kinds.add(type(events[end - 1]))
        if fresh or end % 120 == 0:
            with Journal(tmp_path / str(end)) as journal:
                journal.append(events[:end], durable=True)
            _, page = report_of(tmp_path / str(end))
            assert "the campaign had not ended" in page.text or end == 1


def test_every_chart_compiles(lab: Path) -> None:
    import vl_convert

    history = history_of(lab)
    drawn = [one for one in figures(history, summarise(history.state)).values() if one.chart]
    assert len(drawn) == 8
    for one in drawn:
        assert one.chart
        spec = {**one.chart.to_dict(), "width": 700, "config": charts.theme(dark=True)}
        svg = vl_convert.vegalite_to_svg(json.dumps(spec))
        assert svg.startswith("<svg")
        assert "NaN" not in svg


def test_charts_without_data_are_none() -> None:
    assert charts.forest([], "m", 0.0) is None
    assert charts.progress([], [], "trials", "m") is None
    assert charts.paths([]) is None
    assert charts.bars([], "n") is None
    assert charts.genealogy([], [], [], "m") is None
    assert charts.stakes([]) is None
    assert charts.thresholds([]) is None


def test_failures_are_told_by_type_and_cause(by_hand: Path) -> None:
    _, page = report_of(by_hand)
    failed = history_of(by_hand).state.failures
    assert failed
    assert f"{len(failed)} trials gave no score" in page.text
    for kind in {outcome.kind for outcome, _ in failed}:
        alike = [outcome for outcome, _ in failed if outcome.kind is kind]
        assert f"{kind.replace('_', ' ')} {alike[0].cause} {len(alike)} " in page.text


@pytest.mark.parametrize("target", ["missing/report.html", "taken"])
def test_an_output_that_cannot_be_written_leaves_nothing(by_hand: Path, tmp_path: Path, target: str) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match=r"report|taken"):
        write_report(by_hand, tmp_path / target)
    assert [path.name for path in tmp_path.rglob("*")] == ["taken"]


def test_a_report_is_replaced_whole(by_hand: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    path.write_text("the one before")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("novum.report.report_page.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_report(by_hand, path)
    assert path.read_text() == "the one before"
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_ledger_gives_the_same_page(by_hand: Path, tmp_path: Path) -> None:
    for name in ("one.html", "two.html"):
        write_report(by_hand, tmp_path / name)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_a_large_campaign_stays_a_small_page(tmp_path: Path, make_lab: Callable[..., Path]) -> None:
    lab = make_lab(tmp_path / "lab", hypotheses=1500, confirm=10)
    html, page = report_of(lab)
    assert len(html) < 3_000_000
    assert "500 of 1,500 hypotheses" in page.text
    assert "1,000 left out" in page.text
    assert "hypotheses (all that were judged, the others evenly thinned) are drawn" in page.text


def test_the_settings_can_be_run_again(by_hand: Path, coins: Path) -> None:
    for lab in (by_hand, coins):
        state = history_of(lab).state
        assert state.study
        again = parse_study(wording.study_toml(state.study, state.budget), "report")
        assert again.study == state.study
        assert again.budget == state.budget
        assert "arena = " in report_of(lab)[1].text


def test_settings_with_awkward_words_survive() -> None:
    study = novum.Study(
        "a name - 1.0", "x", question='l1"quoted"\nl2\t\x7f\\ é', options={"odd key.": "]\n[gate]", "on": True}
    )
    assert parse_study(wording.study_toml(study, Budget(wall_seconds=0.5)), "x").study == study


def test_runs_that_made_an_incumbent_do_not_count_for_it(events_of: Callable[..., list[Event]]) -> None:
    """A candidate's confirming runs were stopped when they looked best: they stand in only when nothing else exists."""
    events = events_of(hypotheses=5)

    def records() -> Iterator[Record]:
        for seq, event in enumerate(events, start=1):
            yield Record(seq, seq, "lab", "x", event, str(seq))

    last = index_of(records()).history().incumbent_runs[-1]
    assert last.hypothesis == "h5"
    assert last.selected
    assert index_of(records()).history().incumbent_runs[0].runs > 0


def test_an_interrupted_attempt_keeps_its_own_pairs(events_of: Callable[..., list[Event]]) -> None:
    """Each confirmation has the path of its own attempt, whatever the hypothesis went through afterwards."""
    history_events = events_of(hypotheses=10)
    opened = [one for one in history_events if isinstance(one, ConfirmationOpened)]
    history = index_of(Record(n, n, "lab", "x", one, "") for n, one in enumerate(history_events, start=1)).history()
    assert [one.rule for one in history.confirmations] == opened


def test_words() -> None:
    assert clean("a\x1b]0;title\x07b\x1b[2Jc\u202ed\ne") == "abcd\ne"
    assert cut("x " * 100, 10) == "x x x x x…"
    assert [number(v) for v in (None, 0.0, 1234.0, 0.000123456, 617.92, 2.5e9, 12345.6, -0.5)] == [
        "–", "0", "1,234", "0.0001235", "617.9", "2.5e9", "12,346", "-0.5",
    ]  # fmt: skip
    assert [seconds(v) for v in (0.44, 42.0, 60.0, 200.0, 7200.0, 7500.0)] == [
        "0.4 s", "42 s", "1 min", "3 min 20 s", "2 h", "2 h 5 min",
    ]  # fmt: skip
    assert changes({"a": 1, "b": 2}, {"a": 1, "c": 3}) == [Change("b", "–", "2"), Change("c", "3", "–")]
    assert counted(1, "hypothesis", "hypotheses") == "1 hypothesis"


def test_the_cost_axis_fits_the_campaign() -> None:
    assert axis(0.2).title == "trials"
    assert axis(100.0).title.startswith("CPU seconds")
    assert axis(1000.0).title.startswith("CPU minutes")
    assert axis(20_000.0).title.startswith("CPU hours")


def test_outliers_do_not_flatten_an_axis() -> None:
    low, high = charts.robust_domain([1.0 + 0.01 * i for i in range(50)] + [1e9], [0.8])
    assert low < 0.8
    assert high < 3
    assert charts.robust_domain([2.0, 2.0], []) == [1.9, 2.1]


def test_importing_novum_does_not_load_the_report() -> None:
    code = "import novum, sys; print([m for m in ('altair', 'vl_convert', 'jinja2') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
