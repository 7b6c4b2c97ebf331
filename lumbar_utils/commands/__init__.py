"""The verbs of the command line, a file a kind; each verb's options stand beside what it does.

A file's `add_verbs(verb)` calls `verb(name, run, help)` for each, and adds options to the parser that it returns.
Nothing heavy is imported before a verb runs.
"""
