"""Rules typed into the page: the same text as Python's rule walks the same way, to 1e-12, and what is wrong is said with its place."""

from __future__ import annotations

import contextlib
import inspect
import json
import random
import re
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import NEEDS_ONE, found, shown

import thalweg as tw
from lab.playground.walking import NEEDS_NODE, STEPS, WALK, differing, drawn, in_node
from thalweg.form import hyper, memory
from thalweg.lab.playground.javascript import words
from thalweg.lab.playground.page import HERE, SCRIPTS, page

READ = "\n".join([words(), *((HERE / name).read_text("utf-8") for name in SCRIPTS[:4])])
TEXTS = {
    "adam": """
        # Adam, as the page shows it
        def mine(g, t, m=0.0, v=0.0, *, beta1=0.9, beta2=0.999, eps=1e-8):
            m = mix(m, g, beta1)
            v = mix(v, g * g, beta2)
            return debias(m, beta1, t) / (sqrt(debias(v, beta2, t)) + eps), m, v
    """,
    "signs": """
        def mine(g: X, m=0.5, *, k: Real = -2.0, few=2, less: NonNegative = .5e0) -> X:
            '''A text
            of two lines, and a ) in it.'''
            m += less * -g ** 2 / 4 - k * few
            m *= 0.5
            m -= 1 - 2 - 3
            m /= 2 * (3 - 5) * 2
            return -m ** 2 * 2 ** -1 ** 2 / 2 / 4, m
    """,
    "words": """
        def mine(g, t, p, m=0.0, *, c=0.3):
            a = exp(-abs(g)) + log(1 + g * g) + cos(g) + tanh(g) + sigmoid(-g) + floor(3 * g) + sign(g)
            b = arctan2(g, 1 + p * p) + maximum(g, p) + minimum(g, c) + clip(g, -c, c) + ratio(g, p) + ratio(g, 0 * p)
            m = where(every_kth(t, 3), m + a, m)
            return 0.1 * a + b + over_root(m, g * g, c) + over_debiased_root(m, p * p, c, t, 1e-3), m
    """,
    "conditions": """
        def mine(g, t, p, m=0.0, start=like_p, *, c: Positive = 0.5):
            up = (g > c) | (g < -c) & (t >= 3)
            m = where(up, g, where(g <= 0, m, -m))
            edge = where(p <= start, g, -g) + where(p < start, 3 * g, g) + where(p > start, 5 * g, g) + where(start >= p, g, 7 * g)
            return where((t == 1) | (t != 2), m, 2 * m) + where(g == m, g, 0.0) + edge, m, start
    """,
    "sums": """
        def mine(g, p, gnorm, loss, n=per_tensor(1.0), one=per_model(2.0), *, share: Fraction = 0.25):
            n = mix(n, norm(g), share)
            one = one + model_total(g * p) ** 2
            return g / n + p * mean(g) - total(p) * g / (gnorm + one) + loss * g, n, one
    """,
    "several": """
        from thalweg.ops import mix

        @rule(lr=0.01, search=(1e-4, 1e0))
        def mine(g, grad, a=0.0, b=0.0, *, beta: Decay = 0.9):
            a, b = b + g, a - b / 2
            kept = a
            return mix(kept, grad, beta), a, b
    """,
    "copies": """
        def mine(g, p, first=like_p, a=1.0, b=-2.0, *, eps: Eps = outside(1e-2)):
            return (g + first - p) * a + over_root(b, g * g, eps), p, b, a
    """,
    "one line": "def mine(g, *, c=1.5): return c * g",
}
TEXTS = {name: textwrap.dedent(text) for name, text in TEXTS.items()}


def python(text: str) -> Any:
    """The rule of this text in Python."""
    names = {**vars(tw.ops), **vars(memory), **vars(hyper), "rule": tw.rule}
    exec(compile(text, "<typed>", "exec", dont_inherit=True), names)
    return names["mine"] if isinstance(names["mine"], tw.Rule) else tw.rule(lr=0.01)(names["mine"])


def read(texts: dict[str, str]) -> str:
    """A script whose CASES.rules are those of the texts that can be read; what is wrong with others is in `wrongs`."""
    return f"""{READ}
    CASES.rules = {{}};
    const wrongs = {{}};
    for (const [name, text] of Object.entries({json.dumps(texts)})) {{
      try {{
        const {{ step, facts: {{ starts, sliders }} }} = readRule(text);
        CASES.rules[name] = {{ step, starts, hyper: Object.fromEntries(Object.entries(sliders).map(([key, {{ value }}]) => [key, value])) }};
      }} catch (wrong) {{
        if (!(wrong instanceof Wrong)) throw wrong;
        wrongs[name] = wrong.message;
      }}
    }}
    {WALK}"""


