"""The documentation site: `make docs` builds the pages of this folder into build/docs.

Pages are Markdown (MyST) that also reads well on a code host. The reference is made from the docstrings: a page names a
package, what appears is the package's ``__all__``.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the reference imports the package of this checkout

import hqm_mmdet  # noqa: E402  before mmdet, which autodoc imports along with the package

project = "hqm_mmdet"
release = version = hqm_mmdet.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
# The notebook is run anew by every build: outputs are never older than the code, and an error stops the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300  # seconds
nb_merge_streams = True
myst_heading_anchors = 3  # links such as data.md#v-coco

highlight_language = "none"  # of blocks that name no language: trees, tables, diagrams

html_theme = "furo"  # its fonts are the system's; a built page asks no other machine for anything
html_title = f"hqm_mmdet {release}"
html_show_copyright = html_show_sourcelink = False
html_show_search_summary = False  # it would fetch pages, which browsers refuse for files
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_inherit_docstrings = False  # mmdet's and torch's docstrings stay where they are
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
add_module_names = False
python_maximum_signature_line_length = 90
autosummary_generate = False
napoleon_use_rtype = False
toc_object_entries_show_parents = "hide"


def add_overview(app, what, name, obj, options, lines) -> None:
    """Below the docstring of a package, a table of its classes and functions."""
    members = [member for member in getattr(obj, "__all__", ()) if callable(getattr(obj, member))]
    if what == "module" and members:
        lines += ["", ".. autosummary::", "   :nosignatures:", "", *(f"   {member}" for member in members), ""]


def setup(app) -> None:
    """Hooks of the build."""
    app.connect("autodoc-process-docstring", add_overview)
