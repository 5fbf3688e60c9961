"""Integer arithmetic in PTX: instructions as tuples, what they mean, and C functions of them.

A number is some limbs of 32 bits in registers such as `a0`, `a1`, ...; C functions take and give it in
words of 64.
"""

import pathlib
import sys

MASK = 2**32 - 1

SUFFIX = {"and": "and.b32", "mov": "mov.u32", "shl": "shl.b32", "shr": "shr.u32", "slct": "slct.u32.s32",
          "shf.l": "shf.l.wrap.b32", "shf.r": "shf.r.wrap.b32"}


class Code:
    """Instructions as tuples (operation, target, operands...)."""

    def __init__(self):
        self.lines = []

    def emit(self, operation, target, *operands):
        self.lines.append((operation, target, *operands))

    def chain(self, base, pairs, end=None):
        """Adds products x * y to pairs of limbs, one carry chain from the first to the last pair.

        A pair is (low target, x, y, low addend, high addend). `end` receives the last carry.
        """
        for index, (low, high, x, y, low_in, high_in) in enumerate(pairs):
            last = index == len(pairs) - 1 and end is None
            self.emit("mad.lo.cc" if index == 0 else "madc.lo.cc", low, x, y, low_in)
            self.emit("madc.hi" if last else "madc.hi.cc", high, x, y, high_in)
        if end is not None:
            self.emit("addc", end, 0, 0)

    def add(self, targets, left, right, carry_in=False, end=None):
        """Adds limbs; `end` receives the carry, which is dropped without it."""
        for index, (target, x, y) in enumerate(zip(targets, left, right)):
            last = index == len(targets) - 1 and end is None
            name = "add" if index == 0 and not carry_in else "addc"
            self.emit(name + ("" if last else ".cc"), target, x, y)
        if end is not None:
            self.emit("addc", end, 0, 0)


def run(lines, values):
    """The registers after the instructions; the meaning of PTX's (ISA 8.3, sections 9.7.1, 9.7.2)."""
    carry = 0

    def get(operand):
        return operand if isinstance(operand, int) else values[operand]

    for operation, target, *operands in lines:
        x = [get(operand) for operand in operands]
        name = operation.split(".")
        sets = name[-1] == "cc"
        takes = name[0] in ("addc", "subc", "madc")
        kind = name[0].removesuffix("c") if takes else name[0]
        if kind in ("mul", "mad"):
            part = x[0] * x[1] >> (32 if name[1] == "hi" else 0) & MASK
            total = part + (x[2] if kind == "mad" else 0) + (carry if takes else 0)
        elif kind == "add":
            total = x[0] + x[1] + (carry if takes else 0)
        elif kind == "sub":
            total = x[0] - x[1] - (carry if takes else 0)
        elif kind == "mov":
            total = x[0]
        elif kind == "slct":
            total = x[0] if x[2] <= MASK >> 1 else x[1]
        elif kind == "and":
            total = x[0] & x[1]
        elif kind == "shl":
            total = x[0] << x[1] & MASK
        elif kind == "shr":
            total = x[0] >> x[1]
        elif operation == "shf.l":
            total = (x[1] << 32 | x[0]) << x[2] >> 32 & MASK
        elif operation == "shf.r":
            total = (x[1] << 32 | x[0]) >> x[2] & MASK
        else:
            raise ValueError(operation)
        values[target] = total & MASK
        if sets:
            carry = 1 if total < 0 or total > MASK else 0
    return values


def registers_of(names, values, count):
    """Numbers in registers, `count` limbs each."""
    return {f"{name}{limb}": value >> 32 * limb & MASK
            for name, value in zip(names, values) for limb in range(count)}


def value_of(name, registers, count):
    """The number that is in registers."""
    return sum(registers[f"{name}{limb}"] << 32 * limb for limb in range(count))


def c_function(comment, struct, name, lines, inputs, words):
    """A C function of instructions: from the numbers `inputs`, a letter each, to the number `r`, all of so many
    words of 64 bits."""
    registers = []
    for _, target, *operands in lines:
        for register in (target, *operands):
            if isinstance(register, str) and register not in registers:
                registers.append(register)
    body = ["{"]
    for start in range(0, len(registers), 16):
        body.append(f".reg .b32 {', '.join(registers[start:start + 16])};")
    for index, operand in enumerate(inputs):
        for word in range(words):
            body.append(f"mov.b64 {{{operand}{2 * word}, {operand}{2 * word + 1}}}, "
                        f"%{words * (1 + index) + word};")
    for operation, target, *operands in lines:
        body.append(f"{SUFFIX.get(operation, operation + '.u32')} {target}, "
                    f"{', '.join(map(str, operands))};")
    for word in range(words):
        body.append(f"mov.b64 %{word}, {{r{2 * word}, r{2 * word + 1}}};")
    body.append("}")
    # A brace that is not escaped stands for the dialects of x86's assembler.
    body = [line.replace("{", "%{").replace("}", "%}") for line in body]
    rows = "\n".join(f'      "{line}\\n"' for line in body)
    parameters = ", ".join(
        f"unsigned long long {operand}{word}" for operand in inputs for word in range(words))
    outputs = ", ".join(f'"=l"(r.limb{word})' for word in range(words))
    operands = ", ".join(f'"l"({operand}{word})' for operand in inputs for word in range(words))
    return f"""/* {comment} */
static inline __attribute__((always_inline)) struct device_{struct}
device_{name}({parameters}) {{
  struct device_{struct} r;
  __asm__(
{rows}
      : {outputs}
      : {operands});
  return r;
}}
"""


def main(usage, path, header, check):
    """Writes a header, or with `--check` checks the instructions and that the header is what is written."""
    script = pathlib.Path(sys.argv[0]).stem
    if sys.argv[1:] == ["--check"]:
        check()
        if not path.exists() or path.read_text() != header():
            sys.exit(f"{script}: {path} is not what the script writes: run it")
    elif not sys.argv[1:]:
        path.write_text(header())
    else:
        sys.exit(usage)
