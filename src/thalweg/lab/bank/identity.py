"""What a bank's rows are about, and whether that is still so.

A row is stale if its rule computes something else now, or if the protocol is another one; then it is told and not used. A
problem that has changed makes no row wrong: it was measured on the problem of that day, which is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from thalweg.lab import problems
from thalweg.lab.bank.table import Bank
from thalweg.lab.protocol import protocol
from thalweg.lab.refusal import Refusal
from thalweg.lab.store.fingerprint import fingerprint
from thalweg.rule import Rule

ANY = "xor"
"""A rule's identity is its fingerprint on this problem, which has a matrix and a vector and needs no file: computed in
milliseconds, where loading all problems takes seconds."""


def identity(rule: Rule) -> str:
    """A hash of what a rule computes; see `fingerprint`. Comments and names do not change it."""
    return fingerprint(rule, problems.problem(ANY))


@dataclass(frozen=True)
class Current:
    """The rows that hold, and what does not. stale: rules that have changed. gone: rules that there are no more."""

    bank: Bank
    stale: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def sentences(self) -> list[str]:
        """What is not used, in words."""
        told = []
        if self.stale:
            told.append(f"Not used, as the rule has changed since it was measured: {', '.join(self.stale)}.")
        if self.gone:
            told.append(f"Not used, as there is no such rule any more: {', '.join(self.gone)}.")
        return told


def current(bank: Bank, rules: Mapping[str, Rule]) -> Current:
    """The rows of a bank that hold for these rules. Raises Refusal for a bank of another protocol."""
    if bank.made.protocol != protocol.VERSION:
        raise Refusal(
            f"the bank was made by protocol {bank.made.protocol}, and this is protocol {protocol.VERSION}: none of its rows is "
            "used; `thalweg lab bank` makes a new one"
        )
    stale = tuple(name for name, known in bank.rules.items() if name in rules and identity(rules[name]) != known)
    gone = tuple(name for name in bank.rules if name not in rules)
    return Current(bank.only(rules=set(bank.rules) - {*stale, *gone}), stale, gone)


def changed(bank: Bank) -> tuple[str, ...]:
    """The problems that are others here than in the bank. It loads all of them."""
    return tuple(name for name, measured in bank.problems.items() if _fingerprint(name) != measured.fingerprint)


def _fingerprint(name: str) -> str | None:
    try:
        return problems.problem(name).fingerprint
    except Refusal:  # its data are not installed here
        return None
