"""Everything that can go wrong and that a person can do something about.

    AnimatorError
      +- SourceError      a camera, file, folder, URL or take cannot be read
      +- SinkError        an output cannot be written
      +- ModelError       the face model file is missing, damaged or cannot be fetched
      +- TrackingError    the face tracker cannot start
      +- TakeError        a take breaks its file contract
      +- ProtocolError    bytes that break a protocol
      +- RigError         an avatar is unknown or breaks its format
      +- RenderError      no OpenGL, or a picture cannot be drawn
      +- SettingError     a setting is outside its range
      +- ShapeError       an array has another shape than its contract says

The message of each says what was wanted, what came, and the remedy, in one line: the command line
prints it as it is and exits with code 2.
"""

from __future__ import annotations

MOST_LETTERS = 800
"""Of a message. What a stranger's file says of itself may be quoted in it, at any length."""

class AnimatorError(Exception):
    """The root: catch this to catch every error that the package raises on purpose."""

    def __str__(self) -> str:
        """One line that a terminal can be given, whatever is quoted in it: no letter in it commands anything."""
        line = " ".join(super().__str__().split())
        if len(line) > MOST_LETTERS:
            line = f"{line[: MOST_LETTERS * 3 // 4]} ... {line[-MOST_LETTERS // 4 :]}"
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


class SourceError(AnimatorError):
    """A camera, file, folder, URL or take cannot be read."""


class SinkError(AnimatorError):
    """An output cannot be written."""


class ModelError(AnimatorError):
    """The face model file is missing, damaged or cannot be fetched."""


class TrackingError(AnimatorError):
    """The face tracker cannot start."""


class TakeError(AnimatorError):
    """A take breaks its file contract."""


class ProtocolError(AnimatorError):
    """Bytes that break a protocol, or motion that a protocol cannot carry."""


class RigError(AnimatorError):
    """An avatar is unknown or breaks its format."""


class RenderError(AnimatorError):
    """No OpenGL, or a picture cannot be drawn."""


class SettingError(AnimatorError):
    """A setting is outside its range."""


class ShapeError(AnimatorError):
    """An array has another shape than its contract says."""
