from __future__ import annotations

import csv
import dataclasses
import importlib.util
import json
import subprocess
import sys
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labs import SECRET, coin_study, past
from tests.support.views import index_of

from novum.core.events.proposals import HypothesisRegistered
from novum.core.events.trials import TrialFinished
from novum.core.model.budget import Budget
from novum.core.model.errors import IntegrityError, MissingExtra, UserError
from novum.core.model.trial import OutcomeKind
from novum.core.model.verdict import Verdict
from novum.integrations.exports.campaign_tables import sheets
from novum.integrations.exports.csv_files import defused, write_csv
from novum.integrations.exports.mlflow_store import write_mlflow
from novum.integrations.exports.parquet_files import write_parquet
from novum.integrations.exports.tables import Column, table
from novum.integrations.exports.tracker_runs import runs
from novum.lab.session import session
from novum.views.campaign_summary import summarise

HOSTILE = '=HYPERLINK("http://127.0.0.1";A1)\r\nsecond; line, "quoted"\x1b[2J\u202e'


@pytest.fixture(scope="module")
def records():
    return list(past(900).ledger.read())


@pytest.fixture(scope="module")
def found(records):
    return index_of(records)


@pytest.fixture
def hostile(records):
    """The campaign with one trial failed and one hypothesis registered in words of somebody else's choice."""
    trial = next(r for r in records if isinstance(r.event, TrialFinished))
    claim = next(r for r in records if isinstance(r.event, HypothesisRegistered))
    changed = {
        trial.seq: dataclasses.replace(
            trial.event, kind=OutcomeKind.CRASHED, score=None, cause=HOSTILE, facts={"@x": 1.5, "+": -2.0}
        ),
        claim.seq: dataclasses.replace(claim.event, author="@author", rationale="-2+3", parents=("+1",)),
    }
    return index_of(dataclasses.replace(r, event=changed.get(r.seq, r.event)) for r in records)


