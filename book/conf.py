"""Sphinx's settings of the book; `make book` copies them beside the executed lessons."""

project = "Deep learning for the lumbar spine"
author = "the course's authors"
extensions = ["myst_nb"]
nb_execution_mode = "off"  # make_book.py has run the lessons
nb_ipywidgets_js = {}  # no script from another host
nb_code_prompt_show = "A worked solution"
nb_code_prompt_hide = "Fold the solution"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
myst_update_mathjax = False
mathjax_path = "mathjax/MathJax.js?config=TeX-AMS-MML_HTMLorMML-full"  # the page's own copy
# of its fonts, the package that brings MathJax has STIX only
mathjax2_config = {
    "HTML-CSS": {"availableFonts": [], "imageFont": None, "preferredFont": None, "webFont": "STIX-Web"}
}
html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_js_files = ["plotly.min.js"]
html_copy_source = False
html_show_sphinx = False
suppress_warnings = ["mystnb.unknown_mime_type"]
