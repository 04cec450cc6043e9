from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from animator.maths.easing import EASE_S, HOLD_S, presence_share


def test_holds_then_eases_then_rests():
    assert presence_share(-1) == presence_share(0) == presence_share(HOLD_S) == 1
    assert presence_share(HOLD_S + EASE_S / 2) == pytest.approx(0.5)
    assert presence_share(HOLD_S + EASE_S) == presence_share(100) == 0


@given(st.floats(0, 3), st.floats(0, 3))
def test_never_rises(one, other):
    early, late = sorted((one, other))
    assert presence_share(early) >= presence_share(late)
