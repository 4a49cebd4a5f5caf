"""Readers of request traces, one file a format; the file's name is the format's.

Each has `NEEDS`, what a trace of the format looks like, `matches(head)`, whether a file that begins with `head` is
one, and `load(path)`, the frame it holds (before `columns.checked`). A new format is one new file.
"""
