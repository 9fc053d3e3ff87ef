# SPDX-License-Identifier: MIT
"""Stages that say what the machine is and how long things take on it."""

import json
import time
from typing import Any, Callable, Dict, Tuple

from context import Rows, rows_of
from gpu.campaign import Campaign, Result, Skipped
from results import SECONDS

MAY_NOT_FIT = 2**25  # pixels of a batch from which on too little memory is no failure
ITERATION = "--benchmark_filter=^iteration/"
# Choosing the plans of one shape takes the better part of a minute.
UNTUNED = ("--no-plan-cache",)


def shape_options(side: int, batch: int, precision: str) -> Tuple[str, ...]:
    return (f"--size={side}", f"--batch={batch}", f"--precision={precision}")


def keep_rows(campaign: Campaign, result: Result, document: Result) -> None:
    """Adds a program's rows, and the ceilings that it measured before them."""
    ceilings = {key: value for key, value in document["context"].items() if key.startswith("ceiling_")}
    result["context"] = {**campaign.context, **ceilings}
    result["benchmarks"] += rows_of(document)


def environment(campaign: Campaign, result: Result) -> None:
    """What the machine is, and what it can do at most: times are worth having without that, too."""
    result.update(backends=campaign.json(campaign.impasto, "devices", "--json"), benchmarks=[])
    program, *options = campaign.scale.ceilings
    try:
        document = campaign.json(campaign.program(program), "--benchmark_format=json", *options)
    except RuntimeError as error:
        campaign.fail(f"no ceilings: {str(error).splitlines()[-1]}")
        return
    keep_rows(campaign, result, document)
    result["benchmarks"] = [row for row in result["benchmarks"] if "FLOP/s" in row or "bytes/s" in row]


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


def benchmark(campaign: Campaign, program: str, *options: str) -> Rows:
    """The rows of one of our Google Benchmark programs. Raises for one that could not be measured."""
    command = [campaign.program(program), "--benchmark_format=json", *options]
    command += [f"--backend={campaign.scale.backend}"]
    command += [f"--benchmark_min_time={campaign.scale.min_seconds}"]
    measured = rows_of(campaign.json(*command))
    for one in measured:
        if one.get("error_occurred"):
            raise RuntimeError(f"{program}, {one['name']}: {one['error_message']}")
    return measured


def seconds_of(measured: Dict[str, Any]) -> float:
    return float(measured["real_time"]) * SECONDS[measured["time_unit"]]


def iteration(campaign: Campaign, result: Result) -> None:
    """One iteration and its steps, at every size, precision and batch."""
    result.update(benchmarks=[], not_measured=[])
    precisions = campaign.precisions()
    for side, batch in campaign.scale.shapes:
        tuned = (side, batch) in campaign.scale.tuned_shapes
        for precision in precisions:
            options = shape_options(side, batch, precision) + (() if tuned else UNTUNED)
            try:
                rows = benchmark(campaign, "iteration_bench", *options)
                result["benchmarks"] += [{**row, "tuned": int(tuned)} for row in rows]
            except RuntimeError as error:
                sentence = f"{side}², batch {batch}, {precision}: {error}"
                result["not_measured"].append(sentence)
                if side * side * batch <= MAY_NOT_FIT or campaign.left() <= 0:
                    campaign.fail(sentence)
            campaign.keep(result)


def ladders(campaign: Campaign, result: Result) -> None:
    """Every rung of every kernel, verified and timed cold and hot."""
    scale = campaign.scale
    result["benchmarks"] = []
    for op in scale.ladder_ops:
        command = (campaign.program(scale.ladder), f"--op={op}", *scale.ladder_options, "--benchmark_format=json")
        try:
            keep_rows(campaign, result, campaign.json(*command))
        except RuntimeError as error:
            campaign.fail(f"{op}: {str(error).splitlines()[-1]}")
        campaign.keep(result)
