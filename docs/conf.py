"""Sphinx's settings for the site; `python tools/book.py` builds it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import thalweg

project, author, release = "thalweg", "The thalweg authors", thalweg.__version__
copyright = author
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_static", "_extra"]
source_suffix = {".md": "markdown"}
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]  # types in signatures are words of NumPy, torch and the field, not links

myst_enable_extensions = ["colon_fence", "attrs_inline", "attrs_block"]
myst_heading_anchors = 4
autosummary_generate = False
suppress_warnings = [
    "myst.header",  # a page whose table has a heading of the third level first
    "misc.highlighting_failure",
]

autodoc_typehints = "none"
autodoc_member_order = "bysource"
default_role = "code"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
add_module_names = False

html_theme = "furo"
html_title = "thalweg"
html_static_path = ["_static"]
html_extra_path = ["_extra"]  # pages that are whole as they are
html_css_files = ["book.css"]
html_js_files = ["catalogue.js"]
html_show_sourcelink = False
html_copy_source = False
html_show_search_summary = False  # a summary is fetched, which a browser refuses to a page from disk
html_theme_options: dict[str, Any] = {
    "navigation_with_keys": True,
    "light_css_variables": {"color-brand-primary": "#0b5cad", "color-brand-content": "#0b5cad"},
    "dark_css_variables": {"color-brand-primary": "#7db8f5", "color-brand-content": "#7db8f5"},
}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def links(app: Any, docname: str, source: list[str]) -> None:
    """A link to a folder of the repository, or to a page outside docs/, is its name here: the site does not have it."""
    here = Path(app.srcdir) / docname

    def told(found: re.Match[str]) -> str:
        target = here.parent / found[2].partition("#")[0]
        return found[1] if target.is_dir() or target.suffix == ".md" else found[0]

    source[0] = re.sub(r"(?<!!)\[([^\]\n]+)\]\((\.\./[^)\s]+)\)", told, source[0])


def plain(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Docstrings are plain text with code in backticks: bars are absolute values, and stars products."""
    for i, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...", "*")):
            parts = line.split("`")
            lines[i] = "`".join(re.sub(r"([|*])", r"\\\1", part) if k % 2 == 0 else part for k, part in enumerate(parts))


def reachable(app: Any, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Code and tables that scroll can be scrolled by keyboard, and the headings of the contents have a level."""
    body = context.get("body", "").replace("<pre>", '<pre tabindex="0">')
    context["body"] = body.replace('<div class="table-wrapper colwidths', '<div tabindex="0" class="table-wrapper colwidths')
    for name in ("furo_navigation_tree", "toctree"):
        if isinstance(context.get(name), str):
            context[name] = context[name].replace('role="heading"', 'role="heading" aria-level="2"')


def setup(app: Any) -> None:
    """Connect what is ours."""
    app.connect("source-read", links)
    app.connect("autodoc-process-docstring", plain, priority=100)  # before numpydoc reads it
    app.connect("html-page-context", reachable, priority=900)
