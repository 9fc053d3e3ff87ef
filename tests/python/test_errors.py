# SPDX-License-Identifier: MIT
"""Errors are of the kinds that the program has exit codes for, and say what to do."""

import http.server
import threading

import numpy as np
import pytest

import impasto


@pytest.mark.parametrize("settings, words", [
    ({"itertions": 3}, ["itertions", "'iterations'"]),
    ({"iterations": 0}, ["iterations takes a whole number", "'0'"]),
    ({"iterations": 2.5}, ["iterations", "'2.5'"]),
    ({"style_layers": "conv9_1"}, ["style_layers", "conv9_1"]),
    ({"preset": "impast"}, ["preset", "'impasto'"]),
    ({"weights": "vgg19.h5"}, ["no setting 'weights'"]),
])
def test_a_setting_that_makes_no_sense_is_named(session, scene, painting, settings, words):
    with pytest.raises(impasto.UsageError) as error:
        session.stylize(scene, painting, **settings)
    for word in words:
        assert word in str(error.value)
    assert "--" not in str(error.value)


def test_kinds_are_words_and_exit_codes(scene, tmp_path):
    with pytest.raises(impasto.Error) as usage:
        impasto.Session(device="nowhere")
    assert (usage.value.kind, usage.value.exit_code) == ("usage", 2)
    assert isinstance(usage.value, ValueError)
    with pytest.raises(impasto.Error) as weights:
        impasto.activations(scene, "conv1_1", weights=tmp_path / "missing.h5", device="cpu")
    assert (weights.value.kind, weights.value.exit_code) == ("weights", 4)
    assert "missing.h5" in str(weights.value)


def test_a_backend_that_is_not_there_says_why():
    for device in impasto.devices():
        if device["available"]:
            assert device["precisions"]
            continue
        with pytest.raises(impasto.BackendError):
            impasto.Session(device=device["name"])
        assert device["reason"]


def test_a_loss_that_is_not_finite_leaves_the_last_good_picture(session, scene, painting):
    with pytest.raises(impasto.DivergedError, match="learning_rate") as error:
        session.stylize(scene, painting, preset="coursera", learning_rate=1e30)
    result = error.value.result
    assert result.ending == "diverged" and result.iterations < 200
    assert np.isfinite(result.pixels).all()


def test_a_loss_that_rises_leaves_the_best_picture(session, scene, painting):
    good = session.stylize(scene, painting, iterations=3)
    with pytest.raises(impasto.DivergedError, match="rose") as error:
        session.stylize(scene, painting, iterations=1, init=good.pixels, optimizer="adam", learning_rate=200)
    assert error.value.result.iteration == 0
    np.testing.assert_array_equal(error.value.result.pixels, good.pixels)


def test_a_damaged_weight_file_is_a_weights_error(tmp_path):
    file = tmp_path / "damaged.mat"
    file.write_bytes(b"nothing that anybody published")
    with pytest.raises(impasto.WeightsError, match="damaged.mat"):
        impasto.weights.convert(file, tmp_path / "out.h5")
    assert not (tmp_path / "out.h5").exists()
    with pytest.raises(impasto.WeightsError, match="damaged.mat"):
        impasto.weights.inspect(file)


def test_weights_have_a_place_whether_or_not_they_were_fetched():
    assert impasto.weights.path("vgg19").endswith("vgg19.h5")
    with pytest.raises(impasto.UsageError, match="vgg19"):
        impasto.weights.get("vgg91")


def test_what_progress_raises_ends_a_download():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(1 << 20))
            self.end_headers()
            self.wfile.write(bytes(1 << 20))

        def log_message(self, *words):
            pass

    def progress(stage, done, total):
        raise LookupError(stage)

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with pytest.raises(LookupError, match="fetching"):
                impasto.weights.get("vgg19", progress, url=f"http://127.0.0.1:{server.server_port}/vgg19.mat")
        finally:
            server.shutdown()
            thread.join()


def test_a_weight_file_says_what_it_holds_and_can_be_used(program, scene, tmp_path):
    file = tmp_path / "builtin.h5"
    program("weights", "generate", file)
    report = impasto.weights.inspect(file)
    assert [layer["name"] for layer in report["layers"]][:2] == ["conv1_1", "conv1_2"]
    values = impasto.activations(scene, "conv1_1", weights=file, device="cpu")
    np.testing.assert_array_equal(values, impasto.activations(scene, "conv1_1", device="cpu"))
