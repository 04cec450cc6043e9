"""How likely each answer is: part of the format, not to be changed. See tests/bench/fit_motion_stream.py.

Learned from a real range-of-motion performance recorded with Live Link Face (alex_rom_3.csv, MIT) and from
this solver's answers on five of LivePortrait's example clips (d0, d3, d18, s13, s32; MIT).
"""

LENGTHS = 6
"""Questions about the length of a difference that have a likelihood of their own; the last serves all beyond."""

PREFIXES = bytes.fromhex(
    """
    94a3a88f7a5395919c8f674aa2999d8b764fc2b09f866c4bdbc9bd9f7f51ccccc0beaa6e4b5f906d4d355e3c3f466680
    c43b51563632f2c726552034fcf4dda68553808080808080127e7053574480808080808081887f617133b0948885742a
    d3c3aca7934968b5846c5c291a907b685b47808080808080c3ab816a6547d1c1ae93626aefe5d5b0ac8b6ac0c7b6a65c
    52637a4b323980808080808065707a561c3d589e9f5c2c2558c7c89c5119bdaaadada573e1b8620e0d80808080808080
    80808080808080808080808080808080808003808080808013c0c0abb06914b4bbb3816816acb1a9865c1db0afa4815c
    2cc8c2b19a5b2be0e3d6cc7c08a4a38b3f49046d706c70802a5192646c4f42a93f651f5e79e8dcbe9c69808080808080
    808080808080808080808080808080808080808080808080808080808080808080808080808080808080808080808080
    80808080808080808080808080808080808080808080808004b5a594936180808080808075b7bd8d865c8bb9db6e7d74
    e0eae69b957183f5e8d680630acbcbcbcb83808080808080cdcdcdcdcd8bdedededede83fcfcfdfdfdc27eedddcaab79
    91e9cdd97b5e808080808080b2eedfe17e68acf8f2ee796860e3e3d5794deed39eb0b56b808080808080808080808080
    80808080808080808080808080808080808003808080808081e7dcd0b66979dad3c28c6293e6d9b4a66192e3c4b29968
    9cedd7b2895698f3f1f1dd6e25c06883515314668080808089437e645176a8e71a7e3c6fd0f9e9c1b863808080808080
    """
)
"""96 rows of 6, in 256ths: yes to "is it longer than k bits?", k = 0..5 and beyond.
Row: 6 (8 (1 in a key frame) + kind) + nearness."""

SIGNS = bytes.fromhex("5e6d7c0866f27f8b88818e7f798374808180")
"""18, in 256ths: yes to "is it positive?". Place: 3 kind + 1 + sign of the nearest neighbour's difference."""
