"""The one place where the dashboard tells its user what went wrong."""

from __future__ import annotations

import functools
import logging
from collections import deque
from datetime import datetime
from html import escape

import ipywidgets as widgets

from lumbar_utils.dataset import LumbarError

KEPT = 20
QUIET = "Nothing went wrong so far."


class Log:
    """A panel of sentences, the newest first.

    `widget` is what to show. Every callback of the dashboard goes through `watch`: Voila shows no traceback,
    so an error that nobody catches would leave a page that silently does nothing.
    """

    def __init__(self):
        self._lines = deque(maxlen=KEPT)
        self.widget = widgets.HTML()
        self.widget.add_class("lumbar-log")
        self._show()

    def tell(self, sentence: str) -> None:
        """Add a sentence in plain text."""
        self._lines.appendleft((datetime.now(), sentence))
        self._show()

    def watch(self, callback):
        """Return `callback` such that its errors become sentences here and the dashboard goes on working."""

        @functools.wraps(callback)
        def watched(*arguments, **options):
            try:
                return callback(*arguments, **options)
            except LumbarError as error:
                self.tell(str(error))
            except Exception as error:  # the boundary between our code and the page: nothing may pass it
                logging.getLogger("lumbar_utils.dashboard").debug("in a callback", exc_info=True)
                self.tell(
                    f"The dashboard could not do that ({type(error).__name__}: {' '.join(str(error).split())}); "
                    "the rest of the page goes on working: please report it with what you did."
                )

        return watched

    def _show(self) -> None:
        if not self._lines:
            body = f'<p class="lumbar-quiet">{QUIET}</p>'
        else:
            items = "".join(
                f"<li><time>{when:%H:%M:%S}</time> {escape(sentence)}</li>" for when, sentence in self._lines
            )
            body = f"<ul>{items}</ul>"
        self.widget.value = (
            f'<section aria-live="polite" aria-label="Messages"><h2>Messages</h2>{body}</section>'
        )
