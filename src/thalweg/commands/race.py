"""`thalweg race`: optimizers on a surface, as a picture, an animation or a page."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click
import numpy as np
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from thalweg.commands.screen import Screen
from thalweg.commands.types import PLACE, Whole
from thalweg.core.compose import refuses_vectors
from thalweg.form.hyper import nearest
from thalweg.lab.plain import plain
from thalweg.lab.refusal import Refusal
from thalweg.lab.running.printed import Tail
from thalweg.methods import rules

if TYPE_CHECKING:
    from thalweg.lab.data.surface import Surface
    from thalweg.lab.race.run import LearningRate, Race
    from thalweg.rule import Rule

SUFFIXES = (".png", ".gif", ".html")
PATIENCE = 2.0  # seconds, before a progress bar appears
WIDTH = 160  # columns of the table where nobody watches


@click.command("race")
@click.argument("surface", default="quartic")
@click.option("--rules", "names", metavar="A,B,C", help="The optimizers that race; all of them unless told.")
@click.option("--my-rule", type=PLACE, metavar="FILE", multiple=True,
              help="A Python file with a rule of your own; it joins the race.")  # fmt: skip
@click.option("--steps", type=Whole(1, 100_000), help="Steps of each.  [default: the surface's own; quartic: 100]")
@click.option("--lr", default="tuned", show_default=True, metavar="tuned|default|NUMBER",
              help="The best of many from each rule's own range, each rule's own default, or one for all.")  # fmt: skip
@click.option("--start", metavar="X[,Y]", help="Where they start.  [default: the surface's own start]")
@click.option("--seed", type=Whole(0), default=0, show_default=True,
              help="For the instances of the surface, and the rules that draw.")  # fmt: skip
@click.option("--error", type=click.Choice(["value", "distance"]), default="value", show_default=True,
              help="The error curves: f - f_min, or the distance to the nearest minimum.")  # fmt: skip
@click.option("--out", type=PLACE, metavar="FILE",
              help="A .png, .gif or .html file.  [default: race-SURFACE.png]")  # fmt: skip
def race_command(
    surface: str, names: str | None, my_rule: tuple[Path, ...], steps: int | None, lr: str, start: str | None, seed: int,
    error: str, out: Path | None,
) -> None:  # fmt: skip
    """Race optimizers on a test surface, all from the same start.

    SURFACE is quartic, saddle, rosenbrock, ravine, ...; any other word is answered with all of them.

    Each has the same number of learning rates, from the range that it declares itself. The median loss after the last
    step chooses among them, over instances of the surface that are turned, shifted and started elsewhere, the drawn one
    not among them; on other such instances it is counted how often that rate ends near the minimum.
    """
    from thalweg.lab.race.table import table

    ground = _surface(surface)
    target = _target(out or Path(f"race-{ground.name}.png"))
    with contextlib.redirect_stdout(Tail()):  # what a user's file prints is no result
        found = _race(ground, names, my_rule, steps or ground.steps, _rate(lr), _start(start, ground), seed, target, error)
    console = Screen(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    console.print(table(found))
    console.print(f"written to {target}", soft_wrap=True, markup=False)


def _race(
    ground: Surface, names: str | None, my_rule: tuple[Path, ...], steps: int, rate: LearningRate, start: Any, seed: int,
    target: Path, error: str,
) -> Race:  # fmt: skip
    from thalweg.lab.race.elsewhere import elsewhere
    from thalweg.lab.race.run import here, race

    readable, lost, own = _own(my_rule)
    chosen = _rules(names, own)
    with elsewhere(readable, lost, steps) if own else contextlib.nullcontext(here) as do, _Progress() as progress:
        advance = progress.task("racing", len(chosen))
        found = race(ground, chosen, steps=steps, start=start, lr=rate, seed=seed, own=own, do=do, advance=advance)
        _write(found, target, error, progress)
    return found


def _surface(name: str) -> Surface:
    from thalweg.lab import problems
    from thalweg.lab.data.surface import Surface

    plain = name.strip().lower().replace("-", "_")
    known = problems.of_kind(Surface)
    if plain in known:
        found: Surface = problems.problem(plain)  # type: ignore[assignment]
        return found
    raise Refusal(f"no surface is called {name!r}; there are {', '.join(known)}{nearest(plain, known)}")


def _own(paths: tuple[Path, ...]) -> tuple[tuple[Path, ...], dict[str, str], dict[str, Rule]]:
    """The user's files that can be run, the rules of them that cannot, and why not, and all of them by name."""
    if not paths:
        return (), {}, {}
    from thalweg.lab.user import first_look
    from thalweg.lab.user.source import Source

    readable, lost = first_look.rules(paths)
    found = Source(my_rule=readable, lost=lost).load_rules()
    return readable, dict(lost), {name: rule for name, rule in found.items() if name not in rules}


