"""Sphinx reads this beside the pages; what differs from build to build comes in COURSE_SITE (see `_build`)."""

from __future__ import annotations

import json
import os

_given = json.loads(os.environ["COURSE_SITE"])

project = _given["project"]
author = "the authors of the course"
language = "en"

extensions = ["myst_nb", "course_site._extension"]
exclude_patterns = ["_build"]
nb_execution_mode = "off"
nb_ipywidgets_js: dict = {}
# Standard error of a lesson is part of what it shows.
nb_output_stderr = "show"
# Every link was made to lead to a page or a heading before Sphinx sees it, and all are looked at when it is done.
myst_all_links_external = True
myst_heading_anchors = 0
suppress_warnings = ["mystnb.unknown_mime_type"]

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["predict.css", "course.css"]
html_js_files = [(name, {"defer": "defer"}) for name in ("predict.js", "course.js")]
html_copy_source = False
html_show_sourcelink = False
html_last_updated_fmt = None
html_show_copyright = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "home_page_in_toc": False,
    "show_navbar_depth": 1,
    "navbar_persistent": [],
    "extra_footer": "<p>Code: MIT. Prose and figures: CC BY 4.0.</p>",
}
course_launch = _given["launch"]
course_terms = _given["terms"]
