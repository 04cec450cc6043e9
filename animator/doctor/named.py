"""The avatar and the profile that a person named."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import AnimatorError
from .findings import Finding


def avatars(wanted: str | None) -> Iterator[Finding]:
    """The built-in ones, and the one that was named."""
    from ..rigging.library import known_rigs, load_rig

    try:
        names = [load_rig(name).name for name in known_rigs()]
        yield Finding("avatars", "ok", ", ".join(names))
    except AnimatorError as error:
        yield Finding("avatars", "bad", str(error), "install animator again")
    if wanted is None:
        return
    try:
        rig = load_rig(wanted)
    except AnimatorError as error:
        yield Finding(f"avatar {wanted}", "bad", str(error), "export it again as .vrm or .glb, or name another")
        return
    from ..rigging.reach import reach_of

    moving = sum(bool(reach.targets) for reach in reach_of(rig))
    detail = f"{len(rig.positions)} vertices, {len(rig.morph_names)} morphs, {moving} of 52 channels move it"
    if moving:
        yield Finding(f"avatar {wanted}", "ok", detail)
    else:
        yield Finding(f"avatar {wanted}", "warn", detail, f"a mapping.csv beside it: animator rigs check {wanted}")


def profiles(wanted: str | None) -> Iterator[Finding]:
    """The profile that was named."""
    if wanted is None:
        return
    from ..solving.profile import known_profiles, load_profile, profile_path

    try:
        path = profile_path(wanted)
        if not path.exists():
            there = ", ".join(known_profiles()) or "none"
            yield Finding(f"profile {wanted}", "warn", f"there is none yet; there are: {there}",
                          f"animator run --profile {wanted} makes it")  # fmt: skip
            return
        profile = load_profile(path)
    except AnimatorError as error:
        yield Finding(f"profile {wanted}", "bad", str(error), f"animator profiles delete {wanted}, and calibrate anew")
        return
    learned = f"{len(profile.ranges)} ranges learned" if profile.ranges else "no ranges learned"
    yield Finding(f"profile {wanted}", "ok", f"{path}, {learned}")
