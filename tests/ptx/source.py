# SPDX-License-Identifier: MIT
"""The text of a PTX file as kernels, and of a kernel as statements."""

import re
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple, Union

import numpy as np


class PtxError(Exception):
    """What a kernel does that PTX does not allow, or what is not known here."""


TYPES = {
    f"{kind}{bits}": np.dtype(f"{'i' if kind == 's' else 'u'}{bits // 8}") for kind in "sub" for bits in (8, 16, 32, 64)
}
TYPES.update(f32=np.dtype("f4"), f64=np.dtype("f8"), f16=np.dtype("u2"), bf16=np.dtype("u2"), pred=np.dtype("?"))


class Statement(NamedTuple):
    guard: Optional[str]  # "%p1" or "!%p1"
    opcode: str
    operands: Tuple[str, ...]

    def __str__(self) -> str:
        guard = f"@{self.guard} " if self.guard else ""
        return f"{guard}{self.opcode} {', '.join(self.operands)}".rstrip()


class Function:
    """The text of a kernel, or of a function that kernels call."""

    def __init__(self, name: str, parameters: str, body: str):
        self.name = name
        declared = re.findall(r"\.param(?: \.align (\d+))? \.(\w+) ([\w$]+)(?:\[(\d+)\])?", parameters)
        self.parameters = [
            (parameter, TYPES[kind].itemsize * int(count or 1), int(align or TYPES[kind].itemsize))
            for align, kind, parameter, count in declared
        ]
        self.registers: Dict[str, str] = {}  # their type by the name without the number
        self.shared = shared_variables(body)
        self.statements: List[Union[str, Statement]] = []  # a label is a string
        for text in body.split(";"):
            self._read(" ".join(text.split()))

    def _read(self, text: str) -> None:
        label = re.match(r"([$\w]+): ?", text)
        while label or text[:1] in ("{", "}"):  # braces around statements: scopes, which have no meaning here
            if label:
                self.statements.append(label.group(1))
            text = text[label.end() if label else 1 :].lstrip()
            label = re.match(r"([$\w]+): ?", text)
        declared = re.match(r"\.(?:reg|param) \.(\w+) (%?\w+)", text)
        if declared:
            self.registers[declared.group(2)] = declared.group(1)
        elif text and not text.startswith((".pragma", ".shared")):
            self.statements.append(statement(text))


def shared_variables(text: str) -> Dict[str, Tuple[int, int]]:
    """Size and alignment by name; the size is 0 if the launch gives it."""
    found = re.findall(r"\.shared \.align (\d+) \.(\w+) ([\w$]+)(\[\d*\])?", text)
    return {
        name: (TYPES[kind].itemsize * (int(count[1:-1] or 0) if count else 1), int(align))
        for align, kind, name, count in found
    }


def statement(text: str) -> Statement:
    parts = re.fullmatch(r"(?:@(!?%\w+) )?([\w.:]+) ?(.*)", text)
    if parts is None:
        raise PtxError(f"this is no statement of PTX: {text}")
    operands = re.findall(r"\{[^}]*\}|\[[^\]]*\]|\([^)]*\)|[^,\s]+", parts.group(3))
    return Statement(parts.group(1), parts.group(2), tuple(operands))


# One with a body, whose last brace stands in the first column.
FUNCTION = re.compile(r"^(?:\.\w+ )?\.(entry|func) (\w+)\s*\(([^)]*)\)([^{;]*)\{(.*?)^\}", re.MULTILINE | re.DOTALL)


class Module:
    """A PTX file; `kernels` are the mangled names of those in it."""

    def __init__(self, text: str):
        # Inline assembly may have lines that look like the end of a function.
        text = re.sub(r"// begin inline asm.*?// end", lambda t: t[0].replace("\n}", " }"), text, flags=re.DOTALL)
        text = re.sub(r"//[^\n]*", "", text)
        functions = FUNCTION.findall(text)
        self.kernels = [name for kind, name, *_ in functions if kind == "entry"]
        self._texts = {name: (parameters, body) for _, name, parameters, _, body in functions}
        self._bounds = {name: directives for _, name, _, directives, _ in functions}
        self.shared = shared_variables(FUNCTION.sub("", text))

    def text(self, kernel: str) -> str:
        return self._texts[kernel][1]

    def threads(self, kernel: str) -> int:
        """Of a block, from __launch_bounds__."""
        return int(re.search(r"\.maxntid (\d+)", self._bounds[kernel]).group(1))

    def kernel(self, name: str, change: Callable[[str], str] = str) -> Function:
        """A kernel with the functions that it calls; `change` may make a mutant of its text."""
        parameters, body = self._texts[name]
        whole = Function(name, parameters, change(body))
        self._inline_calls(whole)
        whole.shared = {**self.shared, **whole.shared}
        return whole

    def _inline_calls(self, caller: Function) -> None:
        """Puts the body of a function, which returns nothing, where it is called."""
        inlined: List[Union[str, Statement]] = []
        for number, step in enumerate(caller.statements):
            if isinstance(step, str) or step.opcode != "call.uni":
                inlined.append(step)
                continue
            callee = Function(step.operands[0], *self._texts[step.operands[0]])
            arguments = step.operands[1].strip("()").replace(",", " ").split()
            end = f"$end.{number}"
            inlined += [self._inlined(line, callee, arguments, number, end) for line in callee.statements]
            inlined.append(end)
            caller.registers.update({f"{name}{number}.": kind for name, kind in callee.registers.items()})
            caller.shared.update(callee.shared)
        caller.statements = inlined

    @staticmethod
    def _inlined(
        line: Union[str, Statement], callee: Function, arguments: List[str], number: int, end: str
    ) -> Union[str, Statement]:
        """A line of the callee in the caller: "%r7" becomes "%r<number>.7", its parameters the arguments."""
        own = "|".join(map(re.escape, callee.registers))

        def renamed(text: str) -> str:
            text = re.sub(rf"({own})(?=\d)", rf"\g<1>{number}.", text)
            text = re.sub(r"(\$L\w+)", rf"\1.{number}", text)
            for (parameter, *_), argument in zip(callee.parameters, arguments):
                text = text.replace(f"[{parameter}]", f"[{argument}]")
            return text

        if isinstance(line, str):
            return renamed(line)
        guard = line.guard and renamed(line.guard)
        if line.opcode == "ret":
            return Statement(guard, "bra", (end,))
        return Statement(guard, line.opcode, tuple(map(renamed, line.operands)))
