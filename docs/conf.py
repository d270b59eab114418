"""How the documentation is built: `make docs`. On GitHub the pages read well without it."""

from __future__ import annotations

import sys
from pathlib import Path

# The pages of the streams and the diagrams are made by modules beside this folder.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

project = "tap-pinterest"
extensions = ["myst_parser", "sphinx_copybutton", "scripts.diagrams", "scripts.stream_pages"]
html_theme = "furo"
html_title = "tap-pinterest"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
# Pages link to each other's headings as GitHub names them.
myst_heading_anchors = 4
# GitHub draws fenced blocks of this kind, and so does the site, without a network.
myst_fence_as_directive = ["mermaid"]
nitpicky = True
# index.rst takes in the overview that GitHub shows for this folder; a Hub definition is no page.
exclude_patterns = ["README.md", "hub", "_build"]
