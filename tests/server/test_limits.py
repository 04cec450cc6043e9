"""How often one address may knock."""

from __future__ import annotations

from animator.server import limits
from animator.server.limits import RateLimit, one_client


class Watch:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_so_many_in_a_window_and_no_more() -> None:
    watch = Watch()
    limit = RateLimit(3, 60.0, watch)
    assert [limit.allows("a") for _ in range(5)] == [True] * 3 + [False] * 2
    watch.now_s = 59.9
    assert not limit.allows("a")
    watch.now_s = 60.1
    assert [limit.allows("a") for _ in range(4)] == [True] * 3 + [False]


def test_who_is_refused_does_not_wait_longer_for_it() -> None:
    watch = Watch()
    limit = RateLimit(1, 10.0, watch)
    assert limit.allows("a")
    for watch.now_s in (3.0, 6.0, 9.0):
        assert not limit.allows("a")
    watch.now_s = 10.5
    assert limit.allows("a")


def test_looking_counts_nothing() -> None:
    watch = Watch()
    limit = RateLimit(1, 60.0, watch)
    assert not any(limit.is_over("a") for _ in range(5))
    assert limit.allows("a")
    assert limit.is_over("a")
    watch.now_s = 60.1
    assert not limit.is_over("a")


def test_addresses_do_not_share() -> None:
    limit = RateLimit(1, 60.0, Watch())
    assert limit.allows("a")
    assert limit.allows("b")
    assert not limit.allows("a")


def test_a_flood_of_addresses_fills_no_memory(monkeypatch) -> None:
    monkeypatch.setattr(limits, "MAX_ADDRESSES", 50)
    watch = Watch()
    limit = RateLimit(2, 60.0, watch)
    for number in range(500):
        watch.now_s += 0.01
        assert limit.allows(str(number))
        assert len(limit._seen) <= 50
    watch.now_s += 100
    assert limit.allows("again")


def test_a_network_of_many_addresses_is_one_client() -> None:
    limit = RateLimit(1, 60.0, Watch())
    assert limit.allows("2001:db8::1")
    assert not limit.allows("2001:db8::ffff:2")
    assert limit.allows("2001:db8:0:1::1")
    assert one_client("::ffff:192.0.2.7") == one_client("192.0.2.7") == "192.0.2.7"
    assert one_client("fe80::1%eth0") == one_client("fe80::2%eth0")
    assert one_client("") == ""
