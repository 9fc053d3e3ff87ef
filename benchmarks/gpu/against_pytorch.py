# SPDX-License-Identifier: MIT
"""The stage that times Impasto beside PyTorch.

At each shape everyone optimises the same pictures with the same weights. Losses are compared first
(peers/agreement.py); a contender whose losses differ is not timed. Then they take turns, round after
round, so that whatever else the machine does meets all of them. Times are of the device: events
around many iterations whose losses nobody reads.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from typing import Any, Dict, List, Sequence, Tuple

from gpu.campaign import Campaign, Result
from gpu.measurements import ITERATION, UNTUNED, benchmark, seconds_of
from peers.agreement import judge
from peers.runs import Inputs, Run, ServedPeer, peer_command, run_impasto

CHECKED_ITERATIONS = 10
THREADS = 4  # of the host
TOGETHER = 2**23  # pixels of a batch up to which all contenders fit into memory at once
LEAST_SECONDS = 20  # a shape is not begun with less


@dataclass(frozen=True)
class Form:
    """One way to run PyTorch, and the precision whose limits its losses are held to."""

    name: str
    precision: str
    options: Tuple[str, ...]


# PyTorch as it comes multiplies convolutions in TF32. Of tuned eager code there are two kinds:
# autocast, and a network stored in bf16, which spares the conversions that autocast repeats.
FORMS = (
    Form("eager", "tf32", ("--precision", "default")),
    Form("autocast", "bf16", ("--precision", "autocast", "--channels-last")),
    Form("tuned eager", "bf16", ("--precision", "bf16", "--channels-last")),
    Form("compiled", "bf16", ("--precision", "bf16", "--channels-last", "--compile")),
)


class Contender:
    def __init__(self, program: str, form: str, precision: str) -> None:
        self.entry: Result = {"program": program, "form": form, "precision": precision}
        self.seconds: List[float] = []

    def compare(self, reference: Run, run: Run, limits: str) -> bool:
        agree, found, sentence = judge(reference.records, run.records, limits)
        self.entry.update(agrees=agree, differences=found, judgement=sentence)
        return agree

    def result(self, batch: int) -> Result:
        if self.seconds:
            middle = median(self.seconds)
            self.entry.update(
                seconds_per_iteration=middle,
                image_iterations_per_second=batch / middle,
                rounds=self.seconds,
            )
        return self.entry


def time_impasto(
    campaign: Campaign, inputs: Inputs, side: int, batch: int, own: Dict[str, Contender]
) -> None:
    files = (f"--weights={inputs.weights}", f"--content={inputs.content}", f"--style={inputs.style}")
    options = (f"--size={side}", f"--batch={batch}", ITERATION)
    if (side, batch) not in campaign.scale.tuned_shapes:
        options += UNTUNED
    for one in benchmark(campaign, "iteration_bench", *options, *files):
        precision = one["name"].split("/")[1]
        if own[precision].entry["agrees"]:
            own[precision].seconds.append(seconds_of(one))
            own[precision].entry["peak_memory_bytes"] = one.get("device bytes")


def time_peer(campaign: Campaign, peer: ServedPeer) -> float:
    first = peer.seconds_per_step(3, campaign.left())
    steps = max(3, min(300, round(campaign.scale.min_seconds / first)))
    return peer.seconds_per_step(steps, campaign.left())


def start(
    campaign: Campaign, form: Form, inputs: Inputs, batch: int, stack: ExitStack
) -> ServedPeer:
    command = peer_command(campaign.python, inputs, CHECKED_ITERATIONS, THREADS)
    command += ["--device", campaign.scale.device, "--batch", str(batch), *form.options]
    return stack.enter_context(ServedPeer(command, campaign.left()))


def compare_at(campaign: Campaign, side: int, batch: int, row: Result) -> None:
    inputs = campaign.square_inputs(side)
    backend = campaign.scale.backend
    reference = run_impasto(campaign.impasto, inputs, CHECKED_ITERATIONS, THREADS, "fp32", backend)
    own: Dict[str, Contender] = {}
    for precision in campaign.precisions():
        own[precision] = Contender("Impasto", "", precision)
        run = run_impasto(campaign.impasto, inputs, CHECKED_ITERATIONS, THREADS, precision, backend)
        if not own[precision].compare(reference, run, precision):
            campaign.fail(f"{side}²: {precision} {own[precision].entry['judgement']}")
    peers: List[Contender] = []
    forms = [form for form in FORMS if form.name in campaign.scale.peer_forms]
    groups: Sequence[Sequence[Form]] = [forms] if side * side * batch <= TOGETHER else [
        [form] for form in forms
    ]
    row["together"] = len(groups) == 1
    for group in groups:
        with ExitStack() as stack:
            ready: List[Tuple[Contender, ServedPeer]] = []
            for form in group:
                contender = Contender("PyTorch", form.name, form.precision)
                peers.append(contender)
                try:
                    peer = start(campaign, form, inputs, batch, stack)
                except RuntimeError as error:
                    contender.entry["error"] = str(error)
                    if "out of memory" not in str(error):
                        campaign.fail(f"{side}², batch {batch}: {form.name}: {error}")
                    continue
                contender.entry.update(
                    about=peer.run.about, peak_memory_bytes=peer.run.peak_memory_bytes
                )
                if contender.compare(reference, peer.run, form.precision):
                    ready.append((contender, peer))
                else:
                    campaign.fail(f"{side}²: {form.name} {contender.entry['judgement']}")
            for _ in range(campaign.scale.rounds):
                time_impasto(campaign, inputs, side, batch, own)
                for contender, peer in ready:
                    contender.seconds.append(time_peer(campaign, peer))
                row["contenders"] = [c.result(batch) for c in (*own.values(), *peers)]


def peers(campaign: Campaign, result: Result) -> None:
    """Impasto against every form of PyTorch, at every shape."""
    result["rows"] = rows = []
    for side, batch in campaign.scale.peer_shapes:
        if campaign.left() < LEAST_SECONDS:
            campaign.fail(f"{side}², batch {batch}: not begun, the time was over")
            continue
        tuned = (side, batch) in campaign.scale.tuned_shapes
        row: Dict[str, Any] = {"size": side, "batch": batch, "tuned": tuned, "contenders": []}
        rows.append(row)
        try:
            compare_at(campaign, side, batch, row)
        except RuntimeError as error:
            campaign.fail(f"{side}², batch {batch}: {error}")
        campaign.keep(result)
