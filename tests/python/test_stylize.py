# SPDX-License-Identifier: MIT
"""A stylization: what goes in, what comes out, and how it ends early."""

import os
import signal
import threading
import time

import numpy as np
import pytest

import impasto


def test_it_gives_the_bits_of_the_program(session, program, tmp_path):
    out = tmp_path / "out.png"
    program("stylize", "sample:scene", "sample:painting", "-o", out, "--size", 96, "--iterations", 5,
            "--style-weight", 2.5, "--device", "cpu", "--quiet")
    result = session.stylize("sample:scene", "sample:painting", size=96, iterations=5, style_weight=2.5)
    np.testing.assert_array_equal(result.image, impasto.load(out))


def test_an_array_keeps_its_size_unless_one_is_asked_for(session, scene, painting):
    result = session.stylize(scene, painting, iterations=1)
    assert result.image.shape == scene.shape and result.image.dtype == np.uint8
    assert result.pixels.shape == scene.shape and result.pixels.dtype == np.float32
    assert session.stylize(scene, painting, iterations=1, size=32).image.shape == (24, 32, 3)


def test_the_result_says_what_was_done(session, scene, painting):
    result = session.stylize(scene, painting, iterations=4, style_weight=2)
    assert (result.ending, result.iterations, result.iteration) == ("finished", 4, 4)
    assert result.recipe["style_weight"] == 2
    assert result.history.shape == (5,)
    assert result.history[-1] == pytest.approx(result.losses["loss"], rel=1e-6)
    assert result.history[-1] < result.history[0]
    score = session.score(result.pixels, scene, painting, style_weight=2)
    assert score["loss"] == pytest.approx(result.losses["loss"], rel=1e-3)
    itself = session.score(scene, scene, painting)["quality"]
    assert itself["edge_ssim"] == pytest.approx(1)
    assert set(itself) == set(score["quality"]) == {"content_cosine", "held_out_gram", "edge_ssim", "e_statistic"}
    assert score["quality"]["edge_ssim"] < 1
    assert itself["e_statistic"] is None
    assert result._repr_png_().startswith(b"\x89PNG")


def test_a_saved_result_is_its_image(session, scene, painting, tmp_path):
    result = session.stylize(scene, painting, iterations=1)
    result.save(tmp_path / "result.png")
    np.testing.assert_array_equal(impasto.load(tmp_path / "result.png"), result.image)


def test_the_one_call_for_one_picture_takes_the_settings_of_both(scene, painting):
    result = impasto.stylize(scene, painting, device="cpu", iterations=1)
    assert result.iterations == 1
    with pytest.raises(impasto.UsageError, match="iterations"):
        impasto.stylize(scene, painting, device="cpu", itertions=1)


def test_values_may_be_given_as_python_has_them(session, scene, painting):
    as_text = session.stylize(scene, painting, iterations=1, style_layers="conv1_1:0.25,conv2_1:0.75")
    as_dict = session.stylize(scene, painting, iterations=np.int64(1),
                              style_layers={"conv1_1": np.float64(0.25), "relu2_1": 0.75})
    assert as_text.recipe == as_dict.recipe
    np.testing.assert_array_equal(as_text.pixels, as_dict.pixels)


def test_several_styles_share_by_weight(session, scene, painting):
    other = scene[::-1]
    alone = session.stylize(scene, painting, iterations=2)
    mixed = session.stylize(scene, [painting, other], iterations=2)
    weighted = session.stylize(scene, [(painting, 3.0), (other, 0.0)], iterations=2)
    np.testing.assert_allclose(weighted.pixels, alone.pixels, atol=1e-3)
    assert np.abs(mixed.pixels - alone.pixels).max() > 0.1


def test_it_starts_from_a_picture_or_from_noise(session, scene, painting):
    seen = []

    def look(progress):
        seen.append(progress.pixels)
        return False

    session.stylize(scene, painting, init=painting, progress=look)
    np.testing.assert_array_equal(seen.pop(), painting.astype(np.float32))
    session.stylize(scene, painting, init="random", progress=look, seed=1)
    session.stylize(scene, painting, init="random", progress=look, seed=2)
    assert np.abs(seen[0] - seen[1]).max() > 1
    with pytest.raises(impasto.InputError, match="init: expected 64x48"):
        session.stylize(scene, painting, init=np.zeros((8, 8, 3), np.uint8))


def test_the_recipe_says_what_a_picture_started_from(session, scene, painting, tmp_path):
    impasto.save(scene, tmp_path / "start.png")

    def named(**init):
        return session.stylize(scene, painting, iterations=1, **init).recipe["init"]

    assert named() == "recoloured"  # the preset's
    assert named(init="random") == "random"
    assert named(init=scene) == named(init=tmp_path / "start.png") == named(init=str(tmp_path / "start.png")) == "file"


def test_progress_is_told_every_iteration_and_may_stop(session, scene, painting):
    told = []

    def progress(at):
        told.append((at.iteration, at.losses["loss"], at.seconds))
        return at.iteration < 2

    result = session.stylize(scene, painting, progress=progress)
    assert result.ending == "stopped"
    assert [iteration for iteration, *_ in told] == [0, 1, 2]
    assert told[2][1] < told[0][1] and told[2][2] >= told[0][2] >= 0


def test_what_progress_raises_comes_out(session, scene, painting):
    def progress(at):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        session.stylize(scene, painting, progress=progress)


