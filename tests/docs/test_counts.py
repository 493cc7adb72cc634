"""Every count of ours in the README, the docs and the help is what the code has; one that nothing derives is an error."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import sklearn.datasets

import thalweg as tw
from thalweg.commands.compare import compare_command
from thalweg.dialects.method import LIBRARIES
from thalweg.lab.data import mnist1d
from thalweg.lab.protocol import protocol, suites
from thalweg.lab.running import executors, sweep
from thalweg.lab.statistics import targets

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
]
NUMBER = rf"(\d[\d,]*|{'|'.join(WORDS[2:])})"
NOUNS = r"optimizers|rules|problems|images|tumours|patients|targets|curves|tests|schedules|surfaces|seeds"
COUNTED = re.compile(rf"\b{NUMBER}(?: (?!of |and |or |to |the |in |other )[\w-]+){{0,2}} (?:{NOUNS})\b", re.IGNORECASE)
DERIVED: dict[str, Callable[[], int]] = {
    rf"All {NUMBER} optimizers": lambda: len(tw.rules),
    rf"{NUMBER}(?: real)? images": lambda: len(sklearn.datasets.load_digits().data),
    rf"{NUMBER} well-known (?:optimizers|ones)": lambda: len(protocol.RULES),
    rf"libraries, {NUMBER} optimizers, \d+ rows": lambda: sum(len(tw.dialect(name)) for name in LIBRARIES),
    rf"optimizers of {NUMBER} libraries": lambda: len(LIBRARIES),
    rf"the same {NUMBER} on": lambda: len(protocol.RULES),
    rf"{NUMBER} problems": lambda: len(suites.SUITES["small"]),
    rf"{NUMBER} tumours": lambda: len(sklearn.datasets.load_breast_cancer().data),
    rf"{NUMBER} patients": lambda: len(sklearn.datasets.load_diabetes().data),
    rf"{NUMBER} curves of ten kinds": lambda: len(mnist1d.data()[0]),
    rf"curves of {NUMBER} kinds": lambda: len(set(mnist1d.data()[1].tolist())),
    rf"{NUMBER} targets": lambda: targets.COUNT,
    rf"{NUMBER} tuning seeds": lambda: protocol.TUNING_SEEDS,
    rf"{NUMBER} bytes for each float32 parameter": lambda: round(tw.rules["adam"].cost(4).bytes_moved),
    rf"`--budget`: {NUMBER}, in a suite": lambda: protocol.BUDGET,
    rf"`--budget`: \d+, in a suite {NUMBER}\)": lambda: suites.BUDGET,
    rf"`--seeds`: {NUMBER}, in a suite": lambda: protocol.SEEDS,
    rf"`--seeds`: \d+, in a suite {NUMBER}\)": lambda: suites.SEEDS,
    rf"One trial in {NUMBER} is kept back": lambda: protocol.RESERVED,
    rf"This is protocol {NUMBER};": lambda: int(protocol.VERSION),
    rf"`--timeout` \({NUMBER} seconds": lambda: round(sweep.TIMEOUT),
    rf"for {NUMBER} minutes no\s+worker starts": lambda: executors.WORKERLESS // 60,
    rf"{NUMBER} at a time, so that they still run as lanes": lambda: protocol.AT_ONCE,
}
"""What stands in a page, and what it must be; in a pattern with two numbers the other one has a line of its own."""
OTHERS = {"two optimizers"}
"""What a reader has, and not a count of what is here."""


def number(text: str) -> int:
    return WORDS.index(text.lower()) if text.lower() in WORDS else int(text.replace(",", ""))


def texts() -> dict[str, str]:
    """Pages without tables of measurements, and of their programs the remarks alone, and what the main command says of itself."""
    found = {}
    for page in PAGES:
        if page.stem != "verify":  # `thalweg lab verify` writes it
            text = page.read_text(encoding="utf-8")
            text = re.sub(r"^```python\n.*?^```", _remarks, text, flags=re.MULTILINE | re.DOTALL)
            found[page.name] = re.sub(r"<!-- measured.*?<!-- /measured -->", "", text, flags=re.DOTALL)
    found["compare --help"] = " ".join(str(getattr(p, "help", "")) for p in compare_command.params)
    return found


def _remarks(block: re.Match[str]) -> str:
    return "\n".join(re.findall(r"#.*", block.group()))


@pytest.mark.parametrize("pattern", DERIVED)
def test_a_count_is_what_the_code_has(pattern: str) -> None:
    told = {(page, said) for page, text in texts().items() for said in re.findall(pattern, text, re.IGNORECASE)}
    assert told, "no page says it any more: take the line out"
    expected = DERIVED[pattern]()
    assert {(page, said) for page, said in told if number(said) != expected} == set(), f"it is {expected}"


def test_no_count_is_without_a_line() -> None:
    loose = []
    for page, text in texts().items():
        spans = [match.span(1) for pattern in DERIVED for match in re.finditer(pattern, text, re.IGNORECASE)]
        loose += [
            f"{page}: {match.group()}"
            for match in COUNTED.finditer(text)
            if match.span(1) not in spans and match.group() not in OTHERS
        ]
    assert loose == []
