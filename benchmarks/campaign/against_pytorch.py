# SPDX-License-Identifier: MIT
"""The stage that times Impasto beside PyTorch.

At each shape everyone optimises the same pictures with the same weights. Losses are compared first
(peers/agreement.py); a contender whose losses differ is not timed. Then they take turns, round after
round, so that whatever else the machine does meets all of them. Times are of many iterations whose
losses nobody reads, on a GPU by events around them.
"""

from contextlib import ExitStack
from typing import Any, Dict, List, Tuple

from campaign.measurements import ITERATION, iterations, seconds_of
from campaign.scale import Campaign, Form, Result
from peers.runs import CHECKED_ITERATIONS, Contender, Peer, Run, make_square_inputs, run_impasto, run_peer

TOGETHER = 2**23  # pixels of a batch up to which all contenders fit into memory at once
LEAST_SECONDS = 20  # a shape is not begun with less


class Shape:
    """Everyone at one size and batch."""

    def __init__(self, campaign: Campaign, side: int, batch: int) -> None:
        self.campaign, self.scale, self.side, self.batch = campaign, campaign.scale, side, batch
        self.inputs = make_square_inputs(campaign.impasto, campaign.python, campaign.scratch, side)
        self.own = {name: Contender("Impasto", "", name) for name in campaign.precisions()}
        self.peers: List[Contender] = []
        self.reference = self.run_impasto("fp32")
        for precision, contender in self.own.items():
            self.compare(contender, self.run_impasto(precision))

    def run_impasto(self, precision: str) -> Run:
        return run_impasto(self.campaign.impasto, self.inputs, CHECKED_ITERATIONS, self.scale.threads, precision,
                           self.scale.backend)  # fmt: skip

    def compare(self, contender: Contender, run: Run) -> bool:
        agrees = contender.compare(self.reference, run)
        if not agrees:
            self.campaign.fail(f"{self.side}²: {contender.name} {contender.found['judgement']}")
        return agrees

    def time_impasto(self) -> None:
        files = (f"--weights={self.inputs.weights}", f"--content={self.inputs.content}", f"--style={self.inputs.style}")
        for row in iterations(self.campaign, self.side, self.batch, ITERATION, *files):
            contender = self.own[row["name"].split("/")[1]]
            if contender.found["agrees"]:
                contender.seconds.append(seconds_of(row))
                if self.scale.backend != "cpu":
                    contender.found["peak_memory_bytes"] = row.get("device bytes")

    def start(self, form: Form, stack: ExitStack) -> List[Tuple[Contender, Peer]]:
        """A PyTorch that is ready to be timed; none if it does not run or its losses differ."""
        options = ("--device", self.scale.backend, "--batch", str(self.batch), *form.options)
        how = (self.campaign.python, self.inputs, CHECKED_ITERATIONS, self.scale.threads, options)
        contender = Contender("PyTorch", form.name, form.precision)
        self.peers.append(contender)
        try:
            peer = stack.enter_context(Peer(*how, self.scale.peer_tuning, timeout=self.campaign.left()))
            agrees = self.compare(contender, peer.run)
            if self.scale.peer_tuning:  # a heap that keeps what it has costs memory
                contender.found["peak_memory_bytes"] = run_peer(*how).end["peak_memory_bytes"]
        except RuntimeError as error:
            contender.found["error"] = str(error)
            if "out of memory" not in str(error):
                self.campaign.fail(f"{self.side}², batch {self.batch}: {contender.name}: {error}")
            return []
        contender.program += f" {peer.run.about['torch']}"
        return [(contender, peer)] if agrees else []

    def time_peer(self, peer: Peer) -> float:
        first = peer.seconds_per_step(3, self.campaign.left())
        steps = max(3, min(300, round(self.scale.min_seconds / first)))
        return peer.seconds_per_step(steps, self.campaign.left())

    def take_turns(self, row: Result) -> None:
        """In groups that fit into memory together; `row` has what is known so far."""
        # A CPU without bf16 in hardware has it emulated: nobody's fastest form.
        forms = [form for form in self.scale.peer_forms if form.precision != "bf16" or "bf16" in self.own]
        row["together"] = self.side * self.side * self.batch <= TOGETHER
        for group in [forms] if row["together"] else [(form,) for form in forms]:
            with ExitStack() as stack:
                ready = [one for form in group for one in self.start(form, stack)]
                for _ in range(self.scale.rounds):
                    self.time_impasto()
                    for contender, peer in ready:
                        contender.seconds.append(self.time_peer(peer))
                    row["contenders"] = [one.result() for one in (*self.own.values(), *self.peers)]


def peers(campaign: Campaign, result: Result) -> None:
    """Impasto against every form of PyTorch."""
    result.update(rows=[], pytorch_tuning=campaign.scale.peer_tuning)
    for side, batch in campaign.scale.peer_shapes:
        if campaign.left() < LEAST_SECONDS:
            campaign.fail(f"{side}², batch {batch}: not begun, the time was over")
            continue
        tuned = (side, batch) in campaign.scale.tuned_shapes
        row: Dict[str, Any] = {"size": side, "batch": batch, "tuned": tuned, "contenders": []}
        result["rows"].append(row)
        with campaign.attempt(f"{side}², batch {batch}"):
            Shape(campaign, side, batch).take_turns(row)
        campaign.keep(result)
