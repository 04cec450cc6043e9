"""One line of the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warn", "bad"]
"""`warn`: the program does without, or does worse; `bad`: what every use needs, or what was named, is not there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and what was found."""

    what: str
    verdict: Verdict
    detail: str
    remedy: str = ""
    """What a person can do about it; empty where all is well."""
