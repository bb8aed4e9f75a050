"""Interpretations of many campaigns: every number is one of the record, at the place that it names."""

from __future__ import annotations

import dataclasses
import json
import re
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labs import Flaky, ScriptedArena, coin_study, failing, finished, in_memory, scored
from tests.support.views import cases_of

from novum.core.engine.context import Campaign
from novum.core.events.campaign import CampaignOpened, IncumbentChanged, SessionStarted
from novum.core.events.event import Record, kind_of
from novum.core.events.models_and_people import ModelAsked
from novum.core.events.oversight import Commented, Intervened, ProposalReviewed
from novum.core.events.proposals import HypothesisRegistered, HypothesisWithdrawn
from novum.core.events.verdicts import VerdictReached
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.budget import Budget
from novum.core.model.candidate import Candidate, Cost
from novum.core.model.intervention import Alarm, Remark, Step
from novum.core.model.study import FollowUpSettings, GateSettings, Guardrail, HoldoutSettings, ScreeningSettings
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Aim
from novum.core.model.verdict import Verdict
from novum.gate.holdout_service import LabHoldoutService
from novum.lab.session import session
from novum.ledger.codec import encode
from novum.ledger.journal import Reader
from novum.report.analyst import interpret
from novum.report.checked import OFF, checked
from novum.report.cited import Figure, Name, at
from novum.report.explained import UNVERIFIED, events_cited, explain
from novum.researchers.scripted import ScriptedResearcher
from novum.text.format import cut, number, signed


def coins(seed):
    return lambda: finished(coin_study(seed=seed), 900)


def asked_much():
    """Follow-ups of every aim, a smallest gain, and a guardrail."""
    follow = FollowUpSettings(share=0.5, metrics=("share of changes",))
    gate = GateSettings(planned=40, delta=0.01, guardrails=(Guardrail("share of changes", 0.3),))
    return finished(coin_study(seed=3, follow_up=follow, gate=gate), 1500)


def lines_up(group):
    """Half of what is tried crashes, one act diverges."""
    act = group.candidate.genome["act"]
    if act == "raise":
        return failing(group, OutcomeKind.CRASHED, "ValueError: 17 of 23\nare too many")
    return failing(group, OutcomeKind.DIVERGED) if act == "diverge" else scored(group)


def crashing():
    lab = in_memory(coin_study(arena="scripted"), Budget(trials=500), arena=ScriptedArena(), executor=Flaky(lines_up))
    lab.run()
    return lab


def retracted():
    """Two steps up are found, the second on the first; then the first does not hold any more."""

    def plan(group):
        outputs = scored(group)
        if len(lab.state.findings) < 2 or int(group.candidate.genome["level"]) == 0:
            return outputs
        return [dataclasses.replace(d, artefact=(300 + n).to_bytes(2, "little")) for n, d in enumerate(outputs)]

    follow = FollowUpSettings(share=1e-6, aims=(Aim.REPLICATE,))
    screening = ScreeningSettings(keep_one_in=1, waiting=1)
    study = coin_study(arena="scripted", gate=GateSettings(planned=3), screening=screening, follow_up=follow)
    steps, budget = ScriptedResearcher(({"level": 20}, {"level": 39})), Budget(trials=4000)
    lab = in_memory(study, budget, arena=ScriptedArena(), executor=Flaky(plan), researcher=steps)
    lab.run()
    again = dataclasses.replace(lab.context.study, follow_up=dataclasses.replace(follow, share=0.9))
    lab.campaign = Campaign(lab.state, dataclasses.replace(lab.context, study=again))
    lab.record([SessionStarted(2, budget, 1, 0, "", {})])
    lab.run()
    return lab


@dataclasses.dataclass
class Fixed(ScriptedArena):
    """Fixed examples, so that there is a holdout."""

    @property
    def spec(self):
        return dataclasses.replace(super().spec, fixed_data=True)

    def per_example(self, group, trial, artefact, role):
        share = 0.6 if int(group.candidate.genome["level"]) == 0 else 0.9
        return [float((7 * row) % 200 < share * 200) for row in range(200)]


def held_out():
    study = coin_study(
        arena="scripted",
        gate=GateSettings(planned=3),
        screening=ScreeningSettings(keep_one_in=1, waiting=1),
        follow_up=FollowUpSettings(share=0.0),
        holdout=HoldoutSettings(queries=2, mechanism="naive"),
    )
    script = ScriptedResearcher(({"level": 20}, {"level": 39}))
    lab = in_memory(study, Budget(trials=1500), arena=Fixed(), executor=Flaky(scored), researcher=script)
    lab.holdout_service = LabHoldoutService(lab.context, lab.blobs)
    lab.run()
    return lab


CAMPAIGNS = {
    **{f"coins {seed}": coins(seed) for seed in range(3)},
    "asked much": asked_much,
    "crashing": crashing,
    "retracted": retracted,
    "held out": held_out,
}


