# SPDX-License-Identifier: MIT
"""Stages that say what the machine is and how long things take on it."""

import json
import time
from functools import partial
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
    with campaign.attempt("no ceilings"):
        keep_rows(campaign, result, campaign.json(campaign.program(program), "--benchmark_format=json", *options))
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
    every_plan = (campaign.impasto, "devices", "--tune", "--size", str(scale.sample_size), "--precision", precisions[0])
    tasks: Dict[str, Callable[[], object]] = {}
    half = campaign.left() / 2
    tasks[f"{precisions[0]}, every plan"] = partial(campaign.execute, *every_plan, timeout=half)
    for side, batch in scale.tuned_shapes:
        for precision in precisions:
            options = (*shape_options(side, batch, precision), ITERATION)
            tasks[f"{precision}, {side}², batch {batch}"] = partial(benchmark, campaign, "iteration_bench", *options)
    for name, tune in tasks.items():
        start = time.monotonic()
        with campaign.attempt(name):
            tune()
        result["seconds"][name] = round(time.monotonic() - start, 1)
        campaign.keep(result)


def benchmark(campaign: Campaign, program: str, *options: str) -> Rows:
    """The rows of one of our Google Benchmark programs. Raises for one that could not be measured."""
    scale = campaign.scale
    chosen = (f"--backend={scale.backend}", f"--benchmark_min_time={scale.min_seconds}")
    return rows_of(campaign.json(campaign.program(program), "--benchmark_format=json", *options, *chosen))


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
    program, *options = campaign.scale.ladder
    result["benchmarks"] = []
    for op in campaign.scale.ladder_ops:
        with campaign.attempt(op):
            command = (campaign.program(program), f"--op={op}", *options, "--benchmark_format=json")
            keep_rows(campaign, result, campaign.json(*command))
        campaign.keep(result)
