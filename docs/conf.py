"""How `make docs` makes the site."""

from __future__ import annotations

import inspect
import sys
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

project = "async-oauth1"
author = "the async-oauth1 authors"
release = version = version_of(project)

sys.path.insert(0, str(Path(__file__).parent))  # for llms.py
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_design", "llms"]
html_theme = "furo"
html_title = f"{project} {version}"

myst_enable_extensions = ["colon_fence"]  # code hosts show what is in such a block as usual
# Headings can be linked to, as they can on a code host.
myst_heading_anchors = 3

default_role = "py:obj"
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_use_ivar = True  # a record's attributes are described once
# A name that two public modules export, such as ResourceProtector, has several targets; each of them is right.
suppress_warnings = ["ref.python"]


def show_call(_app: Any, _what: str, _name: str, found: Any, *_: Any) -> tuple[str, str] | None:
    """Show how a hook is called: a Protocol's own signature is ``(*args, **kwargs)``."""
    if not getattr(found, "_is_protocol", False):
        return None
    if "__call__" not in vars(found):
        return "", ""
    call = inspect.signature(found.__call__)
    _self, *parameters = call.parameters.values()
    arguments = str(call.replace(parameters=parameters, return_annotation=call.empty)).replace("'", "")
    return arguments, str(call.return_annotation)


def setup(app: Any) -> None:
    """Register the function above."""
    app.connect("autodoc-process-signature", show_call)
