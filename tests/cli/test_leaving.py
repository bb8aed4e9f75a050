"""An export lets out what people agreed to, and nothing beside it."""

from __future__ import annotations

import pytest
from labs import coin_study

from novum.api import read_lab
from novum.core.model.budget import Budget
from novum.core.model.request import Act
from novum.core.model.study import PolicyRule, PolicySettings
from novum.governance.mailbox import Mailbox
from novum.lab.session import session

STUDY = coin_study(
    policy=PolicySettings(
        (PolicyRule("export", "approval"), *(PolicyRule(act, "yes") for act in ("propose", "promote", "holdout"))),
        patience=1e6,
    )
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    directory = tmp_path_factory.mktemp("leaving") / "lab"
    with session(STUDY, Budget(trials=500, wall_seconds=60), directory) as lab:
        lab.run()
    return directory


def asked(directory, trials, agree=""):
    """What people were asked for, after a session in which one of the questions is agreed to."""
    with session(STUDY, Budget(trials=trials, wall_seconds=60), directory) as lab:
        lab.take_requests()
        questions = {one.asked.summary: one.asked for one in lab.state.request_log.waiting}
        if agree:
            one = questions[agree]
            Mailbox(directory).send(Act.APPROVE, "bob", {"approval": one.id, "content": one.content})
        lab.draining = True
        lab.take_requests()
        lab.run()
    return set(questions)


def test_each_thing_is_asked_for_and_nothing_leaves_before_all_are_agreed_to(lab, refused, novum, tmp_path):
    pack, tables, parquet = tmp_path / "p.zip", tmp_path / "csv", tmp_path / "parquet"
    finding = read_lab(lab).findings[0].id
    both = ["export", finding, "-o", pack, "--csv", tables, "--lab", lab]
    said = refused(*both)
    assert f"the evidence pack of {finding} and tables" in said
    wanted = {f"take the evidence pack of {finding} out of the lab", "take tables out of the lab"}
    assert asked(lab, 520, agree=f"take the evidence pack of {finding} out of the lab") == wanted
    assert "export tables" in refused(*both)
    assert "export tables" in refused("export", finding, "-o", pack, "--parquet", parquet, "--lab", lab)
    assert list(tmp_path.iterdir()) == []
    assert novum("export", finding, "-o", pack, "--lab", lab).status == 0
    assert list(tmp_path.iterdir()) == [pack]
    assert asked(lab, 540, agree="take tables out of the lab") == {"take tables out of the lab"}
    assert novum(*both).status == 0
    assert sorted(tmp_path.iterdir()) == [tables, pack]
