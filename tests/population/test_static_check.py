"""Networks that look ahead or keep more than they say are found before they are trained."""

import pytest

torch = pytest.importorskip("torch")

from novum.population.forms.tensors import pick_tokens  # noqa: E402
from novum.population.mixers.named import NAMED  # noqa: E402
from novum.population.network import Network  # noqa: E402
from novum.population.stack import Layer, Stack  # noqa: E402
from novum.population.static_check import broken_promise  # noqa: E402


def stack(name, **changes):
    return Stack(9, 9, 8, (Layer(NAMED[name].make(1, 4, 8), 4), Layer(NAMED["conv"].make(1, 4, 8), 2)), **changes)


@pytest.mark.parametrize("name", NAMED)
def test_every_published_mixer_keeps_its_promises(name):
    assert broken_promise(Network(stack(name))) == ""
    assert broken_promise(Network(stack(name, slots=3))) == ""


class Ahead:
    """Hands on the mean of all tokens, later ones included."""

    def __init__(self, form):
        self.form = form

    def mix(self, own, parts, rows):
        return pick_tokens(parts["v"].mean(2, keepdim=True).expand_as(parts["v"]), rows)

    def __getattr__(self, name):
        return getattr(self.form, name)


class Hoarding(Ahead):
    """Keeps a copy of every token besides its state."""

    def mix(self, own, parts, rows):
        return self.form.mix(own, parts, rows)

    def start(self, members, batch, like):
        return (*self.form.start(members, batch, like), like.new_zeros(members, batch, 0))

    def step(self, own, parts, state):
        out, kept = self.form.step(own, parts, state[:-1])
        return out, (*kept, torch.cat([state[-1], parts["v"]], -1))


@pytest.mark.parametrize(("form", "words"), [(Ahead, "come later"), (Hoarding, "floats of state and declares")])
def test_a_form_that_breaks_its_promise_is_named(form, words):
    network = Network(stack("delta"))
    forms = list(network.forms)
    forms[0] = form(forms[0])
    network.__dict__["forms"] = tuple(forms)
    assert words in broken_promise(network)
