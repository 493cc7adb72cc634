"""Make foreign text safe to show."""

from __future__ import annotations

import re

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, and stand-ins for bytes that are not text, except line ends and tabs."""


def plain(text: str) -> str:
    """The text without control characters and stand-ins for bytes that are not text."""
    return CONTROLS.sub("\ufffd", text)
