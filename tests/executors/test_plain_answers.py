"""The short cut of a child's answer: the same bytes as the long way, or no answer at all."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from novum.core.model.trial import OutcomeKind, TrialOutput
from novum.executors.local.frames import pack_outputs, pack_plain

FACTS = st.dictionaries(st.text(max_size=8), st.floats() | st.integers() | st.text(max_size=3), max_size=3)
OUTPUTS = st.builds(
    TrialOutput,
    st.text(max_size=9),
    st.binary(max_size=9) | st.none(),
    st.none() | st.sampled_from([OutcomeKind.DIVERGED]),
    st.just("") | st.text(max_size=9),
    FACTS,
    st.just(()),
    st.just("") | st.text(max_size=5),
    st.just((0.0, 0.0)) | st.just((1.5, 2.0)),
)


@given(st.lists(OUTPUTS, max_size=4))
def test_it_is_the_long_way_or_nothing(outputs):
    short = pack_plain(outputs)
    plain = all(
        one.artefact is not None
        and one.failure is None
        and not one.cause
        and not one.remarks
        and one.resumed == (0.0, 0.0)
        and all(isinstance(value, float) and math.isfinite(value) for value in one.facts.values())
        for one in outputs
    )
    assert (short is not None) == plain
    assert short is None or short == pack_outputs(outputs)


def test_what_is_no_list_of_outputs_takes_the_long_way():
    odd = [None, 3, "x", (TrialOutput("a", b""),), ["x"], [TrialOutput(1, b"")], [TrialOutput("a", b"", facts=[])]]
    assert all(pack_plain(one) is None for one in odd)
