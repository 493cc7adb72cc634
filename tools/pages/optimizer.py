"""The page of one optimizer."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import NamedTuple

from pages import elsewhere, losses, path, play
from pages.judged import judged
from pages.meaning import meanings
from pages.typeset import display, marked, math, raw, table, words
from thalweg.commands import facts
from thalweg.commands.listing import aliases
from thalweg.form.asks import ASKS
from thalweg.graph.cost import word_kind
from thalweg.graph.difference import Difference, difference
from thalweg.graph.notation import Latex, Plain
from thalweg.lab.bank import standing
from thalweg.lab.race.run import Walk
from thalweg.lab.report.words.bibliography import cited
from thalweg.methods import family, rules
from thalweg.numpy import class_name
from thalweg.rule import Rule
from thalweg.values.numerals import typed

SIGNS = {" ": "same", "-": "gone", "+": "new"}
SAID = {"-": "only in the first: ", "+": "only in the second: ", " ": ""}
GIVEN = {"g": "the gradient", "p": "the parameter"}
"""What the page calls these, where no stage comes before."""
RETIRED = ("optimistic_adam",)
"""Names whose function in optax is on its way out, and says so when it is called."""
FLAT = "<p>Its steps are for matrices; on a surface of two coordinates it has no path.</p>"
MANY = 8
"""A list of more than these is folded."""


class Beside(NamedTuple):
    """What all pages are made with: paths, differences of other libraries, the optimizers that the playground has."""

    walks: dict[str, Walk]
    numbers: elsewhere.Measured
    playing: frozenset[str]


def title(rule: Rule) -> str:
    """The method's name as its class has it."""
    return class_name(rule)


def link(name: str) -> str:
    """A link to the page of another optimizer."""
    return f'<a href="{name}.html">{escape(title(rules[name]))}</a>'


def page(rule: Rule, beside: Beside) -> str:
    """The page, as Markdown with parts in HTML."""
    return "\n".join(_parts(rule, beside))


def _parts(rule: Rule, beside: Beside) -> Iterator[str]:
    about, differences = facts.notes(rule)
    yield f"# {title(rule)}\n"
    yield raw(f'<p class="lead">{escape(rule.paper)}</p>{_badges(rule)}')
    yield "## Formula\n"
    yield raw(display(rule.formula()))
    yield from ([raw(words(about))] if about else [])
    yield raw(_symbols(rule))
    yield "## Take it\n"
    yield _used(rule)
    yield "## Its path\n"
    walk = beside.walks.get(rule.name)
    yield raw(
        path.drawing(walk) if walk else "<p>Its steps are for matrices; on a surface of two coordinates it has no path.</p>"
    )
    if where := play.address(rule.name, beside.playing):
        yield raw(f'<p><a href="{where}">Try it in the playground</a>: other surfaces, other settings, beside others.</p>')
    yield "## Where it comes from\n"
    yield raw(_origin(rule) + losses.drawing(rule.name))
    yield "## What a step costs\n"
    yield raw(f"<p>{escape(facts.cost_words(rule))}</p><p>Kernel: {escape(facts.kernels(rule))}</p>")
    yield "## When to take it\n"
    yield raw(_judged(rule))
    yield from _libraries(rule, differences, beside)
    yield "## The code\n"
    yield f"```python\n{facts.source(rule)}\n```\n"
    if entries := cited(rule.name, rule.paper):
        yield "## Paper\n"
        yield "\n".join(f"```bibtex\n{entry.text}\n```\n" for entry in entries)


def kept(rule: Rule) -> str:
    """How much a rule remembers for each parameter, in words. What belongs to a row or a tensor is next to nothing of it."""
    numbers = rule.cost().usual.state_per_parameter
    if not rule.memory:
        return "no memory"
    return f"{numbers:.3g} number{'' if numbers == 1 else 's'} kept a parameter" if numbers else "next to no memory"


def _badges(rule: Rule) -> str:
    known = standing.shipped()
    place = known.places["tuned"].get(rule.name) if known else None
    said = [
        word_kind(rule()),
        str(rule.year or ""),
        kept(rule),
        f"place {place.place} [{place.low} to {place.high}] of {len(known.evidence.rules)}" if known and place else "",
        f"also called {', '.join(aliases(rule.name))}" if aliases(rule.name) else "",
    ]
    return f'<p class="badges">{"".join(f"<span>{escape(word)}</span>" for word in said if word)}</p>'


