# SPDX-License-Identifier: MIT
"""What goes wrong: a class for each kind of error, as the program has an exit code for each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from .session import Result


class Error(Exception):
    """Every error of Impasto. `kind` is a word, `exit_code` what the program would end with."""

    kind = "internal"
    exit_code = 1


class InternalError(Error):
    """A defect of Impasto."""


class UsageError(Error, ValueError):
    """The request makes no sense."""

    kind, exit_code = "usage", 2


class InputError(Error, ValueError):
    """A picture cannot be read, or is none."""

    kind, exit_code = "input", 3


class WeightsError(Error):
    """A weight file is refused."""

    kind, exit_code = "weights", 4


class BackendError(Error):
    """A backend or a device is not available."""

    kind, exit_code = "backend", 5


class OutputError(Error):
    """A file cannot be written."""

    kind, exit_code = "output", 6


class DivergedError(Error):
    """The loss became infinite, or rose. `result` has the last good picture, or the best one."""

    kind, exit_code = "diverged", 7

    def __init__(self, message: str, result: Optional[Result] = None) -> None:
        super().__init__(message)
        self.result = result


class OutOfMemoryError(Error, MemoryError):
    """The host or the device has too little memory for the request."""

    kind, exit_code = "out_of_memory", 75


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a stylization. `result` has the picture as it was then."""

    def __init__(self, result: Result) -> None:
        super().__init__(f"stopped after {result.iterations} iterations")
        self.result = result


_by_exit_code = {
    error.exit_code: error
    for error in (InternalError, UsageError, InputError, WeightsError, BackendError, OutputError, DivergedError,
                  OutOfMemoryError)
}


def make(exit_code: int, message: str, hint: str) -> Error:
    """The error of a kind. Options of the command line are keywords here: --style-weight is style_weight."""
    text = f"{message}; {hint}" if hint else message
    text = re.sub(r"--([a-z][a-z0-9-]*)", lambda option: option[1].replace("-", "_"), text)
    return _by_exit_code.get(exit_code, InternalError)(text)
