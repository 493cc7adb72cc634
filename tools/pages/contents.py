"""The order of the site's pages. Sphinx warns of a page that is in none of these, and a warning is an error."""

from __future__ import annotations

from pathlib import Path

CONTENTS = {
    "Start": ("install", "networks", "playing", "choosing"),
    "Optimizers": ("optimizers/index", "optimizers/tree"),
    "Use": ("pytorch", "jax", "keras", "migrating", "rules", "routing", "states"),
    "The lab": ("lab", "training", "engines"),
    "Evidence": ("conformance", "verify", "performance", "gallery"),
    "Reference": ("reference/index",),
}
"""The pages by the heading above them; those that are not there are left out."""


def contents(docs: Path) -> str:
    """The tables of contents, as Markdown for the end of the first page."""
    return "\n".join(
        f"```{{toctree}}\n:caption: {title}\n:hidden:\n\n" + "\n".join(there) + "\n```\n"
        for title, pages in CONTENTS.items()
        if (there := [name for name in pages if (docs / f"{name}.md").is_file()])
    )
