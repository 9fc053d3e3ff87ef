# SPDX-License-Identifier: MIT
"""Pictures come and go as arrays."""

import numpy as np
import pytest

import impasto


class OnlyDlpack:
    """An array of a library that is not NumPy."""

    def __init__(self, array):
        self._array = array
        self.shape = array.shape

    def __dlpack__(self, **words):
        return self._array.__dlpack__(**words)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


class OnADevice(OnlyDlpack):
    def __dlpack_device__(self):
        return (2, 0)


def conv1_1(session, picture):
    return session.activations(picture, "conv1_1")


@pytest.mark.parametrize("other", [
    lambda picture: picture.astype(np.float32),
    lambda picture: np.asfortranarray(picture),
    lambda picture: np.repeat(picture, 2, axis=1)[:, ::2],
    lambda picture: picture[::-1][::-1],
    OnlyDlpack,
], ids=["float32", "fortran", "strided", "negative strides", "dlpack"])
def test_the_kind_of_array_changes_nothing(session, scene, other):
    np.testing.assert_array_equal(conv1_1(session, other(scene)), conv1_1(session, scene))


def test_a_read_only_array_is_taken_and_stays_as_it_is(session, scene):
    picture = scene.copy()
    picture.flags.writeable = False
    conv1_1(session, picture)
    np.testing.assert_array_equal(picture, scene)


@pytest.mark.parametrize("picture, words", [
    (np.zeros((8, 8)), "(height, width, 3)"),
    (np.zeros((8, 8, 4), np.uint8), "found (8, 8, 4) of uint8"),
    (np.zeros((8, 8, 3)), "found (8, 8, 3) of float64"),
    (np.zeros((0, 8, 3), np.uint8), "found (0, 8, 3)"),
    (np.full((8, 8, 3), np.nan, np.float32), "NaN"),
    (OnADevice(np.zeros((8, 8, 3), np.uint8)), ".cpu()"),
    (7, "found int"),
])
def test_what_is_no_picture_is_refused_with_what_was_expected(session, picture, words):
    with pytest.raises(impasto.InputError) as error:
        conv1_1(session, picture)
    assert words in str(error.value)
    assert "image: " in str(error.value)


def test_a_missing_file_is_named(session, tmp_path):
    with pytest.raises(impasto.InputError, match="nowhere.png"):
        conv1_1(session, tmp_path / "nowhere.png")


def test_saved_pictures_come_back(scene, tmp_path):
    impasto.save(scene, tmp_path / "scene.png")
    np.testing.assert_array_equal(impasto.load(tmp_path / "scene.png"), scene)


def test_a_file_is_scaled_to_the_size_asked_for(scene, tmp_path):
    impasto.save(scene, tmp_path / "scene.png")
    assert scene.shape == (48, 64, 3)
    assert impasto.load(tmp_path / "scene.png", 32).shape == (24, 32, 3)


def test_a_place_that_does_not_exist_is_an_output_error(scene, tmp_path):
    with pytest.raises(impasto.OutputError, match="nowhere"):
        impasto.save(scene, tmp_path / "nowhere" / "scene.png")
    for name in (tmp_path / "scene.xyz", "-"):
        with pytest.raises(impasto.UsageError, match=f"'{name}': expected an extension"):
            impasto.save(scene, name)


def test_results_are_handed_over_without_a_copy(session, scene):
    values = conv1_1(session, scene)
    assert values.shape == (48, 64, 64) and values.dtype == np.float32
    assert not values.flags.owndata and values.flags.writeable
