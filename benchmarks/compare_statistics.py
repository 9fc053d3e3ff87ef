# SPDX-License-Identifier: MIT
"""The Mann-Whitney U test: whether one sample tends to be larger than another, from ranks alone."""

import math
from functools import lru_cache
from typing import List, Sequence, Tuple

# Up to 20 on each side orders are counted one by one; beyond, the normal distribution is near.
EXACT_PAIRS = 400


def ranks(values: Sequence[float]) -> List[float]:
    """From 1; equal values share the mean of their ranks."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    found = [0.0] * len(values)
    start = 0
    while start < len(order):
        stop = start
        while stop < len(order) and values[order[stop]] == values[order[start]]:
            stop += 1
        for i in order[start:stop]:
            found[i] = (start + 1 + stop) / 2
        start = stop
    return found


@lru_cache(maxsize=None)
def orders(u: int, n: int, m: int) -> int:
    """In how many of the orders of n and m different values the statistic is u: the largest value
    belongs to the first sample and exceeds all m of the second, or it belongs to the second."""
    if u < 0 or n < 0 or m < 0:
        return 0
    if n == 0 or m == 0:
        return 1 if u == 0 else 0
    return orders(u - m, n - 1, m) + orders(u, n, m - 1)


def exact_p(u: float, n: int, m: int) -> float:
    """Two-sided, without ties."""
    farthest = int(max(u, n * m - u))
    tail = sum(orders(k, n, m) for k in range(farthest, n * m + 1))
    return min(1.0, 2 * tail / math.comb(n + m, n))


def normal_p(u: float, n: int, m: int, values: Sequence[float]) -> float:
    """Two-sided, with the correction for ties and for continuity."""
    total = n + m
    ties = sum(values.count(value) ** 3 - values.count(value) for value in set(values))
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance == 0:
        return 1.0
    z = (abs(u - n * m / 2) - 0.5) / math.sqrt(variance)
    return min(1.0, math.erfc(z / math.sqrt(2)))


def mann_whitney(first: Sequence[float], second: Sequence[float]) -> Tuple[float, float]:
    """The statistic U of the first sample and the two-sided p-value."""
    n, m = len(first), len(second)
    values = [*first, *second]
    u = sum(ranks(values)[:n]) - n * (n + 1) / 2
    if len(set(values)) == len(values) and n * m <= EXACT_PAIRS:
        return u, exact_p(u, n, m)
    return u, normal_p(u, n, m, values)


def least_p(n: int, m: int) -> float:
    """What two samples of these sizes can show at most."""
    return 2 / math.comb(n + m, n)
