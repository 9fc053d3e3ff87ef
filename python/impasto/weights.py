# SPDX-License-Identifier: MIT
"""Files with the parameters of a network: impasto.weights."""

from __future__ import annotations

import os
from typing import Any, Callable, Mapping, Optional, Union

from . import _impasto

Path = Union[str, "os.PathLike[str]"]


def convert(source: Path, out: Path, progress: Optional[Callable[[str, int, int], None]] = None) -> Mapping[str, Any]:
    """Turns a published VGG into a file for `weights=`. `progress` gets the stage, and how much is done of how much.

    Returns what was read: its format, its hash, the published file that it is (or None), and notes."""
    return _impasto.convert_weights(os.fspath(source), os.fspath(out), progress)


def get(name: str, progress: Optional[Callable[[str, int, int], None]] = None, url: str = "") -> str:
    """Fetches published weights, from `url` or their publisher. Returns the file, which may have been there before:
    sessions use it by themselves from then on."""
    return _impasto.fetch_weights(name, url, progress)


def path(name: str) -> str:
    """Where the weights of that name are, or would be."""
    return _impasto.stored_path(name)


def inspect(path: Path) -> Mapping[str, Any]:
    """What a weight file holds, layer by layer."""
    return _impasto.inspect_weights(os.fspath(path))
