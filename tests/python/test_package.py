# SPDX-License-Identifier: MIT
"""What the package promises to tools: types, and a notebook that runs."""

import ast
import json
import subprocess
import sys

import numpy as np
import pytest

import impasto
from conftest import ROOT


def check_types(tmp_path, source):
    pytest.importorskip("mypy")
    file = tmp_path / "user.py"
    file.write_text(source)
    return subprocess.run([sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", file],
                          capture_output=True, text=True).stdout


def test_type_checkers_know_the_settings(tmp_path):
    right = ('import impasto\n'
             'session = impasto.Session(device="cpu", weights="vgg19.h5")\n'
             'result = session.stylize("a.png", ["b.png"], iterations=3, style_layers={"conv1_1": 1.0}, pooling="avg")\n'
             'print(result.image.shape, result.losses["loss"])\n')
    assert "Success" in check_types(tmp_path, right)
    wrong = right.replace("iterations=3", "itertions=3").replace('pooling="avg"', 'pooling="mean"')
    complaints = check_types(tmp_path, wrong)
    assert "itertions" in complaints and "mean" in complaints


def test_the_version_is_that_of_the_sources():
    assert f"project(impasto VERSION {impasto.__version__} " in (ROOT / "CMakeLists.txt").read_text()


def test_settings_are_listed_with_their_defaults():
    settings = {setting["name"]: setting for setting in impasto.settings("stylize")}
    assert settings["learning_rate"]["takes"] == "X" and float(settings["learning_rate"]["default"]) > 0
    assert "weights" not in settings
    assert "weights" in {setting["name"] for setting in impasto.settings("session")}


def shown(cell, names):
    """Runs a cell as a notebook does; what its last line shows."""
    tree = ast.parse("".join(cell["source"]))
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "notebook", "exec"), names)
    return eval(compile(ast.Expression(last.value), "notebook", "eval"), names) if last else None


def test_the_notebook_runs():
    notebook = json.loads((ROOT / "docs/notebooks/assignment.ipynb").read_text())
    names, seen = {}, []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            seen.append(shown(cell, names))
    assert names["J_content"] == pytest.approx(names["losses"]["content"], rel=1e-3)
    assert names["J_style"] == pytest.approx(names["losses"]["style"], rel=1e-3)
    assert names["stylizer"].iteration == 200
    assert seen[-1]._repr_png_().startswith(b"\x89PNG")
    assert np.abs(names["stylizer"].pixels - names["start"]).max() > 1
