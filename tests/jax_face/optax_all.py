"""Every one of optax's own tests of the optimizers that are ours: `python -m pytest tests/jax_face/optax_all.py`."""

import os

os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"

from .optax_suites import BESIDE, ON_OURS, suite


def titled(file: str, case: str) -> str:
    """The name by which a run tells one file's tests from another's."""
    return f"{file.rpartition('/')[2].removesuffix('_test.py').strip('_')}_{case}"


for _file, _case, _lists, _without in ON_OURS:
    _title = titled(_file, _case)
    globals()[f"{_title}_too" if _title in globals() else _title] = suite(_file, _case, _lists, _without)
for _file, _case, _without in BESIDE:
    globals()["beside_" + titled(_file, _case)] = suite(_file, _case, without=_without)
