"""Each sentence that says how a rule differs from somebody's is tied to the test that shows it, and to be there needs one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from papers import CASES

import thalweg as tw
from thalweg.graph.storage import ROUNDINGS
from thalweg.methods import rules, stages_by_name

TESTS = Path(__file__).parents[1]
ROWS = "jax_face/beside_optax/test_rows.py::test_as_optaxs_own"
"""That our rule with the options of `dialects.OPTAX`, which are those that the sentences name, walks as optax does."""
OPTAX, FREE = "methods/oracle_tests/test_where_optax_differs.py::", "methods/oracle_tests/test_rate_free_against_optax.py::"
TORCH = "methods/oracle_tests/test_against_torch.py::test_same_walk"
SHOWN = {
    "acprop from optax": OPTAX + "test_acprop_takes_the_mean_of_one_step_before",
    "adabelief from optax": ROWS,
    "adafactor from torch": TORCH,
    "adafactor from optax": OPTAX + "test_adafactor_as_optax_ships_it",
    "adagrad from optax and Keras": ROWS,
    "adamax from torch and optax": TORCH,
    "adamaxw from optax": ROWS,
    "adan from optax": OPTAX + "test_adan_in_optax_looks_ahead_by_the_wrong_share",
    "adasecant from the papers": "methods/oracle_tests/test_adasecant_twice.py::test_later_form",
    "ademamix from optax": ROWS,
    "amsgrad from torch": TORCH,
    "amsgrad from Keras": "stages/test_averages.py::test_amsgrad_with_keras_epsilon",
    "asgd from torch": "methods/oracle_tests/test_against_torch.py::test_asgd",
    "cocob from the authors' code and optax": FREE + "test_cocob_of_optax_goes_back_at_a_rate_of_zero",
    "dadapt_adam from the authors' code": FREE + "test_same_walk",
    "dadapt_adam from optax": ROWS,
    "dowg from the authors' code and optax": ROWS,
    "fromage from optax": ROWS,
    "galore from optax": OPTAX + "test_galore_in_optax_projects_the_longer_side",
    "lamb from optax": ROWS,
    "lars from optax": ROWS,
    "lbfgs from torch.optim.LBFGS": "methods/oracle_tests/test_lbfgs.py::test_the_points_are_torchs",
    "lion from optax": ROWS,
    "madgrad from the authors' code and optax": OPTAX + "test_madgrad_adds_eps_to_the_rate",
    "mechanic from optax": "methods/oracle_tests/test_against_optax_wrapped.py::test_mechanic_in_optax_is_the_authors",
    "momentum from torch.optim.SGD": TORCH,
    "momo from optax": FREE + "test_momos_step_is_the_least_of_model_and_penalty",
    "momo_adam from optax": FREE + "test_momos_step_is_the_least_of_model_and_penalty",
    "muon from torch": "methods/test_beside_torch.py::test_muon_is_torchs",
    "muon from optax": "methods/oracle_tests/test_against_optax_wrapped.py::test_muon",
    "nadam from torch.optim.NAdam": TORCH,
    "nadamw from torch.optim.NAdam with decoupled_weight_decay": ROWS,
    "novograd from optax": ROWS,
    "optimistic_adam from optax": "methods/oracle_tests/test_against_optax.py::test_same_walk",
    "polyak_sgd from optax": ROWS,
    "prodigy from the authors' code": FREE + "test_same_walk",
    "prodigy from optax": ROWS,
    "radam from torch": TORCH,
    "radam from optax": OPTAX + "test_radam_begins_at_the_threshold",
    "rmsprop from Keras and optax": ROWS,
    "rprop from optax": OPTAX + "test_rprop_in_optax_steps_one_update_late",
    "sm3 from optax": OPTAX + "test_sm3_as_optax_ships_it",
    "sophia from optax": OPTAX + "test_sophia_in_optax_steps_before_it_looks",
    "sparse_adam from torch": "methods/oracle_tests/test_against_torch.py::test_sparse_adam",
    "yogi from optax": OPTAX + "test_yogi_in_optax_drifts_without_a_gradient",
}
"""The test of each difference for which `tests/papers` has no row in its name: "qhadam authors" is how qhadam differs from
the authors' code."""
ROW_NAMES = {case.name for case in CASES}
SENTENCE = re.compile(r"Differs from ([^:]+):")


def sentences(method: tw.Rule) -> list[str]:
    """From whom a method's documentation says that it differs. A "Differs from" that names nobody is one too."""
    text = " ".join((method.doc or "").split())
    named = SENTENCE.findall(text)
    assert len(named) == text.count("Differs from"), f"{method.name}: Differs from whom? Put a colon behind the name"
    return named


def has_its_row(sentence: str) -> bool:
    """Whether a row of `tests/papers` walks with the options that the sentence names, and is called so."""
    rule, _, whom = sentence.partition(" from ")
    return f"{rule} {whom.removeprefix('the ').removesuffix(chr(39) + ' code')}" in ROW_NAMES


def test_each_sentence_has_its_test_and_each_test_its_sentence() -> None:
    said = {f"{name} from {whom}" for name, method in {**rules, **stages_by_name}.items() for whom in sentences(method)}
    untold = {sentence for sentence in said - SHOWN.keys() if not has_its_row(sentence)}
    assert untold == set(), "these have no test; name a row of tests/papers for them, or write one, and its name into SHOWN"
    assert SHOWN.keys() - said == set(), "these are said nowhere any more"


@pytest.mark.parametrize("sentence", SHOWN)
def test_the_test_is_there_and_is_about_the_rule(sentence: str) -> None:
    file, _, test = SHOWN[sentence].partition("::")
    text = (TESTS / file).read_text()
    assert f"def {test}(" in text
    rule = sentence.partition(" ")[0]
    if SHOWN[sentence] == ROWS:
        text = (TESTS.parent / "src/thalweg/dialects/optax.py").read_text()
        text += (TESTS.parent / "src/thalweg/dialects/optax_contrib.py").read_text()
    words = {rule, rule.replace("dadapt_adam", "dadapt"), rule.partition("_")[0], rule.replace("_", "").lower()}
    assert any(word in text.lower() for word in words), f"{SHOWN[sentence]} does not speak of {rule}"


def test_what_is_said_not_to_be_here_is_not() -> None:
    """docs/migrating.md: no name in its list of what is missing is a rule's, a stage's, or that of a way to round."""
    text = (TESTS.parent / "docs" / "migrating.md").read_text().partition("## Not here")[2]
    missing = text.partition("Here as their papers state them")[0]
    here = {re.sub("[^a-z0-9]", "", name.lower()) for name in (*rules, *stages_by_name)} | {"dadaptation", *ROUNDINGS}
    plain = {re.sub("[^a-z0-9]", "", word.lower()) for word in re.findall(r"[\w-]+", missing)}
    excused = {"muon", "sam", "schedulefree"}  # options of theirs are missing, as the text says
    excused |= {"lookahead"}  # Zhang et al. 2019; `look_ahead` is Nesterov's
    assert (plain & here) - excused == set()
    there = {
        re.sub("[^a-z0-9]", "", w.lower()) for w in re.findall(r"[\w-]+", text.partition("with theirs: ")[2].partition(".")[0])
    }
    assert there - {"and"} <= here
