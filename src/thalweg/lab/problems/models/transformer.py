"""A small language model on real text."""

import numpy as np

from thalweg import nn
from thalweg.lab.data.parts import Part
from thalweg.lab.data.supervised import Supervised
from thalweg.lab.data.task import TEXT
from thalweg.lab.data.text import SOURCE, passages, topics
from thalweg.lab.protocol.blocks import shift

CONTEXT, WIDTH, HEADS, INNER = 32, 32, 2, 64


def problem(block: int = 0) -> Supervised:
    text = topics()
    symbols = sorted(set(text))
    number = {symbol: i for i, symbol in enumerate(symbols)}
    codes = np.array([number[symbol] for symbol in text], np.uint8)
    train, validation, test = (
        Part(run[:, :-1], run[:, 1:].astype(np.int64)) for run in passages(codes, CONTEXT + 1, shift(block))
    )
    layers: list[nn.Layer] = [
        nn.Embedding(len(symbols), WIDTH), nn.Positions(),
        nn.Residual((nn.LayerNorm(), nn.Attention(HEADS))),
        nn.Residual((nn.LayerNorm(), nn.EachPlace(nn.Linear(INNER)), nn.ReLU(), nn.EachPlace(nn.Linear(WIDTH)))),
        nn.LayerNorm(), nn.EachPlace(nn.Linear(len(symbols), weights=nn.lecun())),
    ]  # fmt: skip
    about = (
        f"{SOURCE}, {len(text):,} characters, {len(symbols)} different ones. Network: a transformer of one block, {WIDTH} wide, "
        f"{HEADS} heads, {INNER} ReLU units, that predicts each of {CONTEXT} from those before; {len(train.x):,} "
        "passages from the first four fifths to train on, some from the next tenth to tune on and from the last to judge on. "
        "Cross-entropy; score: bits per character."
    )
    return Supervised("transformer", about, train, validation, test, layers, task=TEXT, steps=200, batch_size=16)
