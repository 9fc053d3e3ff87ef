# SPDX-License-Identifier: MIT
"""Neural style transfer: stylize() paints one picture in the style of others.

    import impasto
    result = impasto.stylize("photo.jpg", "painting.jpg", size=256, iterations=50)
    result.save("result.png")
"""

from . import weights
from ._impasto import Progress, __version__
from .errors import (BackendError, DivergedError, Error, InputError, InternalError, Interrupted, OutOfMemoryError,
                     OutputError, UsageError, WeightsError)
from .session import Result, Session, Stylizer, activations, devices, load, save, score, settings, stylize

__all__ = [
    "BackendError", "DivergedError", "Error", "InputError", "InternalError", "Interrupted", "OutOfMemoryError",
    "OutputError", "Progress", "Result", "Session", "Stylizer", "UsageError", "WeightsError", "__version__",
    "activations", "devices", "load", "save", "score", "settings", "stylize",
    "weights",
]
