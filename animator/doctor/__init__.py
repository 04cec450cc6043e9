"""What this machine can and cannot do, thing by thing, each with a verdict and the remedy."""

from .examining import Wishes, examine
from .findings import Finding, Verdict

__all__ = ["Finding", "Verdict", "Wishes", "examine"]