def walked(texts: dict[str, str], folder: Path, steps: int = STEPS) -> tuple[dict[str, Any], dict[str, str]]:
    script = f"const CASES = {json.dumps(drawn(steps))};{read(texts)}console.log(JSON.stringify([ends, wrongs]));"
    ends, wrongs = in_node(script, folder)
    return ends, wrongs


@NEEDS_NODE
def test_a_typed_rule_is_python_s(tmp_path: Path) -> None:
    ends, wrongs = walked(TEXTS, tmp_path)
    assert not wrongs
    assert not differing(ends, {name: tw.Optimizer(python(text)()) for name, text in TEXTS.items()}, drawn())


@NEEDS_ONE
def test_a_typed_rule_is_python_s_in_a_browser(tmp_path: Path) -> None:
    script = f"const CASES = {json.dumps(drawn())};{read(TEXTS)}"
    text = f"<!doctype html><html><head></head><body><script>{script}</script></body></html>"
    ends = found(shown(text, "document.body.dataset.found = JSON.stringify(ends);", tmp_path))
    assert not differing(ends, {name: tw.Optimizer(python(text)()) for name, text in TEXTS.items()}, drawn())


@NEEDS_NODE
def test_sources_of_our_rules_can_be_typed(tmp_path: Path) -> None:
    """Those with no more than the page has, and they walk as the catalogue's do."""
    sources = {name: inspect.getsource(rule.function) for name, rule in tw.rules.items()}
    ends, _ = walked({name: text for name, text in sources.items() if text.startswith("@rule")}, tmp_path)
    assert {"adam", "lion", "yogi"} <= ends.keys()
    assert len(ends) > 30
    optimizers = {name: tw.Optimizer(tw.rules[name](), lr=tw.rules[name].lr or 0.01) for name in ends}
    assert not differing(ends, optimizers, drawn())


