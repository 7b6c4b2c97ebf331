"""The dashboard: compare stored results, and diagnose one picture, without TensorFlow.

`build()` makes the page that the last notebook shows; `serve` starts it as a website on this machine.
"""

INTENDED_USE = (
    "Teaching software, not a medical device: its answers must not enter any decision about a patient."
)


def build():
    """Return the dashboard's root widget (ipywidgets), ready to be a notebook cell's last value."""
    # imported here, so that the server process, which only starts kernels, stays without plotly and pandas
    from .app import build as build_app

    return build_app()
