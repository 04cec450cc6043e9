"""Session descriptions from strangers are looked over before anything is made for them."""

from __future__ import annotations

from aiortc.sdp import MediaDescription, SessionDescription

from ..errors import ProtocolError

MAX_SDP_BYTES = 64 * 1024
MAX_SECTIONS = 4
"""A camera, sound that nobody asked for, the data channels, and one to spare."""
MAX_CANDIDATES = 100
"""Each is an address that connectivity checks are sent to."""


def check_description(sdp: object, kind: object, want: str, *, need_video: bool = False) -> list[MediaDescription]:
    """The media sections of a description; raises ProtocolError where it is not one that we can work with.

    sdp        : the text
    kind       : its type as the other side named it
    want       : `offer` or `answer`
    need_video : whether one without video is refused"""
    if kind != want:
        raise ProtocolError(f"wanted a session description of type {want!r}, not {str(kind)[:40]!r}")
    if not isinstance(sdp, str):
        raise ProtocolError(f"the {want} must be text, not {type(sdp).__name__}")
    if len(sdp) > MAX_SDP_BYTES or len(sdp.encode(errors="replace")) > MAX_SDP_BYTES:
        raise ProtocolError(f"the {want} is larger than {MAX_SDP_BYTES // 1024} kB")
    try:
        description = SessionDescription.parse(sdp)
    except Exception as error:  # the parser meets nonsense with whatever the nonsense provokes
        raise ProtocolError(f"the {want} is not a session description that we can read") from error
    sections = description.media
    kinds = [section.kind for section in sections]
    if not kinds:
        raise ProtocolError(f"the {want} names no media: wanted a video or the data channels")
    if len(kinds) > MAX_SECTIONS or any(k not in ("audio", "video", "application") for k in kinds):
        raise ProtocolError(f"the {want} has other media than one video, sound and the data channels")
    if kinds.count("video") > 1 or kinds.count("application") > 1:
        raise ProtocolError(f"the {want} has more than one video or more than one section of data channels")
    if need_video and "video" not in kinds:
        raise ProtocolError(f"the {want} has no video")
    if not any(section.dtls and section.dtls.fingerprints for section in sections):
        raise ProtocolError(f"the {want} has no fingerprint, by which we would know the other side")
    if sum(len(section.ice_candidates) for section in sections) > MAX_CANDIDATES:
        raise ProtocolError(f"the {want} names more than {MAX_CANDIDATES} addresses")
    _check_bundle(description, want)
    return sections


def _check_bundle(description: SessionDescription, want: str) -> None:
    """aiortc takes sections apart that go over one line by what the BUNDLE group says, and has none left for a section
    that is named by another or not at all: its connection then stands half, and cannot even be closed."""
    names = [section.rtp.muxId for section in description.media]
    if len(set(names)) < len(names):
        raise ProtocolError(f"the {want} gives two of its sections one name (a=mid)")
    for group in description.group:
        if group.semantic == "BUNDLE" and (set(group.items) - set(names) or len(set(group.items)) < len(group.items)):
            raise ProtocolError(f"the {want} bundles sections that it does not have (a=group:BUNDLE)")
    if any(section.kind != "application" and section.direction is None for section in description.media):
        raise ProtocolError(f"the {want} has media that go nowhere: wanted a=sendrecv, sendonly, recvonly or inactive")
