"""Colab's kernel has imported its own package before the first cell; this does the same."""

import google.colab  # noqa: F401
