# SPDX-License-Identifier: MIT
"""A PyTorch peer that stays in memory, compiled and warm, and times steps when asked."""

import json
import subprocess
import tempfile
import threading
from typing import Any, Dict, Sequence

from peers.runs import Run, end_group, peer_run


class ServedPeer:
    """Start one, read `run` for what its first iterations computed, then ask for times.

    As a context manager, so that the process ends with the block.
    """

    def __init__(self, command: Sequence[str], timeout: float) -> None:
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [*command, "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            start_new_session=True,
        )
        try:
            self.run: Run = peer_run(self._answer(timeout))
        except BaseException:
            end_group(self.process)
            raise

    def __enter__(self) -> "ServedPeer":
        return self

    def __exit__(self, *_: Any) -> None:
        end_group(self.process)
        self.errors.close()

    def seconds_per_step(self, steps: int, timeout: float) -> float:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return float(self._answer(timeout)["seconds"])

    def _answer(self, timeout: float) -> Dict[str, Any]:
        """The next line it prints; one that does not come in time ends the process."""
        assert self.process.stdout is not None
        timer = threading.Timer(timeout, end_group, (self.process,))
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line:
            raise RuntimeError(f"PyTorch gave no answer within {timeout:.0f} s: {self._last_words()}")
        answer: Dict[str, Any] = json.loads(line)
        return answer

    def _last_words(self) -> str:
        self.errors.seek(0)
        lines = [line.strip() for line in self.errors if line.strip()]
        return lines[-1] if lines else "it said nothing"
