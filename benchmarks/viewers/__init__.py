"""Parts of `benchmarks.dashboard`: servers to visit, one viewer in a browser, and a crowd."""
