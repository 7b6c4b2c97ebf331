"""One case as an HTML file that a visitor saves: picture, answers, heat maps, and what they are for."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path

import lumbar_utils
from lumbar_utils.phantom import PHANTOM_VERSION

STYLE = Path(__file__).with_name("style.css")
FILE = "lumbar_case.html"


def report_html(*parts: str) -> str:
    """Return a page of its own that holds `parts` of the panel, with its style and the versions."""
    cards = "".join(f'<section class="lumbar-card">{part}</section>' for part in parts if part)
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A case of the lumbar course</title>'
        f"<style>{STYLE.read_text(encoding='utf-8')} body {{ margin: 0; }} section {{ margin-top: 16px; }}"
        f'</style></head><body><main class="lumbar-dashboard"><h1>A case of the lumbar course</h1>{cards}'
        f"<p>lumbar_utils {escape(lumbar_utils.__version__)}, phantom version {escape(PHANTOM_VERSION)}.</p>"
        "</main></body></html>"
    )


def download_html(page: str) -> str:
    """Return a link that saves `page`; the file travels inside the link, and nothing is kept on the server."""
    content = base64.b64encode(page.encode()).decode()
    return (
        f'<a class="lumbar-download" download="{FILE}" href="data:text/html;base64,{content}">Save {FILE} '
        f"({len(page) / 1e6:.1f} MB)</a>"
    )
