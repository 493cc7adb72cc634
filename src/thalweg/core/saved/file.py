"""A record in a file of the safetensors format.

The tensors are "param/NAME", "memory/STAGE/SLOT/NAME" for a slot with an array per parameter, "memory/STAGE/SLOT" for a number of
the whole model, "walked/NAME" and "accumulated/NAME". The file's text "thalweg" is JSON: the format, the version that wrote it,
the rule, its settings, the counts of updates, and which parameters each slot has memory of.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np

from thalweg.core.saved.record import MORE, Record
from thalweg.values.arrays import framework
from thalweg.values.tensor_files import CHECKSUM, bits_of, read, write

FORMAT = 1
TEXT = "thalweg"


def save(path: str | os.PathLike[str], record: Record) -> None:
    """Write a record. The file appears whole or not at all."""
    header = {
        "format": FORMAT,
        "version": sys.modules["thalweg"].__version__,
        "rule": record.rule,
        "methods": record.methods,
        "settings": record.settings,
        "counts": record.counts,
        "slots": {"/".join(place): list(held) for place, held in record.slots.items()},
        "numbers": ["/".join(place) for place in record.numbers],
        **record.more,
    }
    tables = {("param",): record.params, **record.slots}
    arrays = {"/".join((*place, name)): x for place, held in tables.items() for name, x in held.items()}
    arrays |= {"/".join(place): x if framework(x) is not None else np.asarray(x) for place, x in record.numbers.items()}
    write(path, {name: bits_of(x) for name, x in arrays.items()}, {TEXT: json.dumps(header, allow_nan=False)})


def load(path: str | os.PathLike[str]) -> Record:
    """Return the record of a file, its arrays as bits. Raises ValueError, in one sentence, for what is no such file."""
    tensors, told = read(path)
    file = Path(path).name
    if TEXT not in told:
        raise ValueError(f"{file} is a safetensors file, but not one of an optimizer's state, which save_state writes")
    if CHECKSUM not in told:
        raise ValueError(f"{file} is damaged: its checksum is missing")
    header = json.loads(told[TEXT])
    if header["format"] > FORMAT:
        raise ValueError(
            f"{file} is in format {header['format']}, written by thalweg {header['version']}; this one reads up to {FORMAT}"
        )
    try:
        slots = {tuple(slot.split("/")): {n: tensors[f"{slot}/{n}"] for n in held} for slot, held in header["slots"].items()}
        return Record(
            rule=header["rule"],
            params={name: tensors[f"param/{name}"] for name in header["counts"]},
            counts=header["counts"],
            slots=slots,
            numbers={tuple(place.split("/")): tensors[place] for place in header["numbers"]},
            methods=header["methods"],
            settings=header["settings"],
            more={word: header[word] for word in (*MORE, "key") if word in header},
        )
    except KeyError as error:
        raise ValueError(f"{file} is damaged: it has no {error}, of which its header speaks") from error
