"""Which rule of ours another library's optimizer is, or is meant to be."""

from __future__ import annotations

from thalweg.dialects.by_rule import by_rule, differing
from thalweg.dialects.method import LIBRARIES, dialect


def test_by_its_name_or_by_what_it_is_made_of() -> None:
    found = {(method.library, method.name): rule for rule, methods in by_rule().items() for method in methods}
    assert found["keras", "Nadam"] == found["torch", "NAdam"] == "nadam"
    assert found["timm", "Lamb"] == "lamb"
    assert found["timm", "RMSpropTF"] == "rmsprop"
    every = {(library, name) for library in LIBRARIES for name in dialect(library)}
    assert found.keys() <= every
    assert len(found) > 0.9 * len(every)


def test_what_differs_is_what_the_dialects_say() -> None:
    told = differing("adam")
    assert f"keras.Adam: {dialect('keras').Adam.differs}" in told
    assert not [line for line in told if line.startswith("torch.Adam:")], "torch's is the paper's"