def test_progress_is_over_when_its_function_is(session, scene, painting):
    kept = []
    session.stylize(scene, painting, iterations=1, progress=kept.append)
    with pytest.raises(impasto.UsageError, match="while the function runs"):
        kept[0].iteration


@pytest.fixture
def ctrl_c():
    """Of a program in the foreground: a shell has those in the background ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_stops_between_two_iterations_and_keeps_the_picture(session, scene, painting):
    running = threading.Event()

    def interrupt():
        running.wait()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt) as error:
        session.stylize(scene, painting, iterations=1_000_000,
                        progress=lambda at: running.set() if at.iteration == 1 else None)
    thread.join()
    assert isinstance(error.value, impasto.Interrupted)
    result = error.value.result
    assert result.ending == "stopped" and 0 < result.iterations < 1_000_000
    assert np.isfinite(result.pixels).all() and result.image.shape == scene.shape
    assert session.stylize(scene, painting, iterations=1).ending == "finished"


def test_other_threads_run_while_it_computes(session, scene):
    picture = np.tile(scene, (6, 6, 1))
    session.activations(scene, "conv4_2")
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    begin = time.perf_counter()
    session.activations(picture, "conv4_2")
    end = time.perf_counter()
    done.set()
    thread.join()
    assert any(begin < moment < end for moment in ticks)


def test_two_sessions_work_side_by_side(scene, painting):
    results = {}

    def work(name):
        results[name] = impasto.Session(device="cpu").stylize(scene, painting, iterations=2).pixels

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(results["a"], results["b"])


def test_single_steps_lead_to_the_same_picture(session, scene, painting):
    stylizer = session.stylizer(scene, painting, init="content", average=0)
    np.testing.assert_array_equal(stylizer.image, scene)
    first = stylizer.step()
    stylizer.step(2)
    result = session.stylize(scene, painting, init="content", iterations=3, average=0)
    assert stylizer.iteration == 3
    assert first["loss"] == pytest.approx(result.history[0], rel=1e-6)
    np.testing.assert_array_equal(stylizer.pixels, result.pixels)
    assert stylizer.losses()["loss"] == pytest.approx(result.losses["loss"], rel=1e-6)


def test_the_gradient_is_that_of_the_loss(session):
    rng = np.random.default_rng(1)
    content, style, start = (rng.uniform(40, 200, (16, 16, 3)).astype(np.float32) for _ in range(3))
    stylizer = session.stylizer(content, style, init=start)
    stylizer.step()
    gradient = stylizer.gradient()
    direction = np.sign(gradient)  # the way that changes the loss the most

    def loss(step):
        stylizer.pixels = start + np.float32(step) * direction
        return stylizer.losses()["loss"]

    assert loss(0.25) - loss(-0.25) == pytest.approx(0.5 * np.abs(gradient).sum(dtype=np.float64), rel=2e-2)
    with pytest.raises(impasto.UsageError, match="after a step"):
        stylizer.gradient()


def test_activations_are_after_the_relu_under_whatever_name(session, scene):
    ours = session.activations(scene, "conv4_2")
    assert ours.shape == (6, 8, 512) and ours.min() == 0 and ours.max() > 0
    np.testing.assert_array_equal(session.activations(scene, "relu4_2"), ours)
    assert np.abs(session.activations(scene, "conv4_2", pooling="max") - ours).max() > 0


def test_masks_are_arrays_or_files(session, scene, painting, tmp_path):
    left = np.zeros(scene.shape[:2], bool)
    left[:, :20] = True
    soft = np.linspace(0, 1, scene.shape[1], dtype=np.float32)[None].repeat(scene.shape[0], 0)
    impasto.save(np.repeat(255 * left.astype(np.uint8)[:, :, None], 3, 2), tmp_path / "left.png")

    def pixels(mask, style=painting, **settings):
        return session.stylize(scene, style, iterations=2, mask=mask, **settings).pixels

    plain, own = pixels(None), pixels(left)
    assert not np.array_equal(own, plain)
    np.testing.assert_array_equal(pixels(255 * left.astype(np.uint8)), own)
    np.testing.assert_array_equal(pixels([left.astype(np.float64)]), own)
    np.testing.assert_allclose(pixels(tmp_path / "left.png"), own, atol=0.1)  # white is a sum of three parts
    assert not np.array_equal(pixels(soft), own)
    assert not np.array_equal(pixels(left, style_mask=np.eye(*painting.shape[:2], dtype=bool)), own)
    both = pixels([soft, tmp_path / "left.png"], [painting, scene])
    np.testing.assert_allclose(pixels([soft, left], [painting, scene]), both, atol=0.1)
    assert session.score(scene, scene, painting, mask=left)["style"] != session.score(scene, scene, painting)["style"]
    assert session.stylize(scene, painting, iterations=1, mask=soft).recipe["mask"] == 1


def test_masks_that_make_no_sense_are_refused(session, scene, painting):
    white = np.ones(scene.shape[:2], bool)
    for mask, says in ((0 * white, "int64"), (0.0 * white, "black"), (scene, "height, width"), (2.0 * white, "from 0 to 1"),
                       (white[:, :-20], "shape"), (np.full(white.shape, np.nan), "from 0 to 1")):
        with pytest.raises(impasto.InputError, match=says):
            session.stylize(scene, painting, iterations=1, mask=mask)
    with pytest.raises(impasto.UsageError, match="expected 1"):
        session.stylize(scene, painting, iterations=1, mask=[white, white])