@cache
def records(name) -> tuple[Record, ...]:
    return tuple(CAMPAIGNS[name]().ledger.read())


@pytest.fixture(params=[*CAMPAIGNS, "by hand"])
def campaign(request, by_hand):
    if request.param != "by hand":
        return records(request.param)
    with Reader(by_hand) as reader:
        return tuple(reader.read())


def everything(campaign):
    book = cases_of(campaign)
    return book, {name: interpret(book, name) for name in book.cases}


def unit(text: str) -> float:
    """What the last digit of a written number stands for."""
    mantissa, _, exponent = text.replace(",", "").partition("e")
    return 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def test_every_figure_is_the_value_at_its_place_and_no_digit_stands_outside_one(campaign):
    payloads = {record.seq: json.loads(encode(record.event)) for record in campaign}
    _, told = everything(campaign)
    assert told
    for one in told.values():
        assert len(one.sentences) >= 4
        for part in (part for sentence in one.sentences for part in sentence.parts):
            if isinstance(part, Figure):
                value = at(payloads[part.seq], part.path)
                assert value == part.value and not isinstance(value, bool)
                assert part.text in (number(value), signed(value))
                written = float(part.text.replace(",", ""))
                assert abs(written - value) <= 0.5001 * unit(part.text)
            elif isinstance(part, Name):
                value = at(payloads[part.seq], part.path)
                known = [cut(key, 80) for key in value] if isinstance(value, dict) else [cut(str(value), 300)]
                assert part.text in known or part.text == cut(str(value), len(part.text))
            else:
                assert not any(map(str.isdigit, part)), part


def test_what_is_said_without_a_number_follows_from_the_record(campaign):
    book, told = everything(campaign)
    for name, one in told.items():
        text, case = " ".join(sentence.text for sentence in one.sentences), book.cases[name]
        finding = case.finding.event if case.finding else None
        interval = finding.interval if finding else None
        assert ("includes zero" in text) == bool(interval and interval[0] <= 0 <= interval[1])
        assert ("lies below zero" in text) == bool(interval and interval[1] < 0)
        assert ("lies above zero" in text or "above the smallest gain" in text) == bool(interval and interval[0] > 0)
        assert ("these are too few" in text.split("Asked")[0]) == bool(finding and finding.effect and not interval)
        reached = [record.event for record in case.verdicts]
        assert ("is ruled out, with" in text.split("Asked")[0].split("Held against")[0]) == any(
            one.verdict is Verdict.REFUTED and not one.reason.startswith("guardrail") for one in reached
        )
        assert ("no proof that there is no gain" in text) == any(
            one.verdict is Verdict.INCONCLUSIVE and not one.reason.startswith("superseded") for one in reached
        )
        failed = [record.event.crashes for record in case.verdicts if record.event.crashes]
        assert text.count("Of its runs in these pairs") == len(failed)
        if not case.confirmations:
            assert "supported" not in text.replace("to be supported", "")
        if interval and case.claim.effect:
            where = [word for word in ("below", "within", "above") if f", lies {word} this interval" in text]
            low, high = interval
            effect = case.claim.effect
            assert where == ["below" if effect < low else "above" if effect > high else "within"]


def test_everything_that_happens_is_spoken_of():
    text = {name: [one.text for one in sentences(name)] for name in CAMPAIGNS}
    every = "\n".join(line for lines in text.values() for line in lines)
    for said in (
        "the baseline on", "the candidate of h", "by more than", "named no size", "expected a gain", "looked better",
        "looked worse", "larger than its standard error", "no larger", "no setting gave a score", "the first failure",
        "E was", "is ruled out", "not ruled out either", "no proof", "the gain was +", "came back", "was supported",
        "was refuted", "Asked again", "Asked elsewhere", "without a part", "further metric", "so it is replicated",
        "so the finding is retracted", "retracted with it", "On the final data", "it holds there", "told is",
        "Guardrail", "is kept", "has as many parameters", "replaced before it was confirmed", "has not been confirmed",
    ):  # fmt: skip
        assert said in every, said


def sentences(name):
    _, told = everything(records(name))
    return [sentence for one in told.values() for sentence in one.sentences]


def test_critic_and_watchdog_are_quoted_with_their_events():
    claim = next(r for r in records("coins 0") if isinstance(r.event, HypothesisRegistered))
    remark = Remark("near-duplicate", "differs in 1 gene from h3")
    extra = [
        ProposalReviewed(claim.event.number, (remark,)),
        Intervened(Alarm.TOO_GOOD, Step.NOTE, claim.event.id, "gains 61 standard deviations"),
        HypothesisWithdrawn(claim.event.id, "its 5 trials cannot be paid"),
    ]
    more = [Record(10**6 + n, 0, "lab", kind_of(type(one)), one, "") for n, one in enumerate(extra)]
    told = interpret(cases_of([*records("coins 0")[: claim.seq], *more]), claim.event.id)
    for words, record in zip((remark.words, extra[1].words, extra[2].reason), more, strict=True):
        assert any(isinstance(part, Name) and part.text == words and part.seq == record.seq
                   for sentence in told.sentences for part in sentence.parts)  # fmt: skip