def _symbols(rule: Rule) -> str:
    write, rows, meaning = Latex(), [], meanings(rule.formula())
    for word in rule.asks:
        ask = ASKS[word]
        rows.append([math(write.letter(ask.letter, ask.time)), word, "asked for", escape(GIVEN.get(word, ask.says))])
    for slot, kind in rule.memory.items():
        name = slot.rpartition(".")[2]
        said = "; ".join([*meaning.get(Plain().letter(name, "t"), ()), facts.memory_words(kind)])
        rows.append([math(write.letter(name, "t")), slot, "memory", escape(said)])
    if rule.lr is not None:
        rows.append([math(write.letter("lr")), "lr", "learning rate", escape(f"{typed(rule.lr)}; {facts.rate_words(rule)}")])
    for hyper in rule.hyper.values():
        said = f"{facts.default_words(hyper)}; {facts.values_words(hyper)}"
        rows.append([math(write.letter(hyper.name)), hyper.name, "hyper-parameter", escape(said)])
    cells = [[letter, f"<code>{escape(name)}</code>", sort, said] for letter, name, sort, said in rows]
    return table(["letter", "in the code", "what it is", "meaning, or default and values"], cells, "symbols")


def used(rule: Rule) -> dict[str, str]:
    """How to make it in each framework, by the framework's name."""
    name = title(rule)
    made = f"tj.optimizer(tw.{rule.name}(), {rule.lr!r})" if rule.name in RETIRED else f"tj.{rule.name}({rule.lr!r})"
    ours = "import thalweg as tw\n" if rule.name in RETIRED else ""
    return {
        "NumPy": f"import thalweg.numpy as tn\n\noptimizer = tn.{name}(params)  # a dict, list or array; updated in place",
        "PyTorch": f"import thalweg.torch as tt\n\noptimizer = tt.{name}(model.parameters())",
        "JAX": f"{ours}import thalweg.jax as tj\n\noptimizer = {made}  # an optax transformation, at this rate",
        "Pure": f"import thalweg as tw\n\noptimizer = tw.Optimizer(tw.{rule.name}())  # init and step, on any tree of arrays",
    }


def _used(rule: Rule) -> str:
    tabs = (f":::{{tab-item}} {where}\n```python\n{code}\n```\n:::\n" for where, code in used(rule).items())
    return f"::::{{tab-set}}\n{''.join(tabs)}::::\n"


def _origin(rule: Rule) -> str:
    came, parts = family.origin(rule), []
    if came.parents:
        first = came.parents[0]
        names = " and ".join(map(link, came.parents))
        parts.append(f"<p>From {names}: {marked(came.change)}.</p>")
        parts.append(marks(difference(rules[first].formula(), rule.formula()), first, rule.name))
    else:
        parts.append("<p>It is a root of the family: it grew from none of the others here.</p>")
    if grown := family.children(rule.name):
        rows = "".join(f"<li>{link(name)}: {marked(family.change(name))}</li>" for name in grown)
        many = f"{len(grown)} grew from it" if len(grown) > 1 else "One grew from it"
        fold = "" if len(grown) > MANY else " open"
        parts.append(f"<details{fold}><summary>{many}</summary><ul>{rows}</ul></details>")
    return "".join(parts)


def marks(found: Difference, first: str, second: str) -> str:
    """The difference of two formulas, a line each, with what differs marked."""
    lines = []
    for sign, spans in found.signed():
        text = "".join(f"<mark>{escape(s.text)}</mark>" if s.marked and sign != " " else escape(s.text) for s in spans)
        hidden = f'<span class="unseen">{SAID[sign]}</span>' if sign != " " else ""
        lines.append(f'<span class="{SIGNS[sign]}">{hidden}<span aria-hidden="true">{sign} </span>{text}</span>')
    renamed = ", ".join(f"{new} is {old} there" for new, old in found.renamed.items())
    note = f"<p>{escape(renamed)}.</p>" if renamed else ""
    told = f"<p><code>thalweg show {first} {second}</code> prints this, with loss curves of both.</p>"
    return f'<pre class="difference" tabindex="0">{"".join(lines)}</pre>{note}{told}'


def _judged(rule: Rule) -> str:
    found, known = judged(rule), standing.shipped()
    parts = [
        f"<h3>{heading}</h3><ul>{''.join(f'<li>{marked(one)}</li>' for one in said)}</ul>"
        for heading, said in (("What speaks for it", found.take), ("What speaks against it", found.leave))
        if said
    ]
    measured = known.sentences(rule.name) if known else []
    if len(measured) > 1:
        parts.append(f"<h3>Measured</h3><ul>{''.join(f'<li>{marked(one)}</li>' for one in measured)}</ul>")
    return "".join(parts)


def _libraries(rule: Rule, differences: str, beside: Beside) -> Iterator[str]:
    found = elsewhere.rows(rule.name, beside.numbers)
    if not found and not differences:
        return
    yield "## What libraries do\n"
    if differences:
        yield raw(words(differences))
    if found:
        yield raw(table(["library", "from the paper", "what differs"], [list(row) for row in found], "libraries"))
        yield "The middle column is the largest difference after 60 steps, as a share of the way walked; see\n"
        yield "[who computes what](../conformance.md).\n"
