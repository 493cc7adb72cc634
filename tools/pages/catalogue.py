"""The table of all optimizers, with fields that narrow it."""

from __future__ import annotations

from html import escape

from pages.optimizer import link
from pages.typeset import raw, table
from thalweg.commands import facts
from thalweg.commands.listing import KINDS, Entry, aliases, short_source
from thalweg.methods import rules

HEAD = ["name", "year", "kind", "numbers kept", "bytes a step", "asks for", "kernel", "place", "paper"]


def catalogue() -> str:
    """The page."""
    rows = []
    for name, rule in rules.items():
        entry = Entry.of(rule)
        cost = entry.cost.usual
        kernel = "none" if facts.kernels(rule).startswith("none") else "yes"
        also = f'<span class="unseen"> {escape(" ".join([name, *aliases(name)]))}</span>'
        rows.append([
            link(name) + also, str(rule.year or ""), entry.kind, f"{cost.state_per_parameter:.3g}", f"{cost.bytes_moved:.3g}",
            escape(" ".join(rule.asks)), kernel, escape(entry.measured), escape(short_source(rule)),
        ])  # fmt: skip
    kinds = "".join(f"<option>{kind}</option>" for kind in KINDS)
    fields = (
        '<div class="narrow" hidden><label>Search <input type="search" placeholder="adam, 2019, loss ..."></label>'
        f'<label>Kind <select><option value="">all</option>{kinds}</select></label>'
        '<label>At most <input type="number" min="0" step="any"> numbers kept a parameter</label>'
        '<output aria-live="polite"></output></div>'
    )
    told = (
        "Numbers kept are those of memory for each parameter, bytes those that a step moves for each float32 parameter. "
        "The place is by the lab's own measurements, tuned, with its 95 % interval; without one it is not measured yet. "
        "A click on a heading sorts.\n"
    )
    toctree = "```{toctree}\n:hidden:\n\n" + "\n".join(rules) + "\n```\n"
    return f"# All optimizers\n\n{told}\n{raw(fields + table(HEAD, rows, 'catalogue'))}\n{toctree}"
