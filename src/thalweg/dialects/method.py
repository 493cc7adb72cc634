"""An optimizer of another library as a row of data, and the table of a library."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from thalweg.core.stage import Stage, chain
from thalweg.dialects.plain import Plain
from thalweg.form.hyper import nearest

Build = Callable[[Any], Stage]
"""Maps a library's arguments, a `Plain`, to our stages."""


@dataclass(frozen=True)
class Setting:
    """Arguments with which a library's optimizer is compared, and what then differs from the paper, if not what the row says."""

    options: dict[str, Any] = field(default_factory=dict)
    differs: str | None = None

    @property
    def words(self) -> str:
        """The arguments as they are written in a call."""
        return ", ".join(f"{name}={value!r}" for name, value in self.options.items())


def given(differs: str | None = None, /, **options: Any) -> Setting:
    """Return a setting; differs: a sentence, or "" if the paper's rule is what is computed."""
    return Setting(options, differs)


@dataclass(frozen=True)
class Method:
    """An optimizer of another library; called with that library's arguments, by name, it is the stage that computes the same.

    Parameters
    ----------
    name, file
        Its name, and where in the library its source is.
    defaults : dict
        Its arguments and their defaults. None as the learning rate: it has none of its own.
    paper : callable
        Builds our rule of the paper with the same numbers.
    differs : str
        What the library computes otherwise, in one sentence; "" if it computes the paper's rule.
    theirs : callable, optional
        Builds what the library computes, where that differs.
    settings : tuple of Setting
        The arguments with which it is compared.
    rate : str or callable
        The argument that is the learning rate, or a function of all arguments.
    remains : str
        What keeps the two apart by up to 1e-4 all the same: numbers that the library keeps in float32, a second epsilon.
    matrices : bool
        Whether it takes matrices only.
    only : dict
        Arguments that have to have these values, because there is no rule of ours for others.
    """

    name: str
    file: str
    defaults: dict[str, Any]
    paper: Build
    differs: str = ""
    theirs: Build | None = None
    settings: tuple[Setting, ...] = (Setting(),)
    rate: str | Callable[[Any], Any] = "lr"
    remains: str = ""
    matrices: bool = False
    only: dict[str, Any] = field(default_factory=dict)
    library: str = ""

    def __call__(self, **options: Any) -> Stage:
        """Return the stage that computes what the library does with these arguments; its learning rate is the library's.

        Raises TypeError for an argument that it does not take, ValueError for a value for which there is no rule here, and what
        our rules raise for one out of range.
        """
        return self._built(self.theirs or self.paper, options)

    def of_paper(self, **options: Any) -> Stage:
        """Return our rule of the paper with the same numbers."""
        return self._built(self.paper, options)

    def _built(self, build: Build, options: dict[str, Any]) -> Stage:
        plain = Plain(f"{self.library}.{self.name}", self.defaults, options)
        for name, value in self.only.items():
            if plain.values[name] != value:
                raise ValueError(
                    f"{self.library}.{self.name} has no rule here for {name}={plain.values[name]!r}, only for {value!r}"
                )
        rate = plain.dynamic(self.rate) if isinstance(self.rate, str) else self.rate(plain)
        stage = chain(build(plain))
        if callable(rate):
            return stage.at(rate)
        made = stage.named(f"{self.library}.{self.name}", None)
        made.lr = None if rate is None else float(rate)  # without one of its own there is no other, such as our rule's
        return made

    def cause(self, setting: Setting) -> str:
        """What differs from the paper with these arguments."""
        return self.differs if setting.differs is None else setting.differs

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.defaults.items())
        return f"<{self.library}.{self.name}({arguments})>"


class Dialect(Mapping[str, Method]):
    """A library's optimizers by name; case and underscores do not matter. An unknown name raises with the nearest known one.

    version is the one whose sources and numbers the rows were compared with.
    """

    def __init__(self, library: str, version: str, methods: tuple[Method, ...]) -> None:
        self.library, self.version = library, version
        self._methods = {method.name: method for method in methods}
        self._plain = {plain(name): method for name, method in self._methods.items()}
        if len(self._plain) < len(methods):
            raise ValueError(f"two optimizers of {library} have one name")

    def __getitem__(self, name: str) -> Method:
        found = self._plain.get(plain(name))
        if found is None:
            raise KeyError(self._unknown(name))
        return found

    def __getattr__(self, name: str) -> Method:
        if name.startswith("_"):
            raise AttributeError(name)
        found = self._plain.get(plain(name))
        if found is None:
            raise AttributeError(self._unknown(name), name=name, obj=None)
        return found

    def _unknown(self, name: str) -> str:
        return f"the dialect of {self.library} has no {name!r}; it has {', '.join(self)}{nearest(plain(name), self._plain)}"

    def __iter__(self) -> Iterator[str]:
        return iter(self._methods)

    def __len__(self) -> int:
        return len(self._methods)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]

    def __repr__(self) -> str:
        return f"<{self.library} {self.version}: {', '.join(self)}>"


def plain(name: str) -> str:
    """Return a name without case, underscores and dots."""
    return name.lower().replace("_", "").replace(".", "")


LIBRARIES = ("torch", "optax", "keras", "tf1", "chainer", "mlx", "timm", "pytorch_optimizer", "heavyball")
"""The libraries that have a table."""
_found: dict[str, Dialect] = {}


def dialect(library: str) -> Dialect:
    """Return another library's optimizers, exactly as that library computes them, as configured rules of ours.

    The library itself is not imported. Arguments and defaults are its own, and so are epsilon's place, bias correction and the
    coupling of decay; `differs` of each says what differs from the paper.

    Parameters
    ----------
    library : str
        "torch", "optax", "keras", "tf1", "chainer", "mlx", "timm", "pytorch_optimizer" or "heavyball".

    Returns
    -------
    Dialect
        Its optimizers by name. ValueError for another library.

    Examples
    --------
    >>> import thalweg as tw
    >>> stage = tw.dialect("keras").nadam(beta_1=0.95)
    >>> optimizer = tw.Optimizer(stage)  # Keras' learning rate, 0.001
    """
    name = str(library).lower().replace("-", "_")
    if name not in LIBRARIES:
        raise ValueError(f"there is no dialect {library!r}; there are {', '.join(LIBRARIES)}{nearest(name, LIBRARIES)}")
    if name not in _found:
        table = importlib.import_module(f"thalweg.dialects.libraries.{name}")
        methods = tuple(replace(method, library=name) for method in table.METHODS)
        _found[name] = Dialect(name, table.VERSION, methods)
    return _found[name]
