"""Docstrings on the site: rows of `name : what it is` become a list, as they read in a terminal.

mkdocs calls this (see mkdocs.yml).
"""

from __future__ import annotations

import re

import griffe

ROW = re.compile(r"^(?P<names>[\w*]+(?:, ?[\w*]+)*) +: +(?P<what>.*)$", re.MULTILINE)


class Rows(griffe.Extension):
    def on_object(self, *, obj: griffe.Object, **_others: object) -> None:
        if obj.docstring is None:
            return
        text = re.sub(r"\n +", lambda found: "\n" if len(found[0]) < 6 else " ", obj.docstring.value)
        obj.docstring.value = ROW.sub(lambda row: f"- `{row['names']}`: {row['what']}", text)