WRONG = {
    "": "line 1, column 1: no rule yet; one begins with def mine(g):",
    "x = 3": "line 1, column 1: a rule begins with def, as in def mine(g):",
    "def f(x):\n  return x": "line 1, column 7: a page has no x to give: it has g, grad, p, t, loss, gnorm; memory has a first value, as in m=0.0",
    "def f(g, noise): return g": "line 1, column 10: a page has no noise to give: it has g, grad, p, t, loss, gnorm; memory has a first value, as in m=0.0",
    "def f(g, lr): return g": "line 1, column 10: the learning rate multiplies what a rule returns; the rule does not ask for it",
    "def f(g, *, lr=0.1): return g": "line 1, column 13: the learning rate multiplies what a rule returns; it is no number of the rule's",
    "def f(m=0.0): return m, m": "line 1, column 5: a rule asks for the gradient: def mine(g, ...)",
    "def __proto__(g): return g": "line 1, column 5: a name begins with a letter here",
    "def f(g, g): return g": "line 1, column 10: there are two of the name g",
    "def f(g, *, if=1.0): return g": "line 1, column 13: if is a word of Python's",
    "def f(g, m=rows): return g, m": "line 1, column 12: a page has no memory rows: it has numbers such as 0.0, like_p, per_tensor(0.0) and per_model(0.0)",
    "def f(g, *, k): return g": "line 1, column 14: k needs a value, as in k=0.9",
    "def f(g) return g": "line 1, column 10: a : is missing at the end of the line",
    "def f(g:\n  return g": "line 1, column 6: this ( is never closed",
    "def f(g)): return g": "line 1, column 9: nothing is open that this ) closes",
    "def f(g):\n  return g, g": "line 2, column 10: f returns 2 values; wanted the direction alone",
    "def f(g, m=0.0):\n  return g": "line 2, column 10: f returns 1 value; wanted the direction, m",
    "def f(g, m=0.0):\n  return (g, m)": "line 2, column 12: no brackets around several values: return direction, m",
    "def f(g):\n  m = g": "line 2, column 3: a rule ends with return direction",
    "def f(g):\n  return g\n  x = 2": "line 3, column 3: nothing is computed after return",
    "def f(g):\n  return g\ndef h(g):\n  return g": "line 3, column 1: the rule has ended; type one rule at a time",
    "def f(g):\nreturn g": "line 2, column 1: the lines of a rule are indented",
    "def f(g):\n  a = g\n   return a": "line 3, column 4: this line is not indented as the first one is",
    " def f(g): return g": "line 1, column 2: a rule begins at the left margin",
    "@recipe\ndef f(g): return g": "line 1, column 2: only @rule here; what joins stages is for `thalweg playground --my-rule`",
    "@rule(step=True)\ndef f(g): return g": "line 1, column 7: @rule has lr and search here",
    "@rule(lr=0)\ndef f(g): return g": "line 1, column 10: a learning rate is above 0",
    "def f(g):\n  y = x\n  return y": "line 2, column 7: x has no value here",
    "def f(g):\n  return sqr(g)": "line 2, column 10: a page has no word sqr; did you mean sqrt?",
    "def f(g): return orthogonal(g)": "line 1, column 18: a page has no word orthogonal; it has abs, arctan2, clip, cos, debias, every_kth, exp, floor, log, maximum, mean, minimum, mix, model_total, norm, over_debiased_root, over_root, ratio, sigmoid, sign, sqrt, tanh, total, where",
    "def f(g): return np.sqrt(g)": "line 1, column 20: no dots here: words stand alone, as sqrt(v)",
    "def f(g): return mix(g, 1)": "line 1, column 18: mix takes 3 arguments, not 2",
    "def f(g): return mix(g, 1, beta=2)": "line 1, column 28: arguments stand without their names here",
    "def f(g): return g[0]": "line 1, column 19: no indexing: a rule speaks of whole tensors",
    "def f(g): return sqrt": "line 1, column 18: sqrt is a word: sqrt(...)",
    "def f(g):\n  return g if g > 0 else -g": "line 2, column 12: no `a if condition else b` here; write where(condition, a, b)",
    "def f(g):\n  if g: return g": "line 2, column 3: no `if` here; write where(condition, a, b)",
    "def f(g):\n  for k in g: return g": "line 2, column 3: no loops in a rule",
    "def f(g): return not g": "line 1, column 18: no `not` here; turn the comparison round",
    "def f(g): return g > 0 and g < 1": "line 1, column 24: no `and` here; write (a > 0) & (b > 0)",
    "def f(g): return 0 < g < 1": "line 1, column 24: one comparison at a time: (a < b) & (b < c)",
    "def f(g): return g // 2": "line 1, column 20: no // here; write floor(a / b)",
    "def f(g): return g ^ 2": "line 1, column 20: a power is **, not ^",
    "def f(g): return True * g": "line 1, column 18: no True or False here",
    "def f(g): return g > 0": "line 1, column 18: this is a condition, not a number; it belongs in where(condition, a, b)",
    "def f(g): return g * (g > 0)": "line 1, column 22: this is a condition, not a number; it belongs in where(condition, a, b)",
    "def f(g): return where(g, g, g)": "line 1, column 24: a condition is wanted here, as in where(g > 0, a, b)",
    "def f(g): return where(g > 0, 1, 2)": "line 1, column 18: this chooses between numbers for a tensor; give it two tensors, as in where(g > 0, 2 * g, g)",
    "def f(g): return where(g > 0 & g < 2, g, g)": "line 1, column 28: a condition is wanted here, as in where(g > 0, a, b)",
    "def f(g): return where(norm(g) > 0, 1, 2) * g": "line 1, column 18: this chooses between numbers for a tensor; give it two tensors, as in where(g > 0, 2 * g, g)",
    "def f(g): return norm(norm(g)) * g": "line 1, column 18: norm adds up the elements of a tensor, and this is one number",
    "def f(g, v=per_tensor): return g, g": "line 1, column 35: the memory v is one number, and this is one an element",
    "def f(g, v=per_model): return g, norm(g)": "line 1, column 34: the memory v is one number, and this is one a tensor",
    "def f(g, *, e=outside(1e-8)): return g + e": "line 1, column 42: an epsilon in its place, as in outside(1e-8), is for over_root; as a number write eps=1e-8",
    "def f(g):\n  a, b = g\n  return a": "line 2, column 11: 2 names, and 1 value",
    "def f(g):\n  a += g\n  return a": "line 2, column 3: a has no value yet",
    "def f(g):\n  sqrt = sqrt(g)\n  return sqrt": "line 2, column 3: sqrt is a word of this rule; give the value another name",
    "def f(g):\n  total = g\n  return total(g)": "line 3, column 10: total is a value here, not a word",
    "def f(g):\n\n\n  return g +": "line 4, column 13: the line ends here",
    "@rule(search=(1.0, 0.1))\ndef f(g): return g": "line 1, column 14: a range of positive rates is wanted here, as in search=(1e-4, 1.0)",
    "def f(g, *, k: Decay = 1.0): return g": "line 1, column 24: k is Decay: a number from 0 to below 1",
    "def f(g, *, k: = 1.0): return g": "line 1, column 16: after : stands what kind of value it is, as in beta: Decay = 0.9",
    "def f(g): return +g": "line 1, column 18: no + in front of a value; leave it out",
    "def f(g): return 05 * g": "line 1, column 18: 05 is no number",
    "def f(g): return 2x * g": "line 1, column 18: 2x is no number",
    'def f(g): return "<b>': "line 1, column 18: this text is never closed",
    "def f(g): return <b>g": "line 1, column 18: < is not expected here",
    "def f(g): return g?": 'line 1, column 19: a rule has no place for "?"',
    f"def f(g): return {'(' * 300}g{')' * 300}": "line 1, column 511: a line of a rule has at most 500 names, numbers and signs",
    "def f(g): return g; x": 'line 1, column 19: a rule has no place for ";"',
    "def f(g):\n  g\n  return g": "line 2, column 4: a line of a rule is `name = ...` or `return ...`",
    "def f(g):\n  return": "line 2, column 9: the line ends here",
}
"""Texts that cannot be read, and what is said."""


