"""The result of `Model.fit`."""

from dataclasses import dataclass, field
from typing import Any

from thalweg.nn.arrays import Params


@dataclass(frozen=True)
class History:
    """Curves and parameters of a training run, and the state to resume it.

    Attributes
    ----------
    curves : dict[str, list[float]]
        One number per epoch for "loss", "val_loss" (with validation), and each metric: "accuracy", "val_accuracy", ...
    params : Params
        The parameters to use: `opt.ship(...)` of `walked`.
    walked : Params
        The optimizer's last iterate. For most rules it equals `params`.
    state : Any
        The optimizer's state.
    statistics : Params
        The population statistics for `params`, of a network with BatchNorm; otherwise {}. If `params` is an average, they
        are of a pass over the data; otherwise running averages.
    """

    curves: dict[str, list[float]]
    params: Params
    walked: Params
    state: Any
    statistics: Params = field(default_factory=dict)

    def __repr__(self) -> str:
        last = ", ".join(f"{name} {curve[-1]:.4g}" for name, curve in self.curves.items() if curve)
        return f"<History of {self.epochs} epoch{'' if self.epochs == 1 else 's'}{': ' if last else ''}{last}>"

    def __getitem__(self, name: str) -> list[float]:
        """history["val_accuracy"]; an unknown name is a KeyError that lists the curves."""
        if name not in self.curves:
            raise KeyError(f"there is no curve {name!r}; there are {', '.join(self.curves)}")
        return self.curves[name]

    @property
    def loss(self) -> list[float]:
        """The mean training loss of each epoch."""
        return self["loss"]

    @property
    def val_loss(self) -> list[float]:
        """The validation loss after each epoch."""
        return self["val_loss"]

    @property
    def epochs(self) -> int:
        """The number of epochs, including those before a resume."""
        return len(self.loss)
