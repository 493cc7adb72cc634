"""`thalweg list` and `thalweg show NAME`."""

import io
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from support import everyday

import thalweg as tw
from thalweg.commands.cli import main
from thalweg.commands.facts import source
from thalweg.commands.listing import list_command
from thalweg.commands.show import page, show_command


def listing(*options: str) -> Result:
    return CliRunner().invoke(list_command, options)


def names(*options: str) -> list[str]:
    """The first words of the table's rows."""
    found = listing(*options)
    assert found.exit_code == 0, found.output
    return [line.split()[0] for line in found.stdout.splitlines() if line.split() and line.split()[0] in tw.rules]


def show(name: str) -> Result:
    return CliRunner().invoke(show_command, [name])


def test_every_rule_is_listed_with_its_facts() -> None:
    assert names() == sorted(tw.rules)
    row = next(line for line in listing().stdout.splitlines() if line.startswith("adam "))
    assert row.split()[:8] == ["adam", "element-wise", "g", "t", "2015", "2", "28", "0.001"]
    assert re.fullmatch(r"\d+ \[\d+-\d+\]", " ".join(row.split()[8:10])), "its measured place, with an interval"
    assert "Kingma & Ba 2015, arXiv 1412.6980" in row


def test_search_looks_into_names_aliases_and_papers() -> None:
    assert "momentum" in names("--search", "heavy_ball")
    assert names("--search", "KINGMA") == ["adam", "adam_mini", "adamax", "adamaxw", "sparse_adam"]
    nothing = listing("--search", "no such words")
    assert (nothing.exit_code, nothing.stdout.strip()) == (0, "no optimizer fits")


def test_filters_and_order() -> None:
    sums = {"adai", "dadapt_adam", "dadapt_sgd", "dog", "dowg", "mechanic_adam", "momo", "momo_adam", "prodigy", "swats"}
    sums |= {"adagrad_norm", "adams", "adgd", "alig", "avagrad", "dadapt_adagrad", "dadapt_adan", "dadapt_lion"}
    assert set(names("--kind", "whole-model")) == {"aegd", "eve", "lbfgs", "polyak_sgd", *sums}
    assert set(names("--year", "2015")) == {"adam", "adamax", "adamaxw", "noisy_sgd", "smorms3", "sparse_adam"}
    assert names("--year", "-1990", "--sort", "year") == ["sgd", "momentum", "lbfgs", "nesterov"]
    assert names("--memory", "0") == [
        "adafactor",
        "adagrad_norm",
        "adalite",
        "adalomo",
        "amos",
        "apollo_adamw",
        "fira",
        "fromage",
        "galore",
        "nero",
        "noisy_sgd",
        "polyak_sgd",
        "sgd",
        "signsgd",
        "sm3",
        "swan",
    ]
    assert names("--kind", "matrices") == [
        "adafactor",
        "adago",
        "adalite",
        "adalomo",
        "adam_mini",
        "adamp",
        "adamuon",
        "apollo_adamw",
        "came",
        "conda",
        "dion",
        "fira",
        "galore",
        "muon",
        "muon_with_adamw",
        "nero",
        "normuon",
        "polargrad",
        "psgd_kron",
        "ranger21",
        "scion",
        "sgdp",
        "shampoo",
        "sm3",
        "soap",
        "splus",
        "swan",
    ]
    kept = [tw.rules[name].cost().state_per_parameter for name in names("--sort", "memory")]
    assert kept == sorted(kept)
    moved = [tw.rules[name].cost().bytes_moved for name in names("--sort", "bytes")]
    assert moved == sorted(moved)


@pytest.mark.parametrize("text", ["last year", "-", "20152016", "15"])
def test_a_year_that_is_none(text: str) -> None:
    found = listing("--year", text)
    assert found.exit_code == 2
    assert "--year takes a year or a span of years" in found.stderr


