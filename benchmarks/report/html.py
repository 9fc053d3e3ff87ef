# SPDX-License-Identifier: MIT
"""The page's few elements."""

from html import escape
from typing import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]], cls: str = "") -> str:
    """The first column to the left, the others by what they hold: the style sheet decides."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f'<div class="scroll"><table class="{cls}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def figure(title: str, drawings: str, caption: str, keys: str = "") -> str:
    """`keys` is HTML: the names of the colours."""
    return (
        f"<figure><h3>{escape(title)}{keys}</h3>{drawings}"
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def colour_keys(classes: Sequence[str]) -> str:
    return "".join(f' <span class="key {escape(cls)}">{escape(cls)}</span>' for cls in classes)
