"""Roles, layers and the table of who gets what: the same words for every face."""

from __future__ import annotations

import copy
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
import thalweg.numpy as tn
from thalweg.core.leaf import Leaf
from thalweg.core.routes import role_of
from thalweg.values.trees import flatten

ROLES = {
    "wte.weight": ((50, 8), "embedding"),
    "transformer.wpe.weight": ((10, 8), "embedding"),
    "Embed_0.embedding": ((50, 8), "embedding"),
    "encoder.pos_embedding": ((1, 10, 8), "embedding"),
    "model.embed_tokens.weight": ((50, 8), "embedding"),
    "cls_token": ((1, 1, 8), "embedding"),
    "lm_head.weight": ((50, 8), "head"),
    "classifier.kernel": ((8, 10), "head"),
    "head.bias": ((10,), "bias"),
    "layers.0.attn.weight": ((8, 8), "hidden"),
    "attention.heads_projection.kernel": ((8, 2, 4), "hidden"),
    "member.weight": ((8, 8), "hidden"),
    "conv1.weight": ((8, 3, 3, 3), "hidden"),
    "layers.0.attn.in_proj_bias": ((24,), "bias"),
    "b": ((3,), "bias"),
    "layers.0.b": ((3,), "bias"),
    "LayerNorm_0.scale": ((8,), "norm"),
    "ln_f.weight": ((8,), "norm"),
    "blob": ((8,), "norm"),
    "temperature": ((), "norm"),
}


def of(name: str, shape: tuple[int, ...]) -> Leaf:
    x = np.ones(shape)
    return Leaf(name, shape, x, x, 1, None, x)


@pytest.mark.parametrize("name", ROLES)
def test_a_role_is_found_by_name_and_shape(name: str) -> None:
    shape, wanted = ROLES[name]
    assert role_of(name, shape) == wanted
    assert [word for word in ("hidden", "embedding", "head", "norm", "bias") if tw.role(word)(of(name, shape))] == [wanted]


def test_conditions_join() -> None:
    w, b = of("layers.0.weight", (2, 2)), of("layers.0.bias", (2,))
    head = of("head.weight", (2, 2))
    either = tw.role("hidden") | tw.role("head")
    assert [either(leaf) for leaf in (w, b, head)] == [True, False, True]
    assert [(~tw.role("bias"))(leaf) for leaf in (w, b, head)] == [True, False, True]
    assert [(tw.is_matrix & ~tw.named("head"))(leaf) for leaf in (w, b, head)] == [True, False, False]
    assert [(tw.in_layer(0) & tw.is_matrix)(leaf) for leaf in (w, b, head)] == [True, False, False]
    assert repr(tw.is_matrix & ~(tw.named("a") | tw.role("bias"))) == "is_matrix and not (named('a') or role('bias'))"
    for condition in (either, ~tw.role("bias", known={"x": "head"}), tw.in_layer(1)):
        assert pickle.loads(pickle.dumps(condition)) == copy.deepcopy(condition) == condition
        hash(condition)


def test_layers_are_numbered_as_libraries_name_them() -> None:
    for name, number in {
        "layers.3.weight": 3, "model.layers.11.mlp.w": 11, "blocks.0.b": 0, "h.2.attn": 2, "layers_4.kernel": 4, "Block_3.kernel": 3,
        "layer1.0.conv1.weight": 1,
    }.items():  # fmt: skip
        assert [k for k in range(15) if tw.in_layer(k)(of(name, (2, 2)))] == [number]
    assert not tw.in_layer(0)(of("depth.0.weight", (2, 2)))


def tree() -> dict[str, Any]:
    draw = np.random.default_rng(0)

    def layer() -> Any:
        return {"attn": {"weight": draw.normal(size=(4, 4)), "bias": draw.normal(size=4)}, "ln": {"weight": np.ones(4)}}

    return {
        "wte": {"weight": draw.normal(size=(9, 4))},
        "layers": [layer(), layer()],
        "lm_head": {"weight": draw.normal(size=(9, 4))},
    }


def usual() -> Any:
    """Muon for hidden matrices, Adam for the rest, no decay on biases and norms."""
    core = tw.choose((tw.role("hidden"), tw.muon().at(lr=0.02)), otherwise=tw.adam())
    return tw.chain(core, tw.only(~tw.role("bias", "norm"), tw.decay(0.1)))


USUAL = """\
parameter             shape   role       rules                             lr
--------------------------------------------------------------------------------
wte.weight            (9, 4)  embedding  adam() + decay(weight_decay=0.1)  0.001
layers.0.attn.weight  (4, 4)  hidden     muon() + decay(weight_decay=0.1)  0.02
layers.0.attn.bias    (4,)    bias       adam()                            0.001
layers.0.ln.weight    (4,)    norm       adam()                            0.001
layers.1.attn.weight  (4, 4)  hidden     muon() + decay(weight_decay=0.1)  0.02
layers.1.attn.bias    (4,)    bias       adam()                            0.001
layers.1.ln.weight    (4,)    norm       adam()                            0.001
lm_head.weight        (9, 4)  head       adam() + decay(weight_decay=0.1)  0.001"""


