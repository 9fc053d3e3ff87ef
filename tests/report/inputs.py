# SPDX-License-Identifier: MIT
"""Results to test with. No figure here was measured anywhere."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
sys.path.append(str(ROOT / "tests"))

# A machine of round numbers: 1 TFLOP/s and 100 GB/s, so a ridge at 10 FLOP per byte.
PEAK, BANDWIDTH = 1e12, 1e11
# FLOP and bytes of the steps of an iteration at 512×512.
STEPS = {"conv1_1 forward": (2.6e10, 1e8), "conv1_1 style loss": (2.6e8, 6.7e7), "Adam": (9.4e6, 2.2e7)}
OPERATIONS = {"conv1_1 forward": "first_conv_forward", "conv1_1 style loss": "gram_loss", "Adam": "adam"}


def context(executable, **more):
    return {"date": "2026-01-02T03:04:05+00:00", "executable": f"bin/{executable}", **more}


def entries(name, seconds, **counters):
    """A row with one entry for each of `seconds`, as Google Benchmark writes it."""
    return [
        {"name": name, "run_name": name, "run_type": "iteration", "repetition_index": i,
         "iterations": 1, "real_time": 1e6 * value, "time_unit": "us", **counters}
        for i, value in enumerate(seconds)
    ]  # fmt: skip


def operation(name, seconds, flops, moved, **counters):
    return entries(name, seconds, flops=flops, bytes=moved, **{"verified": 1, **counters})


def ceilings(multiply_adds="fma/512/2", copy="copy/2"):
    """Rows of ceilings_bench."""
    return entries(multiply_adds, [1.0], **{"FLOP/s": PEAK}) + entries(copy, [1.0], **{"bytes/s": BANDWIDTH})


def peers(steps=None, **changes):
    """One contender of each kind, an iteration's steps and the ceilings, in one file."""

    def contender(program, precision, seconds):
        return {"program": program, "form": "", "precision": precision,
                "seconds_per_iteration": seconds, "seconds": [0.9 * seconds, seconds, 1.1 * seconds],
                "peak_memory_bytes": 1 << 20, "agrees": True,
                "differences": {"loss of all pictures": 1e-6}}  # fmt: skip

    steps = steps or {"conv1_1 forward": (0.031, "first_conv_forward"), "Adam": (0.0011, "adam")}
    rows = [entries(f"step/fp32/256/batch:1/{name}", [value], label=label, verified=1)
            for name, (value, label) in steps.items()]  # fmt: skip
    return {
        "context": {"cpu": {"name": "A processor", "cores": 2}, "commit": "0123456789abcdef",
                    "dirty": False, "date": "2026-01-02"},
        "size": 256,
        "contenders": [contender("Impasto", "fp32", 0.3719), contender("Peer", "fp32", 0.7438)],
        "benchmarks": sum(rows, ceilings()),
        **changes,
    }  # fmt: skip


def stage(name, **more):
    """A file of ./dev gpu."""
    about = {"cpu": {"name": "A processor"}, "commit": "0123456789abcdef", "dirty": False,
             "date": "2026-01-02", "gpu": {"name": "NVIDIA Nothing", "driver_version": "570.1"}}  # fmt: skip
    return {"stage": name, "rehearsal": False, "context": about, "complete": True,
            "skipped": None, "failures": [], **more}  # fmt: skip


def write_gpu_run(folder):
    environment = stage("environment", benchmarks=[])
    environment["context"].update(ceiling_copy_bytes_per_second=str(BANDWIDTH), ceiling_tf32_flops=str(PEAK / 2),
                                  ceiling_bf16_flops=str(PEAK))  # fmt: skip
    write(folder / "environment.json", environment)
    write(folder / "tests.json", stage("tests"))
    rows = operation("iteration/bf16/512/batch:1", [3.47e-3], 1e9, 1e8)
    for name, (flops, moved) in STEPS.items():
        rows += operation(f"step/bf16/512/batch:1/{name}", [1.25e-3], flops, moved,
                          label=OPERATIONS[name])  # fmt: skip
    write(folder / "iteration.json", stage(
        "iteration", benchmarks=rows, not_measured=["4096², batch 8, bf16: no room"],
        clocks={"clocks.sm": {"lowest": 1500, "highest": 1980}}))  # fmt: skip
    contenders = [
        {"program": "Impasto", "form": "", "precision": "bf16", "seconds_per_iteration": 2e-3,
         "seconds": [1.9e-3, 2.1e-3], "agrees": True, "differences": {"loss of all pictures": 1e-3}},
        {"program": "PyTorch", "form": "tuned eager", "precision": "autocast", "agrees": True,
         "seconds_per_iteration": 7e-3, "seconds": [7e-3], "differences": {}},
        {"program": "PyTorch", "form": "eager", "precision": "tf32", "agrees": True,
         "seconds_per_iteration": 9e-3, "seconds": [9e-3], "differences": {}},
        {"program": "Impasto", "form": "", "precision": "fp32", "seconds_per_iteration": 8e-3,
         "seconds": [8e-3], "agrees": True, "differences": {}},
        {"program": "PyTorch", "form": "compiled", "precision": "bf16", "error": "no compiler"},
    ]  # fmt: skip
    rows = [{"size": 512, "batch": 1, "contenders": contenders}]
    write(folder / "peers.json", stage("peers", rows=rows))


def write(path, document):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")


def write_benchmarks(path, rows, **more):
    write(path, {"context": context(path.stem, **more), "benchmarks": rows})


def write_machine(folder):
    """Everything that the page can draw."""
    write_benchmarks(
        folder / "ceilings_bench.json",
        ceilings("fma/fp32", "copy/memory"),
        device="A device", driver="570.1",
    )  # fmt: skip
    rows = []
    for rung, share in (("rung_1_naive", 0.25), ("rung_2_tiled", 0.5)):
        for layer, moved in (("conv1_1", 1e8), ("conv3_1", 2e8)):
            seconds = [moved / BANDWIDTH / share * (1 + 0.01 * i) for i in range(5)]
            rows += operation(f"gram/{rung}/{layer}@512/fp32/batch:1", seconds, 5 * moved, moved,
                              error=3e-7)  # fmt: skip
    write_benchmarks(folder / "op_bench.json", rows, device="A device", dirty="true")
    iterations = [
        row
        for size in (256, 512)
        for batch in (1, 4)
        for row in operation(f"iteration/fp32/{size}/batch:{batch}", [0.01 * batch], 1e9, 1e8)
    ]
    for name, (flops, moved) in STEPS.items():
        seconds = 2 * max(flops / PEAK, moved / BANDWIDTH)
        iterations += operation(f"step/fp32/512/batch:1/{name}", [seconds], flops, moved, label=OPERATIONS[name])
    write_benchmarks(folder / "iteration_bench.json", iterations, device="A device")
    counted = entries("gram/rung_1_naive/conv1_1@64/fp32", [1.0], verified=1, bytes=1e6,
                      loaded_bytes=1.5e6, stored_bytes=5e5, barriers=42)  # fmt: skip
    write_benchmarks(folder / "counted.json", counted, device="host-SIMT machine")
