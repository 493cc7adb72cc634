"""A module's path from before the rooms were made."""

import importlib

import pytest

import thalweg as tw


@pytest.mark.parametrize(
    ("before", "now"),
    [("cost", "graph.cost"), ("formula", "graph.formula"), ("cli", "commands.cli"), ("trees", "values.trees"),
     ("optimizer", "core.optimizer"), ("schedules", "form.schedules"), ("lab.answer", "lab.report.answer")],
)  # fmt: skip
def test_a_module_is_found_where_it_was(before: str, now: str) -> None:
    assert importlib.import_module(f"thalweg.{before}") is importlib.import_module(f"thalweg.{now}")


@pytest.mark.parametrize("name", ["adamm", "kernel", "lab.labels", "page", "__wrapped__"])
def test_what_never_was_there_is_not(name: str) -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"thalweg.{name}")
    assert not hasattr(tw, name)


def test_rooms_come_when_they_are_named() -> None:
    assert tw.nn.Linear.__module__ == "thalweg.nn.layers.linear"
