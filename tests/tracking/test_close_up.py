from __future__ import annotations

import numpy as np
import pytest

from animator.tracking.close_up import CloseUp, Region, tiles

SIZES = [(640, 480), (720, 1080), (1280, 720), (480, 480), (33, 1000)]


@pytest.mark.parametrize("size_px", SIZES)
def test_tiles_cover_the_picture_and_stay_inside(size_px: tuple[int, int]) -> None:
    covered = np.zeros(size_px[::-1], bool)
    for tile in tiles(size_px):
        assert 0 <= tile.x <= tile.x + tile.width <= size_px[0]
        assert 0 <= tile.y <= tile.y + tile.height <= size_px[1]
        covered[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width] = True
    assert covered.all()


@pytest.mark.parametrize("size_px", SIZES)
def test_every_tile_is_tried(size_px: tuple[int, int]) -> None:
    close_up = CloseUp()
    close_up.start(size_px)
    tried = [tile for _ in tiles(size_px) for tile in close_up.tiles_to_try()]
    assert set(tried) == set(tiles(size_px))


def test_landmarks_return_to_the_picture() -> None:
    region = Region(100, 50, 200, 200)
    corner = region.picture_from_region(np.array([[0.0, 0.0, 0.1], [1.0, 1.0, 0.0]], np.float32), (400, 400))
    np.testing.assert_allclose(corner, [[0.25, 0.125, 0.05], [0.75, 0.625, 0.0]])


def test_a_small_face_is_followed_and_a_large_one_given_back() -> None:
    close_up = CloseUp()
    close_up.start((1280, 720))
    tile = Region(0, 0, 720, 720)
    small = np.random.default_rng(0).random((478, 2)) * 60 + (300, 100)
    close_up.follow(tile, [small])
    assert close_up.region.width < 720
    middle = close_up.region.x + close_up.region.width / 2
    assert abs(middle - small[:, 0].mean()) < 20
    close_up.follow(close_up.region, [small * 6])
    assert close_up.region is None


def test_a_face_in_the_whole_picture_needs_no_close_up() -> None:
    close_up = CloseUp()
    whole = close_up.start((640, 480))
    assert whole == Region(0, 0, 640, 480)
    close_up.follow(whole, [np.random.default_rng(0).random((478, 2)) * 50])
    assert close_up.region is None


def test_another_picture_size_starts_afresh() -> None:
    close_up = CloseUp()
    close_up.start((640, 480))
    close_up.region = Region(0, 0, 100, 100)
    assert close_up.start((320, 240)) == Region(0, 0, 320, 240)