def _rules(names: str | None, own: dict[str, Rule]) -> list[str]:
    """The rules that were named, all where none were; and the user's own."""
    for name, rule in own.items():
        _check_shape(name, rule)
    if names is None:
        return [*(name for name in rules if not refuses_vectors(rules[name]())), *own]
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    try:
        found = [name if name in own else rules[name].name for name in wanted]
    except KeyError as error:
        raise Refusal(error.args[0]) from None
    if not found:
        raise Refusal("--rules names no optimizer; write for instance --rules sgd,momentum,adam")
    for name in found:
        _check_shape(name, own.get(name) or rules[name])
    return list(dict.fromkeys([*found, *own]))


def _check_shape(name: str, rule: Rule) -> None:
    if refuses_vectors(rule()):
        raise Refusal(f"{name} is for matrices, and a point on a surface is none")


def _rate(text: str) -> LearningRate:
    if text == "tuned":
        return "tuned"
    if text == "default":
        return "default"
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not (0 < value < float("inf")):
        raise Refusal(f"--lr is 'tuned', 'default' or a number above 0, not {text!r}")
    return value


def _start(text: str | None, surface: Surface) -> Any:
    if text is None:
        return surface.start
    try:
        point = np.array([float(x) for x in text.split(",")])
    except ValueError:
        raise Refusal(f"--start takes numbers such as -3 or 0.5,-1, not {text!r}") from None
    if point.size != surface.start.size or not np.isfinite(point).all():
        raise Refusal(f"{surface.name} is a surface of {surface.start.size} dimension(s); --start {text} does not fit it")
    return point


def _target(path: Path) -> Path:
    """The path, once it is sure that a file can be written there. Nothing is left behind."""
    if path.suffix.lower() not in SUFFIXES:
        raise Refusal(f"--out {path}: the file's name must end in .png, .gif or .html")
    if path.is_dir():
        raise Refusal(f"--out {path} is a folder; give the name of a file")
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    except OSError as error:
        raise Refusal(f"--out {path} cannot be written: {error.strerror}") from None
    os.close(handle)
    os.unlink(name)
    return path


def _write(found: Race, target: Path, error: str, progress: _Progress) -> None:
    """Write the file whole or not at all."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}-", suffix=target.suffix.lower())
    os.close(handle)
    os.chmod(name, 0o666 & ~_umask())
    part = Path(name)
    try:
        _draw(found, part, error, progress)
        os.replace(part, target)
    except OSError as problem:
        raise Refusal(f"--out {target} cannot be written: {problem.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


def _draw(found: Race, path: Path, error: Any, progress: _Progress) -> None:
    if path.suffix == ".png":
        from thalweg.lab.race.picture import write_png

        write_png(found, path, error)
    elif path.suffix == ".gif":
        from thalweg.lab.race.animation import FRAMES, write_gif

        write_gif(found, path, error, progress.task("drawing", min(found.steps + 1, FRAMES)))
    else:
        from thalweg.lab.race.page import write_page

        write_page(
            found, path, error, plain(shlex.join(["thalweg", *sys.argv[1:]])), progress.task("recording", len(found.walks))
        )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


class _Progress:
    """A bar on the error stream for those who watch, once they have waited for two seconds."""

    def __init__(self) -> None:
        console = Screen(stderr=True)
        self.begun = time.monotonic()
        self.bar = Progress(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=console, transient=True)
        self.wanted = console.is_terminal

    def task(self, words: str, total: int) -> Any:
        """Something to call at each of `total` ends."""
        task = self.bar.add_task(words, total=total)
        return lambda: self._advance(task)

    def _advance(self, task: TaskID) -> None:
        self.bar.advance(task)
        if self.wanted and not self.bar.live.is_started and time.monotonic() - self.begun > PATIENCE:
            self.bar.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.bar.live.is_started:
            self.bar.stop()