def test_the_table_says_who_gets_what() -> None:
    assert str(tw.routes(usual(), tree())) == USUAL
    assert str(tw.routes(tw.Optimizer(usual(), lr=1e-3), tree())) == USUAL
    assert str(tn.routes(tn.Optimizer(tree(), usual()))) == USUAL


def test_what_the_table_says_is_what_steps() -> None:
    """Each parameter moves as it does alone with the rules and the rate of its row."""
    params, optimizer = tree(), tw.Optimizer(usual(), lr=1e-3)
    g = {"wte": {"weight": np.ones((9, 4))}, "layers": params["layers"], "lm_head": {"weight": np.ones((9, 4))}}
    moved, _ = optimizer.step(params, g, optimizer.init(params))
    alone = {"adam()": tw.adam(), "muon()": tw.muon(), "decay(weight_decay=0.1)": tw.decay(0.1)}
    table = tw.routes(optimizer, params)
    before, after, slopes = (dict(zip(*flatten(x), strict=True)) for x in (params, moved, g))
    for row in table:
        single = tw.Optimizer(tw.chain(*(alone[word] for word in row.rules.split(" + "))), lr=float(row.lr))
        found, _ = single.step(before[row.name], slopes[row.name], single.init(before[row.name]))
        np.testing.assert_array_equal(after[row.name], found)


def test_layers_near_the_input_learn_slowly() -> None:
    rule = tw.layerwise(lambda factor: tw.adamw().at(lr=1e-2 * factor), decay=0.5, layers=2)
    assert {row.name: row.lr for row in tw.routes(rule, tree())} == {
        "wte.weight": "0.00125", "lm_head.weight": "0.01",
        **{f"layers.0.{word}": "0.0025" for word in ("attn.weight", "attn.bias", "ln.weight")},
        **{f"layers.1.{word}": "0.005" for word in ("attn.weight", "attn.bias", "ln.weight")},
    }  # fmt: skip
    both = tw.layerwise(
        lambda factor: tw.choose((tw.role("hidden"), tw.muon().at(lr=factor)), otherwise=tw.adamw().at(lr=1e-3 * factor)),
        decay=0.5, layers=2,
    )  # fmt: skip
    assert [(row.rules, row.lr) for row in tw.routes(both, tree())][1:3] == [("muon()", "0.25"), ("adam() + decay()", "0.00025")]


def test_groups_and_schedules_are_in_the_table() -> None:
    groups = [{"params": {"w": np.ones((2, 2))}, "weight_decay": 0.3}, {"params": {"b": np.ones(2)}, "lr": lambda t: 0.1 * t}]
    optimizer = tn.AdamW(groups)
    assert [row[3:] for row in tn.routes(optimizer)] == [
        ("adam() + decay(weight_decay=0.3)", "0.001"),
        ("adam() + decay()", "0.1"),
    ]
    optimizer.param_groups[0]["lr"] = 0.5
    assert tn.routes(optimizer)[0].lr == "0.5"


def test_jax_has_the_same_table() -> None:
    jax = pytest.importorskip("jax")
    pytest.importorskip("optax")
    import thalweg.jax as tj

    params = jax.tree.map(jax.numpy.asarray, tree())
    tx = tj.optimizer(usual(), 1e-3)
    assert sorted(tj.routes(tx, params)) == sorted(tw.routes(usual(), tree()))
    masked = tj.adamw(1e-3, weight_decay=0.1, mask=lambda p: jax.tree.map(lambda x: x.ndim > 1, p))
    assert {row.rules for row in tj.routes(masked, params) if row.role in ("bias", "norm")} == {"adam()"}
    import optax

    with pytest.raises(TypeError, match=r"is no transformation of thalweg.jax"):
        tj.routes(optax.adam(0.1), params)


def test_mistakes_are_told() -> None:
    with pytest.raises(
        ValueError, match=r"there is no role 'hiden'; the roles are hidden, embedding, head, norm, bias; did you mean 'hidden'"
    ):
        tw.role("hiden")
    with pytest.raises(ValueError, match="role takes one or more of hidden"):
        tw.role()
    for wrong in ({"decay": 0.0, "layers": 2}, {"decay": 0.5, "layers": 0}, {"decay": 0.5, "layers": 1.5}):
        with pytest.raises(ValueError, match="layerwise takes a positive decay and one or more layers"):
            tw.layerwise(lambda factor: tw.adam().at(lr=factor), **wrong)


def test_the_page_s_table_is_what_its_code_prints(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    page = (Path(__file__).parents[2] / "docs" / "routing.md").read_text(encoding="utf-8")
    code, table = re.findall(r"^```(?:python|text)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[:2]
    exec(compile(code, "routing.md", "exec"), {})
    assert capsys.readouterr().out == table