def test_a_program_is_told_by_its_files_and_hostile_words_stay_words():
    spec = ArenaSpec("program", "?", "close\x1b[2Jness\u202e 7", True, 0.01, "nowhere", 4, ({},), {})
    baseline, one = Candidate({}), Candidate({"solver.py": "x = 1\n", "new.py": "y = 2\n"})
    claim = HypothesisRegistered("h1", 1, "mcp:\x07evil", one, Cost(), baseline.id, spec.metric, True, 0.0, (),
                                    "because 9", 0.25, 0.5)  # fmt: skip
    record = [
        CampaignOpened(coin_study(name="by hand"), spec, "a" * 64, "c" * 64, {}),
        IncumbentChanged(baseline, Cost(), None),
        claim,
    ]
    book = cases_of(Record(seq, 0, "", kind_of(type(event)), event, "") for seq, event in enumerate(record, 1))
    text = " ".join(sentence.text for sentence in interpret(book, "h1").sentences)
    assert "It changes solver.py, new.py." in text and "x = 1" not in text and "because" not in text
    assert not re.search("[\x00-\x1f\u202e]", text)


def test_the_parts_of_an_explanation_stand_in_json_and_cited_events_are_those_that_are_named():
    book, told = everything(records("coins 0"))
    explained = tuple(explain(book, name) for name in told)
    cited = events_cited(book, explained)
    assert [one.seq for one in cited] == sorted({seq for one in told.values() for seq in one.events})
    kinds = {record.seq: record.kind for record in records("coins 0")}
    assert all(one.kind == kinds[one.seq] and one.words for one in cited)


def test_the_command_explains_the_latest_verdict_and_shows_any_event(by_hand, capsys):
    from novum.cli.explain import explain as command
    from novum.cli.lookup import log
    from novum.core.model.errors import UserError

    with Reader(by_hand) as reader:
        known = {record.seq: record for record in reader.read()}
    last = [record.event for record in known.values() if isinstance(record.event, VerdictReached)][-1]
    command(lab=by_hand)
    shown = capsys.readouterr().out
    assert shown.startswith(f"{last.hypothesis}, proposed by")
    command("h1", lab=by_hand, json=True)
    told = json.loads(capsys.readouterr().out)
    figures = [part for one in told["interpretation"]["sentences"] for part in one["parts"] if "value" in part]
    assert figures
    for figure in [one for one in figures if isinstance(one, dict)]:
        assert at(json.loads(encode(known[figure["seq"]].event)), figure["path"]) == figure["value"]
    for seq in {int(found) for found in re.findall(r"\[(\d+)\]", shown)}:
        log(lab=by_hand, event=seq)
        first, _, body = capsys.readouterr().out.partition("\n")
        assert first.split()[0] == str(seq)
        assert json.loads(body) == json.loads(encode(known[seq].event))
    with pytest.raises(UserError, match="there is no hypothesis"):
        command("h99999", lab=by_hand)


WORDS = st.sampled_from(["gain", "of", "about", "h7", "h8", "(", ")", ",", ".", "%", "-", "to", "±", "E =", "x2", "½"])
VALUES = st.one_of(st.integers(-1000, 10**6), st.floats(-100, 100, allow_nan=False), st.sampled_from([0, 0.9, 1e-5]))


@given(st.lists(VALUES, max_size=5), st.data())
@settings(max_examples=150, deadline=None)
def test_every_number_that_is_no_fact_rounded_is_marked(values, data):
    facts = [Figure(number(value), value, 1, "x") for value in values]
    spoken = st.one_of(WORDS, VALUES.map(str), VALUES.map(lambda value: f"{value:.2f}"), st.text(max_size=6))
    if values:
        spoken = st.one_of(spoken, st.sampled_from([one.text for one in facts]))
    text = " ".join(data.draw(st.lists(spoken, max_size=12)))
    pieces = checked(text, facts, ["h7"])
    for piece in pieces:
        if piece.verified is None:
            assert not any(map(str.isdigit, piece.text.replace("h7", ""))), piece
        elif piece.verified:
            percent = 100.0 if "%" in piece.text else 1.0
            written = float(piece.text.rstrip("% ").replace(",", "").replace("\u2212", "-"))
            near = [abs(abs(value) * percent - abs(written)) for value in values]
            assert any(gap <= OFF * abs(value) * percent for gap, value in zip(near, values, strict=True))


