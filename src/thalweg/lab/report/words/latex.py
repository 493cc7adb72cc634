"""LaTeX text."""

from __future__ import annotations

import re
from collections.abc import Sequence

SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "²": r"\textsuperscript{2}", "−": "--", "<": r"\textless{}",
    ">": r"\textgreater{}",
}  # fmt: skip


def escaped(text: str) -> str:
    """A text that LaTeX prints as it is. Line ends become spaces, and letters without a name in LaTeX stay."""
    return "".join(SPECIAL.get(letter, letter) for letter in " ".join(text.split()))


def rounded(x: float | None) -> str:
    """A number to three digits: 0.0316, $3.2\\times10^{-5}$."""
    if x is None:
        return "--"
    text = f"{x:.3g}"
    found = re.fullmatch(r"(.*)e([+-])0*(\d+)", text)
    if not found:
        return text
    factor, power = found[1], f"10^{{{'-' if found[2] == '-' else ''}{found[3]}}}"
    return f"${power}$" if factor == "1" else rf"${factor}\times{power}$"


def tabular(columns: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A booktabs table."""
    lines = [rf"\begin{{tabular}}{{{columns}}}", r"  \toprule", f"  {' & '.join(head)} \\\\", r"  \midrule"]
    lines += [f"  {' & '.join(row)} \\\\" for row in rows]
    return "\n".join([*lines, r"  \bottomrule", r"\end{tabular}"])