def test_show_tells_what_each_library_does_differently() -> None:
    told = " ".join(CliRunner().invoke(main, ["show", "nadam"]).output.split())
    between = told.partition("Between libraries")[2]
    assert "keras.Nadam: the momentum warms up with 0.96^t" in between
    assert "torch.NAdam: the gradients are averaged with the constant beta1" in between
    assert "timm.Lamb: the gradients are clipped to a global norm of 1 first" in " ".join(
        CliRunner().invoke(main, ["show", "lamb"]).output.split()
    )


@pytest.mark.parametrize("name", everyday([*tw.rules, "clip", "decay", "schedule_free", "sam"]))
def test_every_rule_can_be_shown(name: str) -> None:
    found = show(name)
    assert found.exit_code == 0, found.output
    rule = tw.rules.get(name) or tw.stages_by_name[name]
    flowing = " ".join(found.stdout.split())
    assert f"{rule.cost().bytes_moved:g} bytes moved" in flowing
    for line in [*rule.formula().plain.splitlines(), rule.paper, *rule.hyper, *rule.memory]:
        assert " ".join(line.split()) in flowing


def test_a_page_says_it_all() -> None:
    text = show("msgd").stdout
    for part in (
        "also called msgd, heavy_ball", "one number a parameter, 0 at the start", "0 <= mu < 1", "searched from 0.0001 to 1",
        "Differs from torch.optim.SGD", "def momentum(",
    ):  # fmt: skip
        assert part in text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("adam", "one pass over memory, on CUDA too"),
        ("prodigy", "2 passes over memory, the last of which writes, on CUDA too"),
        (
            "adafactor",
            "of matrices 3 passes over memory, the last of which writes; of vectors 2 passes over memory, the last of "
            "which writes, on CUDA too",
        ),
        ("madgrad", "one pass over memory on CUDA none: Triton has no power of tensors"),
        (
            "muon",
            "2 passes over memory, the last of which writes, and between them orthogonal on CUDA none: no kernel for it has orthogonal",
        ),
        ("galore", "none: galore keeps memory of the kind projector"),
        ("sam", "none: it asks for gradients at several points"),
    ],
)
def test_whether_kernels_run_it_and_if_not_why(name: str, words: str) -> None:
    assert f"Kernel {words}" in " ".join(show(name).stdout.split())


def test_the_source_is_the_rules_without_its_docstring() -> None:
    lines = source(tw.rules["adam"])
    assert lines.startswith("@rule(lr=1e-3")
    assert "m = mix(m, g, beta1)" in lines
    assert "Kingma" not in lines


def test_square_brackets_are_no_markup() -> None:
    @tw.rule(lr=1.0)
    def odd(g):  # type: ignore[no-untyped-def]
        """A rule [bold]of[/bold] brackets (Nobody 2020, [red]nowhere[/red]).

        Differs from nothing: [/] is no tag here.
        """
        return g

    console = Console(width=100, file=io.StringIO())
    for part in page(odd):
        console.print(part)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[bold]of[/bold]" in text
    assert "[/] is no tag" in text


@pytest.mark.parametrize(("wrong", "near"), [("addam", "adam"), ("RMSporp", "rmsprop"), ("[b]adamw", "adamw")])
def test_an_unknown_name_is_answered_with_the_nearest(wrong: str, near: str) -> None:
    found = show(wrong)
    assert found.exit_code == 2
    assert found.stdout == ""
    assert re.fullmatch(rf"Error: no optimizer is called .*; did you mean '{near}'\?\n", found.stderr)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["compar"],
            "there is no command 'compar'; there are compare, conformance, curves, advise, lab, playground, race, show, list; did you mean 'compare'?",
        ),
        (["lab", "verfy"], "there is no command 'verfy'; there are bank, merge, verify; did you mean 'verify'?"),
    ],
)
def test_an_unknown_command_is_answered_with_the_nearest(words: list[str], says: str) -> None:
    done = CliRunner().invoke(main, words)
    assert (done.exit_code, done.stderr) == (2, f"Error: {says}\n")


def test_the_package_is_the_command_too() -> None:
    done = subprocess.run([sys.executable, "-m", "thalweg", "--version"], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("thalweg, version ")