@NEEDS_NODE
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path) -> None:
    texts = {str(k): text for k, text in enumerate(WRONG)}
    ends, wrongs = walked(texts, tmp_path)
    assert not ends
    assert list(wrongs.values()) == list(WRONG.values())


@NEEDS_NODE
def test_words_are_those_of_the_docs(tmp_path: Path) -> None:
    has = set(in_node(f"{READ}console.log(JSON.stringify([...WORDS.keys(), ...SUMS.keys()]));", tmp_path))
    told = (Path(__file__).parents[3] / "docs" / "playing.md").read_text("utf-8")
    (listed,) = re.findall(r"between these, and (.*?)\.\n", told, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", listed)) == has


@NEEDS_NODE
def test_the_rule_in_the_docs_and_in_the_page_can_be_read(tmp_path: Path) -> None:
    (told,) = re.findall(
        r"```python\n(.*?)```", (Path(__file__).parents[3] / "docs" / "playing.md").read_text("utf-8"), re.DOTALL
    )
    (shown_first,) = re.findall(r"<textarea.*?>\n(.*?)</textarea>", page(["sgd"]), re.DOTALL)
    assert told == shown_first
    ends, wrongs = walked({"told": told}, tmp_path)
    assert not wrongs
    assert not differing(ends, {"told": tw.Optimizer(python(told)())}, drawn())


def mangled(text: str, draw: random.Random) -> str:
    """The text with one of its words or signs lost, changed for another's, or put elsewhere."""
    words, others = (re.findall(r"\s+|\w+|\*\*|.", each, re.DOTALL) for each in (text, "".join(TEXTS.values())))
    k, other = draw.randrange(len(words)), draw.choice(others)
    words[k : k + draw.randrange(2)] = draw.choice(([], [other]))
    return "".join(words)


@NEEDS_NODE
@pytest.mark.slow
def test_a_mangled_rule_is_refused_or_is_python_s(tmp_path: Path) -> None:
    draw, few = random.Random(0), 6  # steps: such a rule may make much of a rounding in more
    texts = {str(k): mangled(draw.choice(list(TEXTS.values())), draw) for k in range(400)}
    ends, wrongs = walked(texts, tmp_path, few)
    assert min(len(ends), len(wrongs)) > 50
    optimizers = {}
    for name in ends:
        with contextlib.suppress(
            SyntaxError, NameError, KeyError, ImportError, TypeError
        ):  # imports and annotations are not read
            optimizers[name] = tw.Optimizer(python(texts[name])())
    assert len(optimizers) > 0.9 * len(ends)
    with np.errstate(all="ignore"):
        assert not differing({name: ends[name] for name in optimizers}, optimizers, drawn(few))
