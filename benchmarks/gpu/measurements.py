# SPDX-License-Identifier: MIT
"""Stages that say what the machine is and how long things take on it."""

import json
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

from gpu.campaign import Campaign, Result, Skipped
from results import SECONDS, Machine, Roofs, read_context_ceilings, read_rows

DETAILED_SIDE = 512  # where every step's time is kept
MAY_NOT_FIT = 2**25  # pixels of a batch from which on too little memory is no failure
Benchmarks = List[Dict[str, Any]]
ITERATION = "--benchmark_filter=^iteration/"
# Choosing the plans of one shape takes the better part of a minute.
UNTUNED = ("--no-plan-cache",)


def shape_options(side: int, batch: int, precision: str) -> Tuple[str, ...]:
    return (f"--size={side}", f"--batch={batch}", f"--precision={precision}")


def environment(campaign: Campaign, result: Result) -> None:
    result["backends"] = campaign.json(campaign.impasto, "devices", "--json")
    result["ceilings"] = vars(ceilings(campaign))


def tuning(campaign: Campaign, result: Result) -> None:
    """Fills the plan cache for the shapes that are timed with tuned plans: in the default precision
    with time for every plan, as long as that leaves half of the time, in the others as any program
    does that meets a shape first."""
    scale = campaign.scale
    if scale.backend != "cuda":
        raise Skipped(f"nothing to tune for the backend {scale.backend}")
    result["seconds"] = {}
    precisions = campaign.precisions()

    def timed(name: str, tune: Callable[[], object]) -> None:
        start = time.monotonic()
        try:
            tune()
        except RuntimeError as error:
            campaign.fail(f"{name}: {str(error).splitlines()[-1]}")
        result["seconds"][name] = round(time.monotonic() - start, 1)
        campaign.keep(result)

    options = ("--tune", "--size", str(scale.sample_size), "--precision", precisions[0])
    half = campaign.left() / 2
    timed(
        f"{precisions[0]}, every plan",
        lambda: campaign.execute(campaign.impasto, "devices", *options, timeout=half),
    )
    for side, batch in scale.tuned_shapes:
        for precision in precisions:
            timed(
                f"{precision}, {side}², batch {batch}",
                lambda: benchmark(
                    campaign, "iteration_bench", *shape_options(side, batch, precision), ITERATION
                ),
            )


def ceilings(campaign: Campaign) -> Roofs:
    """As the program measures them that is for that. None, and a failure, where it cannot: times are worth
    having all the same."""
    machine = Machine(campaign.output)
    program, *options = campaign.scale.ceilings
    try:
        document = campaign.json(campaign.program(program), "--benchmark_format=json", *options)
        read_context_ceilings(machine, Path(program), document["context"])
        read_rows(machine, Path(program), document)
    except RuntimeError as error:
        campaign.fail(f"no ceilings: {str(error).splitlines()[-1]}")
    return machine.roofs


def benchmark(campaign: Campaign, program: str, *options: str) -> Benchmarks:
    """The measurements of one of our Google Benchmark programs, without those it could not make."""
    command = [campaign.program(program), "--benchmark_format=json", *options]
    command += [f"--backend={campaign.scale.backend}"]
    command += [f"--benchmark_min_time={campaign.scale.min_seconds}"]
    measured: Benchmarks = json.loads(campaign.execute(*command))["benchmarks"]
    for one in measured:
        if one.get("error_occurred"):
            raise RuntimeError(f"{program}, {one['name']}: {one['error_message']}")
    return measured


def seconds_of(measured: Dict[str, Any]) -> float:
    return float(measured["real_time"]) * SECONDS[measured["time_unit"]]


def iteration_row(
    measured: Benchmarks, roofs: Roofs, precision: str, side: int, batch: int
) -> Result:
    """One shape: the whole iteration, and its steps one by one."""
    whole = next(one for one in measured if one["name"].startswith("iteration/"))
    steps = [
        {
            "name": one["name"].split("/")[4],
            "seconds": seconds_of(one),
            "floor_seconds": roofs.floor(one["flops"], one["bytes"], precision),
            "flops": one["flops"],
            "bytes": one["bytes"],
        }
        for one in measured
        if one["name"].startswith("step/")
    ]
    floors = [step["floor_seconds"] for step in steps]
    row = {
        "precision": precision,
        "size": side,
        "batch": batch,
        "seconds": seconds_of(whole),
        "floor_seconds": None if None in floors else sum(floors),
        "image_iterations_per_second": batch / seconds_of(whole),
        "device_bytes": whole.get("device bytes"),
    }
    if side == DETAILED_SIDE or side < 64:
        row["steps"] = steps
    return row


def iteration(campaign: Campaign, result: Result) -> None:
    """One iteration at every size, precision and batch, beside the floor of its work."""
    roofs = ceilings(campaign)
    result["ceilings"] = vars(roofs)
    result["rows"] = []
    precisions = campaign.precisions()
    for side, batch in campaign.scale.shapes:
        for precision in precisions:
            options = shape_options(side, batch, precision)
            if (side, batch) not in campaign.scale.tuned_shapes:
                options += UNTUNED
            try:
                measured = benchmark(campaign, "iteration_bench", *options)
                row = iteration_row(measured, roofs, precision, side, batch)
            except RuntimeError as error:
                row = {"precision": precision, "size": side, "batch": batch, "error": str(error)}
                if side * side * batch <= MAY_NOT_FIT or campaign.left() <= 0:
                    campaign.fail(f"{side}², batch {batch}, {precision}: {error}")
            row["tuned"] = (side, batch) in campaign.scale.tuned_shapes
            result["rows"].append(row)
            campaign.keep(result)


def ladders(campaign: Campaign, result: Result) -> None:
    """Every rung of every kernel, verified and timed cold and hot: a file of rows for each operation,
    ladder_<op>.json, as Google Benchmark writes it."""
    scale = campaign.scale
    program = campaign.program(scale.ladder)
    result["files"] = []
    for op in scale.ladder_ops:
        rows = campaign.scratch / "ladder.json"
        rows.unlink(missing_ok=True)
        out = (f"--benchmark_out={rows}", "--benchmark_out_format=json")
        try:
            campaign.execute(program, f"--op={op}", *scale.ladder_options, *out)
        except RuntimeError as error:
            campaign.fail(f"{op}: {str(error).splitlines()[-1]}")
            continue
        document = json.loads(rows.read_text(encoding="utf-8"))
        document["context"].update(campaign.context)
        document["rehearsal"] = result["rehearsal"]
        path = campaign.output / f"ladder_{op}.json"
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        result["files"].append(path.name)
        campaign.keep(result)
