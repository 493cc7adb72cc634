"""What a report says of the blocks of a comparison: what was counted, and what the verdict is about."""

from __future__ import annotations

from collections.abc import Mapping

from thalweg.lab.protocol.blocks import BLOCKS
from thalweg.lab.report.schema.optimizer import Row
from thalweg.lab.report.schema.problem import ProblemSettings, Split
from thalweg.lab.user.source import Source
from thalweg.values.numerals import typed


def split_of(source: Source) -> Split:
    """Who splits the data."""
    if source.splits:
        return "ours"
    return "theirs" if source.train is not None or source.own_problem else "none"


def unit(blocks: int) -> str:
    """What intervals and tests are over: "seeds", or "blocks" where there are several."""
    return "blocks" if blocks > 1 else "seeds"


def counted(settings: ProblemSettings) -> str:
    """The number of seeds or blocks in words: "15 seeds"."""
    found, many = unit(settings["blocks"]), settings["blocks"] if settings["blocks"] > 1 else settings["seeds"]
    return f"{many} {found if many != 1 else found[:-1]}"


def scope(settings: ProblemSettings) -> str:
    """What the verdict is about: one setting on one split, or the tuning, and the split, too."""
    blocks, split = settings["blocks"], settings["split"]
    if blocks > 1:
        told = "tuning and split vary" if split == "ours" else "tuning varies"
        return f"The verdict includes how {told}: each of {blocks} blocks was {anew(split)}{AS_YOURS[split]}."
    where = {"ours": ", on this split of the data", "theirs": ", on this split of your data", "none": ""}[split]
    other = "tuning or split" if split == "ours" else "tuning"
    return f"The verdict is about this setting{where}; it may differ for another {other}, which --blocks {BLOCKS} includes."


def anew(split: Split) -> str:
    """What is done again in each block."""
    return "tuned and split anew" if split == "ours" else "tuned anew"


AS_YOURS: Mapping[Split, str] = {"ours": "", "none": "", "theirs": ", on the data as your own code splits them"}


def sentences(blocks: int, split: Split) -> list[str]:
    """The protocol of several blocks in words."""
    if blocks == 1:
        return []
    data = {
        "ours": "the data are split anew into training, validation and test data",
        "theirs": "the data are split as your own code splits them (a training function finds the block in trial.block)",
        "none": "there are no data to split",
    }[split]
    return [
        f"All of this is done {blocks} times, in blocks. In each block every optimizer is tuned anew, with other tuning seeds "
        "and other draws; a grid of learning rates is shifted by a part of its step, which is the same for all optimizers. The "
        f"chosen setting and the untuned one are judged on other seeds, and {data}. An optimizer's score in a block is the mean "
        f"over its judging seeds there. Intervals, ranks and tests are over the {blocks} blocks, paired, and so include how "
        f"{'tuning and split vary' if split == 'ours' else 'tuning varies'}. Curves and shares are of the runs of all blocks."
    ]


def method(settings: ProblemSettings) -> list[str]:
    """The same for a paper."""
    blocks, split = settings["blocks"], settings["split"]
    if blocks == 1:
        return []
    return [
        f"All of this was repeated in {blocks} blocks, each {anew(split)} with other seeds; scores are means over a block's "
        "seeds, and intervals and tests are over blocks."
    ]


def rates(row: Row) -> str:
    """The chosen learning rate; where blocks chose several, the middle one and their range: `0.97 [0.78, 1.6]`."""
    chosen = _chosen(row)
    return typed(row["best_lr"]) if len(chosen) < 2 else f"{row['best_lr']:.2g} [{chosen[0]:.2g}, {chosen[-1]:.2g}]"


def rate(row: Row) -> str:
    """The same in a sentence."""
    chosen = _chosen(row)
    if len(chosen) < 2:
        return typed(row["best_lr"])
    return f"{row['best_lr']:.2g} ({chosen[0]:.2g} to {chosen[-1]:.2g} in {len(row['best_settings'])} blocks)"


def _chosen(row: Row) -> list[float]:
    """The learning rates that blocks chose; none in results that were written before there were blocks."""
    return sorted({each["lr"] for each in row.get("best_settings", ())})
