"""What morphs are called in the wild: ARKit's names in many spellings, visemes, moods, VRoid's, MMD's."""

from __future__ import annotations

from ..channels import ARKIT, INDEX

_LATERAL = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")


def plain(name: str) -> str:
    """A morph's name without exporter's prefix, case and separators: `head.eyeBlink_L` -> `eyeblinkl`."""
    last = name.rpartition(".")[2].rpartition(":")[2]
    if len(last) <= 2 and last != name:  # `Eye_Blink.L`: the last part is a side, no name
        last = name.rpartition(":")[2]
    return "".join(c for c in last if c not in "_-. ").lower()


def _spellings(channel: str) -> tuple[str, ...]:
    """The plain spellings of one channel: Apple's documentation, its run-time strings, and the side put first."""
    text = channel.lower()
    if channel in _LATERAL:
        return (text,)
    for side in ("left", "right"):
        if text.endswith(side):
            stem = text[: -len(side)]
            return text, stem + side[0], side + stem
    return (text,)


CHANNEL_BY_SPELLING = {spelling: INDEX[name] for name in ARKIT for spelling in _spellings(name)}
"""Plain name -> index of the channel that is meant beyond doubt."""

_PRESET_NAMES = {
    "aa": "a aa ah va vaa visemea visemeaa vrcvaa mtha fclmtha moutha mouthaa lipa あ",
    "ih": "i ih ii vi vih visemei visemeih mthi fclmthi mouthi mouthih lipi い",
    "ou": "u ou uu vu vou visemeu visemeou mthu fclmthu mouthu mouthou lipu う",
    "ee": "e ee eh ve vee veh visemee visemeee mthe fclmthe mouthe mouthee lipe え",
    "oh": "o oh oo vo voh visemeo visemeoh mtho fclmtho moutho mouthoh lipo お",
    "blink": "blink blinkboth eyeblink eyesblink eyesclosed eyesclose eyeclose eyeclosed closeeyes closedeyes "
    "fcleyeclose blinkall まばたき",
    "blinkLeft": "blinkl blinkleft leftblink winkl winkleft fcleyeclosel eyeclosel eyecloseleft lefteyeclose "
    "lefteyeclosed eyeclosedl eyeclosedleft ウィンク ウィンク左",
    "blinkRight": "blinkr blinkright rightblink winkr winkright fcleyecloser eyecloser eyecloseright righteyeclose "
    "righteyeclosed eyeclosedr eyeclosedright ウィンク右",
    "happy": "joy happy fclalljoy fclallfun 笑い",
    "angry": "angry anger fclallangry 怒り",
    "sad": "sorrow sad fclallsorrow 悲しい",
    "surprised": "surprised surprise fclallsurprised びっくり",
    "lookUp": "lookup eyeslookup eyelookup",
    "lookDown": "lookdown eyeslookdown eyelookdown",
    "lookLeft": "lookleft eyeslookleft eyelookleft",
    "lookRight": "lookright eyeslookright eyelookright",
}
PRESET_BY_NAME = {name: preset for preset, names in _PRESET_NAMES.items() for name in names.split()}
"""Plain name -> VRM preset that it means."""


def _both(stem: str, gain: float = 0.5) -> dict[str, float]:
    return {stem + "Left": gain, stem + "Right": gain}


_GUESSES: dict[str, dict[str, float]] = {
    "mouthopen openmouth jawdrop jawdown mouthjawopen": {"jawOpen": 1.0},
    "smile mouthsmile smiling grin mouthcornerup fclmthfun にやり": _both("mouthSmile"),
    "frown mouthfrown mouthcornerdown fclmthsorrow": _both("mouthFrown"),
    "pucker kiss mouthkiss": {"mouthPucker": 1.0},
    "browangry angrybrow browsangry angledeyebrows browdown browsdown eyebrowsdown fclbrwangry": _both("browDown"),
    "browup browsup eyebrowsup browraise browsurprised fclbrwsurprised": {"browInnerUp": 0.4}
    | _both("browOuterUp", 0.3),
    "browsad browsorrow fclbrwsorrow worriedbrows": {"browInnerUp": 0.6} | _both("mouthFrown", 0.2),
    "eyeswide wideeyes eyewide fcleyesurprised": _both("eyeWide"),
    "squint eyessquint eyesquint": _both("eyeSquint"),
    "lowerlidleft": {"eyeSquintLeft": 1.0},
    "lowerlidright": {"eyeSquintRight": 1.0},
    "puff cheekspuff puffcheeks": {"cheekPuff": 1.0},
    "tongue tongueoutlong": {"tongueOut": 1.0},
    "browdownl": {"browDownLeft": 1.0},
    "browdownr": {"browDownRight": 1.0},
    "browupl browraisel": {"browOuterUpLeft": 0.6, "browInnerUp": 0.4},
    "browupr browraiser": {"browOuterUpRight": 0.6, "browInnerUp": 0.4},
    "browinnerupl browinnerupleft browinnerupr browinnerupright": {"browInnerUp": 1.0},
    "cheekpuffl cheekpuffleft cheekpuffr cheekpuffright": {"cheekPuff": 1.0},
    "smilel smileleft mouthsmilel": {"mouthSmileLeft": 1.0},
    "smiler smileright mouthsmiler": {"mouthSmileRight": 1.0},
}
GUESS_BY_NAME = {name: gains for names, gains in _GUESSES.items() for name in names.split()}
"""Plain name -> channels that it probably follows, with gains."""
COVERED_BY = {
    "jawOpen": "aa", "mouthPucker": "ou", "mouthFunnel": "oh",
    "eyeBlinkLeft": "blinkLeft", "eyeBlinkRight": "blinkRight",
}  # fmt: skip
"""Channels that a preset made by the avatar's maker shows better than a guess."""
COVERS = {
    "aa": "jawOpen", "ih": "mouthStretchLeft", "ou": "mouthPucker", "ee": "mouthStretchLeft", "oh": "mouthFunnel",
    "blinkLeft": "eyeBlinkLeft", "blinkRight": "eyeBlinkRight", "blink": "eyeBlinkLeft",
    "happy": "mouthSmileLeft", "angry": "browDownLeft", "sad": "mouthFrownLeft", "surprised": "browInnerUp",
    "lookUp": "eyeLookUpLeft", "lookDown": "eyeLookDownLeft", "lookLeft": "eyeLookOutLeft",
    "lookRight": "eyeLookOutRight",
}  # fmt: skip
"""Preset -> the channel that, where it moves the avatar by itself, makes the preset superfluous."""
