"""The core that mixes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from novum.population.forms.tensors import Parts, Rows, State, pick_tokens
from novum.population.mixers.passing import Passing


@dataclass(frozen=True, slots=True)
class PassingForm:
    """Hands its input on."""

    core: Passing

    def mix(self, own: Parts, parts: Parts, rows: Rows) -> Tensor:
        del own
        return pick_tokens(parts["v"], rows)

    def start(self, members: int, batch: int, like: Tensor) -> State:
        del members, batch, like
        return ()

    def step(self, own: Parts, parts: Parts, state: State) -> tuple[Tensor, State]:
        del own
        return parts["v"], state