@given(st.lists(VALUES, min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_facts_as_they_are_written_are_never_marked(values):
    facts = [Figure(number(value), value, 1, "x") for value in values]
    text = ", ".join(f"h7 has {one.text}" for one in facts)
    assert all(piece.verified is not False for piece in checked(text, facts, ["h7"])), text


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("E was 210.5 of 200", []),
        ("E was about 211", []),
        ("E was 300", ["300"]),
        ("a gain of 0.14 (0.05 to 0.23)", []),
        ("a gain of +0.14", []),
        ("a gain of -0.14", ["-0.14"]),
        ("a loss of 0.03, or \u22120.03", []),
        ("a gain of +0.03", ["+0.03"]),
        ("at 90 % confidence, 90% or 90 percent", []),
        ("at 95 % confidence", ["95 %"]),
        ("a gain of 0", ["0"]),
        ("a gain of 0.1", ["0.1"]),
        ("0.05-0.23 and 0.05\u20130.23", []),
        ("h7 and h8", ["h8"]),
        ("3/4 of 10^3", ["3/4", "10^3"]),
        ("\uff12\uff11\uff10", []),
        ("\u0663\u0660\u0660", ["\u0663\u0660\u0660"]),
        (".5 and 1,234 and 1,234,5", [".5", "1,234,5"]),
        ("2024-01-05", ["2024", "01", "05"]),
        ("20k, 14pp, 3rd", ["20k", "14pp", "3rd"]),
    ],
)
def test_numbers_are_held_against_the_facts_as_a_reader_would(text, marked):
    values = (210.5, 200, 0.14, 0.05, 0.23, 0.9, -0.03, 1234)
    facts = [Figure(number(value), value, 1, "x") for value in values]
    pieces = checked(text, facts, ["h7"])
    assert [piece.text for piece in pieces if piece.verified is False] == marked


def test_a_comment_is_held_against_what_its_model_was_told():
    record = list(records("coins 0"))
    book = cases_of(record)
    name = next(name for name, case in book.cases.items() if case.finding)
    case = book.cases[name]
    verdict, effect = case.verdicts[-1], case.finding.event.effect
    text = f"E reached {verdict.event.e_value:.1f} and the gain is {effect:.3f}, or 77."
    asked = ModelAsked("r" * 64, "local", "comments", 10, 0.0)
    said = Commented(name, "analyst:local", text, "r" * 64)
    for seq, late in ((verdict.seq + 0.5, ["77", f"{effect:.3f}"]), (10**6, ["77"])):
        more = [Record(seq, 0, "", "model_asked", asked, ""), Record(10**6 + 1, 0, "", "commented", said, "")]
        (found,) = explain(cases_of([*record, *more]), name).comments
        assert sorted(piece.text for piece in found.pieces if piece.verified is False) == sorted(late)
        assert found.text.count(UNVERIFIED) == len(late) and found.author == "analyst:local"


def test_the_report_and_the_agent_tell_what_the_analyst_says(tmp_path):
    from tests.support.views import index_of

    from novum.report.report_page import render

    with session(coin_study(), Budget(trials=400), tmp_path) as lab:
        lab.run()
        name = lab.state.findings[0].id
        said = Commented(name, "analyst:local", "It gained 31337 <b>points</b>.", "")
        lab.record([said])
        record = list(lab.ledger.read())
    page = render(index_of(record).history(), "lab")
    book = cases_of(record)
    for figure in interpret(book, name).figures:
        assert f'href="#event-{figure.seq}" title="event {figure.seq}: {figure.path}">{figure.text}</a>' in page
        assert f'<tr id="event-{figure.seq}">' in page
    assert '<mark title="unverified: not among the facts">31337</mark> &lt;b&gt;points&lt;/b&gt;' in page
    assert "analyst:local, a model, said this" in page
    reading = pytest.importorskip("novum.mcp.reading")
    told = reading.detail(lab.state, lab.state.hypotheses[name], explain(book, name))
    assert [line for line in told.explained if f"[{book.cases[name].verdicts[0].seq}]" in line]
    assert told.comments == [f"analyst:local: «It gained 31337 [{UNVERIFIED}] <b>points</b>.»"]


def test_records_of_old_labs_are_interpreted_too():
    import gzip
    from pathlib import Path

    from novum.ledger.codec import decode

    packed = Path(__file__).parents[1].joinpath("ledger/data/schema1.jsonl.gz").read_bytes()
    rows = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
    old = [Record(row[0], row[1], row[2], kind_of(type(event)), event, row[5])
           for row in rows for event in [decode(row[3], row[4])]]  # fmt: skip
    payloads = {record.seq: json.loads(encode(record.event)) for record in old}
    _, told = everything(old)
    assert told and all(at(payloads[f.seq], f.path) == f.value for one in told.values() for f in one.figures)
