"""Text of others', so that it can be shown."""

from __future__ import annotations

import re

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that steer a terminal, or stand for bytes that are no text; line ends and tabs are left."""


def plain(text: str) -> str:
    """The text without what steers a terminal, or stands for bytes that are no text."""
    return CONTROLS.sub("\ufffd", text)
