"""Which form computes which core."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from novum.population.forms.exponential_gates_form import ExponentialGatesForm
from novum.population.forms.gated_recurrent_form import GatedRecurrentForm
from novum.population.forms.least_squares_form import LeastSquaresForm
from novum.population.forms.long_convolution_form import LongConvolutionForm
from novum.population.forms.matrix_state_form import MatrixStateForm
from novum.population.forms.mini_batch_state_form import MiniBatchStateForm
from novum.population.forms.momentum_state_form import MomentumStateForm
from novum.population.forms.passing_form import PassingForm
from novum.population.forms.softmax_form import SoftmaxForm
from novum.population.forms.tensors import Form
from novum.population.mixers.exponential_gates import ExponentialGates
from novum.population.mixers.gated_recurrent import GatedRecurrent
from novum.population.mixers.least_squares import LeastSquares
from novum.population.mixers.long_convolution import LongConvolution
from novum.population.mixers.matrix_state import MatrixState
from novum.population.mixers.mini_batch_state import MiniBatchState
from novum.population.mixers.mixer_core import Core
from novum.population.mixers.momentum_state import MomentumState
from novum.population.mixers.passing import Passing
from novum.population.mixers.softmax import Softmax

_FORMS: dict[type, Callable[[Any], Form]] = {
    ExponentialGates: ExponentialGatesForm,
    GatedRecurrent: GatedRecurrentForm,
    LeastSquares: LeastSquaresForm,
    LongConvolution: LongConvolutionForm,
    MatrixState: MatrixStateForm,
    MiniBatchState: MiniBatchStateForm,
    MomentumState: MomentumStateForm,
    Passing: PassingForm,
    Softmax: SoftmaxForm,
}


def form_of(core: Core) -> Form:
    """What computes `core`."""
    return _FORMS[type(core)](core)
