# SPDX-License-Identifier: MIT
"""The stage that times Impasto beside PyTorch.

At each shape everyone optimises the same pictures with the same weights. Losses are compared first
(peers/agreement.py); a contender whose losses differ is not timed. Then they take turns, round after
round, so that whatever else the machine does meets all of them. Times are of the device: events
around many iterations whose losses nobody reads.
"""

from contextlib import ExitStack
from typing import Any, Dict, List, Tuple

from gpu.campaign import Campaign, Result
from gpu.measurements import ITERATION, UNTUNED, benchmark, seconds_of
from peers.runs import CHECKED_ITERATIONS, Contender, Peer, Run, make_square_inputs, run_impasto

THREADS = 4  # of the host
TOGETHER = 2**23  # pixels of a batch up to which all contenders fit into memory at once
LEAST_SECONDS = 20  # a shape is not begun with less

# Ways to run PyTorch, each with the precision whose limits its losses are held to. PyTorch as it comes
# multiplies convolutions in TF32. Of tuned eager code there are two kinds: autocast, and a network
# stored in bf16, which spares the conversions that autocast repeats.
FORMS = {
    "eager": ("tf32", ("--precision", "default")),
    "autocast": ("bf16", ("--precision", "autocast", "--channels-last")),
    "tuned eager": ("bf16", ("--precision", "bf16", "--channels-last")),
    "compiled": ("bf16", ("--precision", "bf16", "--channels-last", "--compile")),
}


class Shape:
    """Everyone at one size and batch."""

    def __init__(self, campaign: Campaign, side: int, batch: int) -> None:
        self.campaign, self.side, self.batch = campaign, side, batch
        self.tuned = (side, batch) in campaign.scale.tuned_shapes
        self.inputs = make_square_inputs(campaign.impasto, campaign.python, campaign.scratch, side)
        self.own = {name: Contender("Impasto", "", name) for name in campaign.precisions()}
        self.peers: List[Contender] = []
        self.reference = self.run_impasto("fp32")
        for precision, contender in self.own.items():
            self.compare(contender, self.run_impasto(precision))

    def run_impasto(self, precision: str) -> Run:
        return run_impasto(self.campaign.impasto, self.inputs, CHECKED_ITERATIONS, THREADS, precision,
                           self.campaign.scale.backend)  # fmt: skip

    def compare(self, contender: Contender, run: Run) -> bool:
        agrees = contender.compare(self.reference, run)
        if not agrees:
            self.campaign.fail(f"{self.side}²: {contender.name} {contender.found['judgement']}")
        return agrees

    def time_impasto(self) -> None:
        files = (f"--weights={self.inputs.weights}", f"--content={self.inputs.content}", f"--style={self.inputs.style}")
        options = (f"--size={self.side}", f"--batch={self.batch}", ITERATION, *(() if self.tuned else UNTUNED))
        for row in benchmark(self.campaign, "iteration_bench", *options, *files):
            contender = self.own[row["name"].split("/")[1]]
            if contender.found["agrees"]:
                contender.seconds.append(seconds_of(row))
                contender.found["peak_memory_bytes"] = row.get("device bytes")

    def start(self, form: str, stack: ExitStack) -> List[Tuple[Contender, Peer]]:
        """A PyTorch that is ready to be timed; none if it does not run or its losses differ."""
        precision, options = FORMS[form]
        options = ("--device", self.campaign.scale.backend, "--batch", str(self.batch), *options)
        contender = Contender("PyTorch", form, precision)
        self.peers.append(contender)
        try:
            peer = stack.enter_context(Peer(self.campaign.python, self.inputs, CHECKED_ITERATIONS, THREADS, options,
                                            timeout=self.campaign.left()))  # fmt: skip
        except RuntimeError as error:
            contender.found["error"] = str(error)
            if "out of memory" not in str(error):
                self.campaign.fail(f"{self.side}², batch {self.batch}: {form}: {error}")
            return []
        contender.program += f" {peer.run.about['torch']}"
        return [(contender, peer)] if self.compare(contender, peer.run) else []

    def time_peer(self, peer: Peer) -> float:
        first = peer.seconds_per_step(3, self.campaign.left())
        steps = max(3, min(300, round(self.campaign.scale.min_seconds / first)))
        return peer.seconds_per_step(steps, self.campaign.left())

    def take_turns(self, row: Result) -> None:
        """In groups that fit into memory together; `row` has what is known so far."""
        forms = self.campaign.scale.peer_forms
        row["together"] = self.side * self.side * self.batch <= TOGETHER
        for group in [forms] if row["together"] else [(form,) for form in forms]:
            with ExitStack() as stack:
                ready = [one for form in group for one in self.start(form, stack)]
                for _ in range(self.campaign.scale.rounds):
                    self.time_impasto()
                    for contender, peer in ready:
                        contender.seconds.append(self.time_peer(peer))
                    row["contenders"] = [one.result() for one in (*self.own.values(), *self.peers)]


def peers(campaign: Campaign, result: Result) -> None:
    """Impasto against every form of PyTorch, at every shape."""
    result["rows"] = rows = []
    for side, batch in campaign.scale.shapes:
        if side > campaign.scale.largest_beside_peers:
            continue
        if campaign.left() < LEAST_SECONDS:
            campaign.fail(f"{side}², batch {batch}: not begun, the time was over")
            continue
        row: Dict[str, Any] = {"size": side, "batch": batch, "contenders": []}
        rows.append(row)
        with campaign.attempt(f"{side}², batch {batch}"):
            shape = Shape(campaign, side, batch)
            row["tuned"] = shape.tuned
            shape.take_turns(row)
        campaign.keep(result)
