# SPDX-License-Identifier: MIT
"""Numbers and names as the page shows them."""

from typing import Any, Dict

from report.rows import truthy

PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


def digits(value: float) -> str:
    """Three significant ones at most."""
    if value >= 100:
        return f"{value:.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 0.01 or value == 0 else f"{value:.1e}"


def time(seconds: float) -> str:
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= factor:
            return f"{digits(seconds / factor)} {unit}"
    return f"{digits(seconds / 1e-9)} ns"


def with_unit(value: float, unit: str) -> str:
    for factor, prefix in PREFIXES:
        if value >= factor:
            return f"{digits(value / factor)} {prefix}{unit}"
    return f"{digits(value)} {unit}"


def tick(value: float) -> str:
    """A tick of an axis: 0, 0.1, 10, 2000, 1e+06."""
    return f"{value:g}" if value == 0 or 1e-3 <= value < 1e5 else f"{value:.0e}"


def percent(share: float) -> str:
    value = 100 * share
    return f"{value:.0f} %" if value >= 10 or value == 0 else f"{value:.1f} %"


def device(context: Dict[str, Any]) -> str:
    if "device" in context:
        return str(context["device"])
    if context.get("gpu"):
        return str(context["gpu"]["name"])
    if "cpu" in context:
        cpu = context["cpu"]
        virtual = ", virtual machine" if cpu.get("hypervisor") else ""
        return f"{cpu['name']}, {cpu.get('cores', '?')} cores{virtual}"
    return "device not recorded"


def origin(context: Dict[str, Any]) -> str:
    """Where a figure was measured, in a line."""
    commit = str(context.get("commit", ""))[:10]
    state = " with uncommitted changes" if truthy(context.get("dirty")) else ""
    about = f"commit {commit}{state}" if commit else "commit not recorded"
    return f"{device(context)}; {about}; {str(context.get('date', 'date not recorded'))[:10]}"
