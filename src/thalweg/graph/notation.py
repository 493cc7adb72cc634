"""Two mathematical notations: LaTeX for a page, Unicode for a terminal."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Any

from thalweg.ops.word import WORDS

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "phi": "φ", "psi": "ψ", "omega": "ω",
}  # fmt: skip
SPELLED = {"lr": "eta", "eps": "epsilon", "p": "theta", "lam": "lambda", "weight_decay": "lambda", "noise": "xi"}
ACCENTS = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304"}
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

Text = tuple[str, int]
"""An expression and its precedence: 1 a sum, 2 a product, 3 a power, 4 an atom."""
HEADING = ""
"""The left side of a heading: a line of words that says which parameters the lines below are for."""
SUM, PRODUCT, POWER, UNIT = range(1, 5)


def anatomy(name: str) -> tuple[str, str, str]:
    """Split a name into stem, subscript and accent: beta1 -> (beta, 1, ''), v_max -> (v, max, ''), m_hat -> (m, '', hat)."""
    name = SPELLED.get(name, name)
    found = re.fullmatch(r"([A-Za-z]+?)(?:_?(\d+)|_([a-z]+))?", name)
    if found is None:
        return name, "", ""
    stem, tail = SPELLED.get(found.group(1), found.group(1)), found.group(2) or found.group(3) or ""
    if tail in ACCENTS:
        return stem, "", tail
    return stem, "" if tail == "t" else tail, ""


class Notation(ABC):
    """How to write an expression from its parts."""

    def wrap(self, text: Text, least: int) -> str:
        """Return the text, in brackets if its precedence is below `least`."""
        return text[0] if text[1] >= least else self.brackets(text[0])

    def binary(self, op: str, a: Text, b: Text) -> Text:
        if op == "add":
            return f"{a[0]} + {self.wrap(b, SUM)}", SUM
        if op == "sub":
            return f"{a[0]} - {self.wrap(b, PRODUCT)}", SUM
        if op == "mul":
            left, right = self.wrap(a, PRODUCT), self.wrap(b, PRODUCT)
            return f"{left}{self.times if right[0].isdigit() else self.space}{right}", PRODUCT
        return self.fraction(a, b) if op == "truediv" else self.power(a, b)

    space = " "
    times: str
    signs: dict[str, str]

    def compared(self, op: str, a: str, b: str) -> Text:
        return f"{a} {self.signs[op]} {b}", SUM

    @abstractmethod
    def letter(self, name: str, time: str = "") -> str:
        """Write a variable; time is "" (none), "t" or "t-1"."""

    @abstractmethod
    def brackets(self, text: str) -> str: ...
    @abstractmethod
    def number(self, x: Any) -> str: ...
    @abstractmethod
    def fraction(self, a: Text, b: Text) -> Text: ...
    @abstractmethod
    def power(self, a: Text, b: Text) -> Text: ...
    @abstractmethod
    def call(self, word: str, args: list[str]) -> Text: ...
    @abstractmethod
    def cases(self, condition: str, a: str, b: str) -> Text: ...
    @abstractmethod
    def page(self, lines: list[tuple[str, str]]) -> str: ...


class Latex(Notation):
    space = r" \, "
    times = r" \cdot "
    signs = {"lt": "<", "le": r"\le", "gt": ">", "ge": r"\ge", "eq": "=", "ne": r"\ne", "and": r"\wedge", "or": r"\vee"}  # noqa: RUF012
    words = {"abs": r"\left|{0}\right|", "norm": r"\left\lVert {0} \right\rVert", "model_total": r"\sum"}  # noqa: RUF012

    def letter(self, name: str, time: str = "") -> str:
        stem, sub, accent = anatomy(name)
        if name == "fstar":
            return "f^*"
        spelled = stem.replace("_", r"\_")
        head = rf"\{stem}" if stem in GREEK else stem if len(stem) == 1 else rf"\mathrm{{{spelled}}}"
        below = ",".join(x for x in (sub if sub.isdigit() or not sub else rf"\mathrm{{{sub}}}", time) if x)
        return (rf"\{accent}{{{head}}}" if accent else head) + (f"_{{{below}}}" if below else "")

    def brackets(self, text: str) -> str:
        return rf"\left({text}\right)"

    def number(self, x: Any) -> str:
        if x == float("inf"):
            return r"\infty"
        mantissa, _, exponent = f"{x:g}".partition("e")
        return rf"{'' if mantissa == '1' else mantissa + ' '}10^{{{int(exponent)}}}" if exponent else mantissa

    def fraction(self, a: Text, b: Text) -> Text:
        return rf"\frac{{{a[0]}}}{{{b[0]}}}", PRODUCT

    def power(self, a: Text, b: Text) -> Text:
        return f"{{{self.wrap(a, UNIT)}}}^{{{b[0]}}}", POWER

    def call(self, word: str, args: list[str]) -> Text:
        said = WORDS[word].latex if word in WORDS else self.words.get(word)
        if said is not None and "{0}" in said:
            return said.format(*args), POWER if "^" in said else UNIT
        spelled = word.replace("_", r"\_")
        operator = said or rf"\operatorname{{{spelled}}}"
        return rf"{operator}\left({', '.join(args)}\right)", UNIT

    def cases(self, condition: str, a: str, b: str) -> Text:
        return rf"\begin{{cases}} {a} & {condition} \\ {b} & \text{{otherwise}} \end{{cases}}", UNIT

    def page(self, lines: list[tuple[str, str]]) -> str:
        rows = " \\\\\n".join(self._row(left, right) for left, right in lines)
        return f"\\begin{{aligned}}\n{rows}\n\\end{{aligned}}"

    def _row(self, left: str, right: str) -> str:
        if left != HEADING:
            return f"{left} &= {right}"
        escaped = re.sub(r"([_%#&${}])", r"\\\1", right.replace("\\", "/"))
        return rf"&\text{{{escaped}}}"


class Plain(Notation):
    times = " · "
    signs = {"lt": "<", "le": "≤", "gt": ">", "ge": "≥", "eq": "=", "ne": "≠", "and": "and", "or": "or"}  # noqa: RUF012
    words = {"abs": "|{0}|", "norm": "‖{0}‖", "model_total": "Σ"}  # noqa: RUF012

    def letter(self, name: str, time: str = "") -> str:
        stem, sub, accent = anatomy(name)
        if name == "fstar":
            return "f*"
        head = GREEK.get(stem, stem) + ACCENTS.get(accent, "")
        below = sub.translate(SUBSCRIPTS) if sub.isdigit() else f"_{sub}" if sub else ""
        return head + below + {"": "", "t": "ₜ", "t-1": "ₜ₋₁"}[time]

    def brackets(self, text: str) -> str:
        return f"({text})"

    def number(self, x: Any) -> str:
        return "∞" if x == float("inf") else f"{x:g}"

    def fraction(self, a: Text, b: Text) -> Text:
        return f"{self.wrap(a, PRODUCT)} / {self.wrap(b, POWER)}", PRODUCT

    def power(self, a: Text, b: Text) -> Text:
        return f"{self.wrap(a, UNIT)}^{self.wrap(b, POWER)}", POWER

    def call(self, word: str, args: list[str]) -> Text:
        said = WORDS[word].plain if word in WORDS else self.words.get(word)
        if said is not None and "{0}" in said:
            return said.format(*args), UNIT
        if word == "sqrt" and not re.search(r"[ (]", args[0]):
            return f"{said}{args[0]}", UNIT
        return f"{said or word}({', '.join(args)})", UNIT

    def cases(self, condition: str, a: str, b: str) -> Text:
        return f"({a} if {condition} else {b})", UNIT

    def page(self, lines: list[tuple[str, str]]) -> str:
        width = max(len(left) for left, _ in lines)
        return "\n".join(right if left == HEADING else f"{left:<{width}} = {right}" for left, right in lines)
