"""The exercises of each lesson: a judge that says why, and hints."""