def read(directory, name):
    with (directory / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def by_name(found):
    return {sheet.name: sheet for sheet in sheets(found)}


def test_trials_come_back_from_csv_without_loss(found, records, tmp_path):
    counts = write_csv(found, tmp_path)
    rows = read(tmp_path, "trials")
    outcomes = [r for r in records if isinstance(r.event, TrialFinished)]
    assert len(rows) == len(outcomes) == counts["trials"]
    for row, record in zip(rows, outcomes, strict=True):
        event = record.event
        plan = next(t.plan for t in found.trials.rows if t.outcome is event) if event.member == 0 else None
        assert (row["trial"], row["outcome"], int(row["seq"])) == (event.trial, event.kind, record.seq)
        assert float(row["score"]) == event.score
        assert float(row["cpu_seconds"]) == event.cpu_seconds
        assert float(row["metric_share of changes"]) == event.others["share of changes"]
        assert datetime.fromisoformat(row["time"]).timestamp() == pytest.approx(record.time / 1e6, abs=1e-6)
        if plan:
            genes = {name.removeprefix("gene_"): int(v) for name, v in row.items() if name.startswith("gene_")}
            assert genes == dict(plan.candidate.genome)


def test_nothing_is_lost_between_the_tables(found, tmp_path):
    write_csv(found, tmp_path)
    summary, tables = summarise(found.state), {name: read(tmp_path, name) for name in by_name(found)}
    outcomes = [row["outcome"] for row in tables["hypotheses"]]
    for outcome in ("supported", "refuted", "inconclusive", "failed"):
        assert outcomes.count(outcome) == getattr(summary, outcome)
    assert [row["id"] for row in tables["findings"]] == [one.id for one in summary.findings]
    for row, one in zip(tables["findings"], summary.findings, strict=True):
        assert (float(row["effect"]), row["grade"]) == (one.effect, one.grade)
        assert (int(row["effect_pairs"]), float(row["e_value"])) == (one.effect_pairs, one.e_value)
    assert sum(float(row["cpu_seconds"]) for row in tables["trials"]) == pytest.approx(found.state.cpu_seconds)
    closed = [row for row in tables["confirmations"] if row["verdict"] != "open"]
    assert closed
    for row in closed:
        mine = [p for p in tables["pairs"] if (p["hypothesis"], p["question"]) == (row["hypothesis"], "claim")]
        assert len([p for p in mine if p["attempt"] == row["attempt"]]) == int(row["pairs"])
    assert json.loads((tmp_path / "origin.json").read_text())["head"] == found.last.hash


def test_a_formula_in_anybodys_text_is_text_and_numbers_stay_numbers(hostile, tmp_path):
    write_csv(hostile, tmp_path)
    raw = (tmp_path / "failures.csv").read_bytes().decode()
    assert "\x1b" not in raw
    assert "\u202e" not in raw
    (failure,) = read(tmp_path, "failures")
    assert failure["cause"] == '\'=HYPERLINK("http://127.0.0.1";A1)\nsecond; line, "quoted"'
    claim = next(row for row in read(tmp_path, "hypotheses") if row["author"].endswith("author"))
    assert (claim["author"], claim["rationale"], claim["parents"]) == ("'@author", "'-2+3", "+1")
    assert [(row["name"], row["value"]) for row in read(tmp_path, "facts")] == [("'@x", "1.5"), ("'+", "-2.0")]
    gains = [row["screening_advantage"] for row in read(tmp_path, "hypotheses")]
    assert any(gain.startswith("-") for gain in gains)


@given(st.text(max_size=12))
def test_defused_text_never_begins_a_formula_and_loses_nothing(text):
    shown = defused(text)
    assert shown.removeprefix("'") == text.removeprefix("'") or shown == text
    if shown[:1] in set("=+-@\t\r\n"):
        float(shown)


def test_csv_lines_end_as_rfc_4180_says(found, tmp_path):
    write_csv(found, tmp_path)
    for path in tmp_path.glob("*.csv"):
        data = path.read_bytes()
        assert data.count(b"\n") == data.count(b"\r\n")
        assert data.endswith(b"\r\n")


def test_columns_have_one_type_each_and_empty_tables_keep_theirs():
    rows = [{"gene_a": 1, "gene_b": True, "gene_c": 1}, {"gene_a": 2.5, "gene_b": 1, "gene_c": None, "id": "x"}]
    made = table("t", {"id": str}, rows)
    assert made.columns == (Column("id", str), Column("gene_a", float), Column("gene_b", str), Column("gene_c", int))
    assert made.rows == ((None, 1.0, "true", 1), ("x", 2.5, "1", None))
    assert table("t", {"id": str}, []).columns == (Column("id", str),)


def test_a_directory_that_cannot_be_written_is_named_and_nothing_half_is_left(found, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        write_csv(found, tmp_path / "file" / "there")
    (tmp_path / "trials.csv").mkdir()
    with pytest.raises(UserError, match=r"trials\.csv"):
        write_csv(found, tmp_path)
    assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob(".*.part"))


def test_a_record_that_contradicts_itself_is_refused(records):
    with pytest.raises(IntegrityError, match="contradicts"):
        index_of(r for r in records if not isinstance(r.event, HypothesisRegistered))


def test_parquet_holds_the_same_tables_with_their_types(hostile, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    counts = write_parquet(hostile, tmp_path)
    for name, sheet in by_name(hostile).items():
        back = parquet.read_table(tmp_path / f"{name}.parquet")
        assert back.num_rows == counts[name] == len(sheet.rows)
        assert back.column_names == [column.name for column in sheet.columns]
        rows = [tuple(row.values()) for row in back.to_pylist()]
        assert rows == list(sheet.rows)
    trials = parquet.read_schema(tmp_path / "trials.parquet")
    assert {str(trials.field(name).type) for name in ("seq", "gene_spin", "peak_bytes")} == {"int64"}
    assert str(trials.field("time").type) == "timestamp[us, tz=UTC]"
    assert trials.metadata[b"novum.head"].decode() == hostile.last.hash


@pytest.mark.parametrize(("module", "write"), [("pyarrow", write_parquet), ("mlflow", write_mlflow)])
def test_what_is_not_installed_is_named_with_the_command_to_install_it(found, tmp_path, monkeypatch, module, write):
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    with pytest.raises(MissingExtra, match=r"pip install 'novum\["):
        write(found, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_run_is_a_hypothesis_with_its_evidence_pair_by_pair(found):
    all_runs = {run.id: run for run in runs(found)}
    assert len(all_runs) == 1 + sum(1 + len(h.follow_ups) for h in found.state.hypotheses.values())
    judged = [h for h in found.state.hypotheses.values() if h.verdict and h.verdict.attempt == h.attempt]
    assert any(h.verdict.verdict is Verdict.SUPPORTED for h in judged)
    for one in judged:
        run = all_runs[one.id]
        path = [point.value for point in run.points if point.metric == "e_value"]
        assert len(path) == one.verdict.pairs + 1
        assert path[-1] == pytest.approx(one.verdict.e_value)
        assert run.params == {f"gene.{name}": str(value) for name, value in one.candidate.genome.items()}
        assert run.began <= run.ended
    order = list(all_runs)
    assert all(order.index(run.parent) < order.index(run.id) for run in all_runs.values() if run.parent)


def test_runs_say_the_same_until_something_happens_to_them(records, found):
    earlier = {run.id: run.content for run in runs(index_of(records[: len(records) // 2]))}
    later = {run.id: run.content for run in runs(found)}
    again = {run.id: run.content for run in runs(index_of(records))}
    assert later == again
    assert set(earlier) < set(later)
    assert 0 < sum(earlier[name] == later[name] for name in earlier) < len(earlier)


MLFLOW = all(importlib.util.find_spec(name) for name in ("mlflow", "sqlalchemy", "alembic"))
IN_MLFLOW = """
import json, logging, sys
from pathlib import Path
from tests.support.views import index_of
from novum.integrations.exports.mlflow_store import write_mlflow
from novum.ledger.journal import Reader

directory, lab = Path(sys.argv[1]), Path(sys.argv[2])
with Reader(lab) as reader:
    records = list(reader.read())
half = write_mlflow(index_of(records[: len(records) // 2]), directory)
whole = write_mlflow(index_of(records), directory)
again = write_mlflow(index_of(records), directory)
from mlflow.tracking import MlflowClient
client = MlflowClient(f"sqlite:///{directory}/mlflow.db")
experiment, = [e for e in client.search_experiments() if e.name == "coins"]
found = client.search_runs([experiment.experiment_id], max_results=5000)
runs = {r.info.run_name: [r.info.status, r.data.params, r.data.metrics, r.data.tags] for r in found}
paths = {r.info.run_name: [m.value for m in client.get_metric_history(r.info.run_id, "e_value")] for r in found[:40]}
ids = {r.info.run_id: r.info.run_name for r in found}
print(json.dumps([half, whole, again, experiment.tags, runs, paths, ids]))
"""


@pytest.mark.skipif(not MLFLOW, reason="mlflow-skinny, sqlalchemy and alembic are not installed")
def test_mlflow_opens_the_store_and_a_second_export_brings_it_up_to_date(tmp_path):
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "lab.secret").write_text(SECRET.hex())
    with session(coin_study(), Budget(trials=300), tmp_path / "lab") as lab:
        lab.run()
        found = index_of(lab.ledger.read())
    command = [sys.executable, "-c", IN_MLFLOW, tmp_path / "store", tmp_path / "lab"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    half, whole, again, tags, stored, paths, ids = json.loads(done.stdout)
    wanted = {run.id: run for run in runs(found)}
    assert half["runs"] < whole["runs"] == again["runs"] == len(stored) == len(wanted)
    assert whole["written"] < whole["runs"]
    assert again["written"] == 0
    assert tags["novum.head"] == found.last.hash
    for name, (status, params, metrics, said) in stored.items():
        run = wanted[name]
        assert (status, params) == (run.status, dict(run.params))
        assert {key: metrics[key] for key in run.values} == pytest.approx(dict(run.values))
        assert said["novum.outcome"] == run.tags["novum.outcome"]
        assert ids.get(said.get("mlflow.parentRunId", ""), "") == run.parent
    for name, path in paths.items():
        assert path == pytest.approx([p.value for p in wanted[name].points if p.metric == "e_value"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lab", "store"]
