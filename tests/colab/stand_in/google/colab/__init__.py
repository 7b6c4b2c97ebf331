"""Stands in for Colab's own package, so that the course takes the paths that it takes there."""
