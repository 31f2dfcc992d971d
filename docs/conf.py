"""How Sphinx builds the site: `make docs`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sphinx.domains.python import PyObject

from docs.generate import docstrings, pages

project = "hybrid"
author = "the authors of hybrid"
html_title = "hybrid"
exclude_patterns = ["generate", "static"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3

default_role = "py:obj"  # `name` in a docstring links to the name where it is documented
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_use_rtype = False
napoleon_use_ivar = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_static_path = ["static"]
html_js_files = ["search_in_files.js"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"


for field in PyObject.doc_field_types:
    if field.name == "variable":
        field.label = "Attributes"  # the word that the docstrings have


def setup(app):
    """Fill in what is generated from the code, and make its docstrings readable to Sphinx."""
    app.connect("source-read", pages.fill_in)
    app.connect("autodoc-process-docstring", docstrings.escape, priority=100)
    app.connect("autodoc-process-signature", docstrings.short)


suppress_warnings = ["ref.python"]  # two classes are called Device: a machine as a value, and a backend
