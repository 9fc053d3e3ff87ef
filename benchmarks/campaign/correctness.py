# SPDX-License-Identifier: MIT
"""Stages that find out whether what is computed is right."""

import json
import math
import os
import shutil
from pathlib import Path
from typing import Any, Dict

from campaign.scale import Campaign, Result, Skipped
from peers.agreement import differences, relative_difference
from peers.runs import Run, stylize

STRICT_LIMIT = 1e-4  # of fp32's loss against the CPU's, over the first iterations
COMPARED_ITERATIONS = 10
FINAL_LIMIT = 1e-2  # of another precision's last loss against fp32's
# compute-sanitizer's tools, and the tests they watch. racecheck does not follow what TMA and wgmma do in shared
# memory: what it says of these rungs must not hide what it says of the others.
SANITIZERS = {
    "memcheck": ("memcheck", "*"),
    "racecheck": ("racecheck", "-*wgmma*"),
    "synccheck": ("synccheck", "*"),
    "initcheck": ("initcheck", "*"),
    "racecheck of wgmma": ("racecheck", "*wgmma*"),
}


def run_tests(campaign: Campaign, name: str, *command: str, timeout: float = 3600) -> Dict[str, Any]:
    """One GoogleTest program: how many of its tests ran, and which failed. Notes what is wrong."""
    report = campaign.scratch / "tests.json"
    report.unlink(missing_ok=True)
    trouble = ""
    try:
        campaign.execute(*command, f"--gtest_output=json:{report}", timeout=timeout)
    except RuntimeError as error:
        trouble = str(error)[-4000:]
    suites = json.loads(report.read_text(encoding="utf-8"))["testsuites"] if report.exists() else []
    tests = [{**test, "name": f"{suite['name']}.{test['name']}"} for suite in suites for test in suite["testsuite"]]
    skipped = [test["name"] for test in tests if test["result"] == "SKIPPED"]
    ran = [test for test in tests if test["status"] == "RUN" and test["name"] not in skipped]
    failed = [test["name"] for test in ran if test.get("failures")]
    if failed:
        campaign.fail(f"{name}: {len(failed)} tests failed, {failed[0]} first")
    elif trouble or not ran:
        campaign.fail(f"{name}: {trouble or 'no test ran'}")
    return {"ran": len(ran), "failed": failed, "skipped": skipped, "trouble": trouble}


def tests(campaign: Campaign, result: Result) -> None:
    """Every kernel against its reference, then every operation of the backend against the same."""
    scale = campaign.scale
    result["programs"] = {}
    for program, *options in scale.tests:
        result["programs"][program] = run_tests(campaign, program, campaign.program(program), *options)
        campaign.keep(result)
    result["check"] = {}
    for precision in campaign.precisions(scale.check_backend):
        options = ("--backend", scale.check_backend, "--precision", precision, "--json")
        with campaign.attempt(f"check in {precision}"):
            cases = campaign.json(campaign.impasto, "check", *options, timeout=60)["results"]
            worst = {case["op"]: max(c["error"] for c in cases if c["op"] == case["op"]) for case in cases}
            result["check"][precision] = {"cases": len(cases), "worst": worst}
            campaign.keep(result)


def sanitizer(campaign: Campaign, result: Result) -> None:
    """compute-sanitizer's four tools over the kernels' tests."""
    tool = shutil.which("compute-sanitizer", path=os.environ["PATH"] + ":/usr/local/cuda/bin")
    if tool is None:
        raise Skipped("no compute-sanitizer on the path")
    result["tools"] = {}
    for number, (name, (check, tests)) in enumerate(SANITIZERS.items()):
        seconds = campaign.left() / (len(SANITIZERS) - number)
        command = (tool, "--tool", check, "--error-exitcode", "9", campaign.program("cuda_kernels_test"))
        command += (f"--gtest_filter={tests}",)
        result["tools"][name] = run_tests(campaign, name, *command, timeout=seconds)
        campaign.keep(result)


def stylize_samples(campaign: Campaign, picture: Path, backend: str, precision: str, iterations: int) -> Run:
    """As anybody would, by the default preset."""
    weights = campaign.scratch / "weights.h5"
    if not weights.exists():
        campaign.execute(campaign.impasto, "weights", "generate", str(weights))
    command = [campaign.impasto, "stylize", "sample:scene", "sample:painting", "-o", str(picture)]
    command += ["--size", str(campaign.scale.sample_size), "--weights", str(weights)]
    command += ["--iterations", str(iterations), "--device", backend, "--precision", precision]
    return stylize(command, campaign.scratch / "log.jsonl", timeout=campaign.left())


def stylization(campaign: Campaign, result: Result) -> None:
    """A whole stylization in every precision, beside the CPU's; the pictures are kept."""
    scale = campaign.scale
    folder = campaign.output / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    expected = stylize_samples(campaign, folder / "cpu.png", "cpu", "fp32", scale.cpu_iterations).records
    result.update(size=scale.sample_size, iterations=scale.iterations, runs={})
    precisions = sorted(campaign.precisions(), key=lambda name: name != "fp32")
    final = math.nan
    for precision in precisions:
        picture = folder / f"{precision}.png"
        run = stylize_samples(campaign, picture, scale.backend, precision, scale.iterations)
        first, last = run.records[0]["loss"], run.records[-1]["loss"]
        if precision == "fp32":
            final = last
            count = COMPARED_ITERATIONS + 1
            found = differences(expected[:count], run.records[:count])["loss of all pictures"]
            result["fp32_against_cpu"] = {"difference": found.value, "limit": STRICT_LIMIT}
            if not found.value <= STRICT_LIMIT:
                campaign.fail(f"fp32 differs from the CPU by {found.value:.1e} ({found.where})")
        difference = relative_difference(last, final)
        if not difference <= FINAL_LIMIT:
            campaign.fail(f"{precision}: the last loss differs from fp32's by {difference:.1e}")
        result["runs"][precision] = {
            "first_loss": first,
            "last_loss": last,
            "difference_from_fp32": difference,
            "limit": FINAL_LIMIT,
            "seconds": run.end["seconds"],
            "sha256": run.end["sha256"],
        }
        campaign.keep(result)


def determinism(campaign: Campaign, result: Result) -> None:
    """The same run again and again must give the same file."""
    scale = campaign.scale
    result["hashes"] = {}
    for precision in campaign.precisions():
        # Every precision is run more than once, the default one many times.
        count = scale.repetitions if not result["hashes"] else 2
        picture = campaign.scratch / "again.png"
        runs = [stylize_samples(campaign, picture, scale.backend, precision, 10) for _ in range(count)]
        hashes = sorted({run.end["sha256"] for run in runs})
        result["hashes"][precision] = {"runs": count, "sha256": hashes}
        if len(hashes) != 1:
            campaign.fail(f"{precision}: {len(hashes)} different pictures in {count} runs")
        campaign.keep(result)
