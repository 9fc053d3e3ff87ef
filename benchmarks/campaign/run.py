#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A machine measured in one go: everything of Impasto that needs a GPU or, with --cpu, its CPU.

Runs stage after stage, the most telling first, and writes each one's results to
benchmarks/results/<device>/<stage>.json as soon as there are any; a stage that fails does not stop
the others, and a later run replaces the files of the stages it runs. Ends with 0 when all went well,
8 when something failed or did not fit into the time, 5 where there is no GPU to run on.

--rehearse goes the GPU's way on the CPU at tiny sizes. Its results are marked and are no
measurements: benchmarks/render.py refuses them.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, List, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import context  # noqa: E402
from campaign import against_pytorch, correctness, machine, measurements  # noqa: E402
from campaign.scale import CPU, GPU, REHEARSAL, TUNING, Campaign, Result, Skipped  # noqa: E402

FAILED = 8
NO_GPU = 5
NEEDED_SECONDS = 10  # a stage is not begun with less


@dataclass(frozen=True)
class Stage:
    name: str
    seconds: float  # at most, unless stages before it left some over
    run: Callable[[Campaign, Result], None]


STAGES = (
    Stage("environment", 30, measurements.environment),
    Stage("tests", 140, correctness.tests),
    Stage("tuning", 190, measurements.tuning),
    Stage("iteration", 160, measurements.iteration),
    Stage("stylization", 80, correctness.stylization),
    Stage("peers", 320, against_pytorch.peers),
    Stage("determinism", 60, correctness.determinism),
    Stage("operations", 80, measurements.operations),
    Stage("sanitizer", 140, correctness.sanitizer),
)


def why_no_gpu(campaign: Campaign) -> Optional[str]:
    """Nothing where the backend can be used; then its description becomes a part of every result's context."""
    try:
        backends = campaign.json(campaign.impasto, "devices", "--json", timeout=60)
    except (RuntimeError, OSError) as error:
        return f"{campaign.impasto} does not run: {error}"
    for entry in backends:
        if entry["name"] == campaign.scale.backend:
            campaign.context["device"] = entry["device"]
            return None if entry["available"] else str(entry["reason"])
    return f"this program has no backend {campaign.scale.backend}"


def run_stage(stage: Stage, campaign: Campaign, rehearsal: bool) -> Result:
    result: Result = {"stage": stage.name, "rehearsal": rehearsal, "complete": False, "skipped": None}
    campaign.failures = []
    start = time.monotonic()
    with machine.ClockWatch() as watch:
        try:
            stage.run(campaign, result)
            result["complete"] = True
        except Skipped as reason:
            result["skipped"] = str(reason)
        except Exception as error:  # one stage must not stop the others
            campaign.fail(f"{type(error).__name__}: {error}")
    result.update(clocks=watch.clocks(), throttled=watch.throttled())
    result["stage_seconds"] = round(time.monotonic() - start, 1)
    campaign.keep(result)
    return result


def run_all(stages: List[Stage], campaign: Campaign, budget: float, rehearsal: bool) -> List[str]:
    """Returns a line on each stage; those of failures begin with FAILED."""
    end = time.monotonic() + budget
    planned = sum(stage.seconds for stage in stages)
    lines: List[str] = []
    for stage in stages:
        planned -= stage.seconds
        left = end - time.monotonic()
        if left < NEEDED_SECONDS:
            lines.append(f"FAILED   {stage.name}: not begun, the time was over")
            continue
        # What the stages before did not need is this one's, as long as those behind keep theirs.
        seconds = min(left, max(stage.seconds, left - planned))
        campaign.deadline = time.monotonic() + seconds
        print(f"== {stage.name}, {seconds:.0f} s at most", flush=True)
        result = run_stage(stage, campaign, rehearsal)
        word, note = "passed ", ""
        if result["skipped"]:
            word, note = "skipped", f": {result['skipped']}"
        if result["failures"]:
            word, note = "FAILED ", f": {result['failures'][0].splitlines()[0]}"
        lines.append(f"{word}  {stage.name}, {result['stage_seconds']} s{note}")
    return lines


def stages_named(text: str) -> List[Stage]:
    by_name = {stage.name: stage for stage in STAGES}
    for name in text.split(","):
        if name not in by_name:
            raise argparse.ArgumentTypeError(f"no stage '{name}': expected some of {', '.join(by_name)}")
    return [stage for stage in STAGES if stage.name in text.split(",")]


def parse_arguments() -> argparse.Namespace:
    parser = context.parser(__doc__)
    parser.add_argument("--only", metavar="STAGE,...", type=stages_named,
                        help=f"some of {', '.join(stage.name for stage in STAGES)}")  # fmt: skip
    parser.add_argument("--budget", type=float, help=f"seconds for all of it ({GPU.budget}; --cpu: {CPU.budget})")
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument("--cpu", dest="scale", action="store_const", const=CPU, default=GPU, help="measure the CPU")
    scale.add_argument("--tune", dest="scale", action="store_const", const=TUNING, help="what kernels/tune.py reads")
    scale.add_argument("--rehearse", dest="scale", action="store_const", const=REHEARSAL,
                       help="on the CPU, tiny, marked so")  # fmt: skip
    parser.add_argument("--programs", type=Path, help="the folder that has impasto")
    parser.add_argument("--python", default=sys.executable, help="one with torch, h5py and PIL")
    parser.add_argument("--output", type=Path, help="(default: benchmarks/results/<device>)")
    arguments = parser.parse_args()
    if arguments.scale in (REHEARSAL, TUNING) and arguments.output is None:
        parser.error("--rehearse and --tune need an --output: their results do not belong to the others")
    return arguments


def main() -> int:
    arguments = parse_arguments()
    # A run that is told to end takes its programs along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    machine.offer_libraries()
    # Choosing plans takes long; the shapes that are worth it are tuned in a stage of their own.
    os.environ["IMPASTO_NO_PLAN_CACHE"] = "true"
    scale, rehearsal = arguments.scale, arguments.scale is REHEARSAL
    about = context.describe()
    if scale is not CPU:
        about.update(gpu=machine.query(), libraries=machine.find_libraries())
    device = (about.get("gpu") or about["cpu"])["name"]
    # In the unpacked archive they are beside this script.
    programs = context.REPOSITORY.parents[1] if context.BUILD.exists() else context.REPOSITORY / "build" / scale.build
    with tempfile.TemporaryDirectory() as scratch:
        campaign = Campaign(
            programs=arguments.programs or programs / "bin",
            python=arguments.python,
            output=arguments.output or context.results_folder(device),
            scratch=Path(scratch),
            scale=scale,
            context=about,
            deadline=time.monotonic() + 60,
        )
        reason = why_no_gpu(campaign)
        if reason is not None:
            device = "CPU" if scale.backend == "cpu" else "GPU"
            print(f"nothing was run: no {device} to run on: {reason}", file=sys.stderr)
            return NO_GPU
        stages = arguments.only or [stage for stage in STAGES if not scale.stages or stage.name in scale.stages]
        lines = run_all(stages, campaign, arguments.budget or scale.budget, rehearsal)
    print("\n" + "\n".join(lines))
    print(f"{'REHEARSAL, no measurement: ' if rehearsal else ''}{campaign.output}")
    passed = any(line.startswith("passed") for line in lines)
    return 0 if passed and not any(line.startswith("FAILED") for line in lines) else FAILED


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # ends as the signal ends a program, so that a script around it ends, too
        print("interrupted; what the stages before had written is there", file=sys.stderr)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
