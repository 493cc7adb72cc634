"""What the sweep's tests have their workers do: a module of its own, as processes find functions by name."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any


def squares(wanted: Sequence[dict[str, Any]]) -> list[int]:
    return [what["n"] ** 2 for what in wanted]


def slow_squares(seconds: float, notes: str, wanted: Sequence[dict[str, Any]]) -> list[int]:
    """Notes who it is in a file, so that a test can kill it at work."""
    (Path(notes) / str(os.getpid())).touch()
    time.sleep(seconds)
    return squares(wanted)


def exits_at_3(wanted: Sequence[dict[str, Any]]) -> list[int]:
    if any(what["n"] == 3 for what in wanted):
        os._exit(7)
    return squares(wanted)


def later_exits_at_3(wanted: Sequence[dict[str, Any]]) -> list[int]:
    """dask's nanny starts no process again that ended before it had been told of its beginning."""
    time.sleep(3)
    return exits_at_3(wanted)


def always_exits(wanted: Sequence[dict[str, Any]]) -> list[int]:
    os._exit(7)


def is_killed_at_3(wanted: Sequence[dict[str, Any]]) -> list[int]:
    if any(what["n"] == 3 for what in wanted):
        os.kill(os.getpid(), signal.SIGSEGV)
    return squares(wanted)


def dies_once(notes: str, wanted: Sequence[dict[str, Any]]) -> list[int]:
    """Of memory that was short for a moment, say."""
    died = Path(notes) / "died"
    if not died.exists():
        died.touch()
        os._exit(1)
    return squares(wanted)


class Deadly(list[int]):
    """A list that ends whichever process sends it off."""

    def __reduce__(self) -> Any:
        os._exit(7)


def is_lost_on_its_way(notes: str, wanted: Sequence[dict[str, Any]]) -> list[int]:
    """Done once, its process dying as the result is fetched; from then on its process dies at once."""
    if (Path(notes) / "lost").exists():
        time.sleep(3)  # as above
        os._exit(7)
    (Path(notes) / "lost").touch()
    return Deadly(squares(wanted))


def dies_amid_its_result(wanted: Sequence[dict[str, Any]]) -> list[int]:
    """Half of it is written."""

    def half(self: Connection, data: Any, *_: Any) -> None:
        os.write(self.fileno(), bytes(data)[: len(data) // 2])
        os._exit(7)

    Connection._send = half  # type: ignore[attr-defined]
    return squares(wanted)


def leaves_a_process_behind(wanted: Sequence[dict[str, Any]]) -> list[int]:
    """And dies; the other has inherited whatever its parent had open."""
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
    os._exit(7)


def hangs(wanted: Sequence[dict[str, Any]]) -> list[int]:
    while True:
        time.sleep(1000)


def prints(wanted: Sequence[dict[str, Any]]) -> list[int]:
    print("here I am")
    print("and here", file=sys.stderr)
    os.write(1, b"past Python's own streams")
    return squares(wanted)


def prints_and_raises(wanted: Sequence[dict[str, Any]]) -> list[int]:
    prints(wanted)
    raise ValueError("enough")


def prints_and_exits(wanted: Sequence[dict[str, Any]]) -> list[int]:
    print("\n".join(f"line {i}" for i in range(100_000)))
    print("\x1b[31m 10 %|#   |\r 20 %|##  |\r\n" + 300 * "long ")
    os._exit(7)


def prints_and_hangs(wanted: Sequence[dict[str, Any]]) -> list[int]:
    print("in a moment")
    return hangs(wanted)


def leaves(wanted: Sequence[dict[str, Any]]) -> list[int]:
    sys.exit(4)


def interrupts(wanted: Sequence[dict[str, Any]]) -> list[int]:
    raise KeyboardInterrupt


def says_nothing(wanted: Sequence[dict[str, Any]]) -> None:
    return None


def one_too_few(wanted: Sequence[dict[str, Any]]) -> list[int]:
    return squares(wanted)[1:]


def not_to_be_sent(wanted: Sequence[dict[str, Any]]) -> list[Any]:
    return [lambda: 1 for _ in wanted]
