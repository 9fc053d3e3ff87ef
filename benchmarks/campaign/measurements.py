# SPDX-License-Identifier: MIT
"""Stages that say what the machine is and how long things take on it."""

import time
from functools import partial
from typing import Any, Callable, Dict

from campaign.scale import Campaign, Result, Skipped
from context import Rows, rows_of
from results import SECONDS

MAY_NOT_FIT = 2**25  # pixels of a batch from which on too little memory is no failure
ITERATION = "--benchmark_filter=^iteration/"


def keep_rows(campaign: Campaign, result: Result, document: Result) -> None:
    """Adds a program's rows, and the ceilings that it measured before them."""
    ceilings = {key: value for key, value in document["context"].items() if key.startswith("ceiling_")}
    result["context"] = {**campaign.context, **ceilings}
    result["benchmarks"] += rows_of(document)


def environment(campaign: Campaign, result: Result) -> None:
    """What the machine is, and what it can do at most: times are worth having without that, too."""
    result.update(backends=campaign.json(campaign.impasto, "devices", "--json"), benchmarks=[])
    with campaign.attempt("no ceilings"):
        keep_rows(campaign, result, campaign.benchmark(*campaign.scale.ceilings))
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
            tune = partial(iterations, campaign, side, batch, f"--precision={precision}", ITERATION)
            tasks[f"{precision}, {side}², batch {batch}"] = tune
    for name, task in tasks.items():
        start = time.monotonic()
        with campaign.attempt(name):
            task()
        result["seconds"][name] = round(time.monotonic() - start, 1)
        campaign.keep(result)


def iterations(campaign: Campaign, side: int, batch: int, *options: str) -> Rows:
    """What iteration_bench measures of a shape. Raises where it cannot."""
    scale = campaign.scale
    # Choosing the plans of one shape takes the better part of a minute.
    plans = () if (side, batch) in scale.tuned_shapes else ("--no-plan-cache",)
    shape = (f"--size={side}", f"--batch={batch}", f"--backend={scale.backend}")
    return rows_of(campaign.benchmark("iteration_bench", *shape, f"--benchmark_min_time={scale.min_seconds}", *plans,
                                      *options))  # fmt: skip


def seconds_of(measured: Dict[str, Any]) -> float:
    return float(measured["real_time"]) * SECONDS[measured["time_unit"]]


def iteration(campaign: Campaign, result: Result) -> None:
    """One iteration and its steps, at every size, precision and batch."""
    result.update(benchmarks=[], not_measured=[])
    precisions = campaign.precisions()
    for side, batch in campaign.scale.shapes:
        tuned = (side, batch) in campaign.scale.tuned_shapes
        for precision in precisions:
            try:
                rows = iterations(campaign, side, batch, f"--precision={precision}")
                result["benchmarks"] += [{**row, "tuned": int(tuned)} for row in rows]
            except RuntimeError as error:
                sentence = f"{side}², batch {batch}, {precision}: {error}"
                result["not_measured"].append(sentence)
                if side * side * batch <= MAY_NOT_FIT or campaign.left() <= 0:
                    campaign.fail(sentence)
            campaign.keep(result)


def operations(campaign: Campaign, result: Result) -> None:
    """Every operation alone; on a GPU every rung of its ladder, verified and timed cold and hot."""
    result["benchmarks"] = []
    for program, *options in campaign.scale.operations:
        with campaign.attempt(" ".join((program, *options[:1]))):
            keep_rows(campaign, result, campaign.benchmark(program, *options))
        campaign.keep(result)
