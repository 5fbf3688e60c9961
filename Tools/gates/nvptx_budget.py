"""Prints what each kernel takes, and fails when it is more than nvptx.budget.json allows.

    nvptx_budget.py --arch sm_90 --folder FOLDER [--update]

The folder is one of Tools/kernels/image. A kernel takes registers, stack and spills a lane, and
bytes of code; the spills of the functions that the kernels of a module call have one budget. `--update` writes the budget anew from what is measured,
with room of a twentieth where it is not a register: for a change that is meant to cost more, and
says so where it is committed.
"""

import argparse
import json
import pathlib
import re
import struct
import sys

BUDGET = pathlib.Path(__file__).resolve().parent / "nvptx.budget.json"
TITLES = {
    "registers": "registers", "stack": "stack bytes", "spills": "spill bytes",
    "code": "code bytes",
}


class BudgetError(Exception):
    """A report that can not be read, or a budget that lacks something."""


def read_log(text):
    """Registers, stack and spills of each kernel, and the spills of the functions they call.

    The stack is that of a kernel and all it calls; spills are bytes stored and loaded by its own
    code. The form is that of `ptxas -v` of CUDA 13.0.
    """
    kernels, functions = {}, []
    name = kernel = None
    for line in text.splitlines():
        if match := re.search(r"Compiling entry function '(\w+)'", line):
            kernel = match.group(1)
            kernels[kernel] = {}
        elif match := re.search(r"Function properties for (.*)", line):
            name = match.group(1)
        elif match := re.search(
                r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", line):
            frame, stores, loads = map(int, match.groups())
            if name == kernel:
                kernels[name] |= {"stack": frame, "spills": stores + loads}
            else:
                functions.append((stores + loads, name))
        elif match := re.search(r"Used (\d+) registers", line):
            kernels[kernel]["registers"] = int(match.group(1))
            if match := re.search(r"(\d+) bytes cumulative stack size", line):
                kernels[kernel]["stack"] = int(match.group(1))
    for kernel, figures in kernels.items():
        if figures.keys() != {"registers", "stack", "spills"}:
            raise BudgetError(f"the assembler's log does not say all of {kernel}")
    if not kernels:
        raise BudgetError("the assembler's log has no kernel")
    return kernels, functions


def section_sizes(image):
    """The bytes of each section of a 64-bit ELF file, by name."""
    if image[:4] != b"\x7fELF":
        raise BudgetError("the image is no machine code")
    offset, = struct.unpack_from("<Q", image, 0x28)
    entry, count, names = struct.unpack_from("<HHH", image, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", image, offset + entry * i) for i in range(count)]
    start = headers[names][4]
    sizes = {}
    for header in headers:
        end = image.index(b"\0", start + header[0])
        sizes[image[start + header[0]:end].decode()] = header[5]
    return sizes


def measure(log, image):
    """Every figure of every kernel, and the spills of the functions that they call."""
    kernels, functions = read_log(log)
    sizes = section_sizes(image)
    for kernel, figures in kernels.items():
        # The functions that a kernel calls lie in its own section.
        figures["code"] = sizes[f".text.{kernel}"]
    return kernels, functions


def compare(module, kernels, function_spills, budget):
    """What passes the budget of a module, as sentences."""
    failures = []
    if function_spills > budget["functionSpills"]:
        failures.append(
            f"functions of {module} spill {function_spills} bytes, the budget is "
            f"{budget['functionSpills']}")
    budget = budget["kernels"]
    for kernel, figures in kernels.items():
        if kernel not in budget:
            failures.append(f"{kernel} has no budget")
            continue
        for key, title in TITLES.items():
            if key not in budget[kernel]:
                failures.append(f"{kernel} has no budget of {title}")
            elif figures[key] > budget[kernel][key]:
                failures.append(
                    f"{kernel} takes {figures[key]} {title}, the budget is {budget[kernel][key]}")
    failures += [f"{kernel} has a budget but is no kernel" for kernel in budget.keys() - kernels]
    return failures


def with_room(key, value):
    """A budget for what was measured."""
    return value if key == "registers" else value + max(value // 20, 64)


def print_table(kernels, budget):
    """The figures with their budgets."""
    width = max(map(len, kernels))
    print(" " * width + "".join(f"{title:>24}" for title in TITLES.values()))
    for kernel, figures in kernels.items():
        allowed = budget.get(kernel, {})
        cells = [f"{figures[key]} of {allowed.get(key, '-')}" for key in TITLES]
        print(f"{kernel:{width}}" + "".join(f"{cell:>24}" for cell in cells))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--arch", required=True, help="the device, such as sm_90")
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="where the images are")
    parser.add_argument("--budget", type=pathlib.Path, default=BUDGET, help="another budget")
    parser.add_argument("--update", action="store_true", help="write the budget anew")
    arguments = parser.parse_args()
    ending = f".{arguments.arch}.cubin"
    try:
        modules = {
            image.name.removesuffix(ending): measure(
                image.with_name(image.name.removesuffix(ending) + ".ptxas.log").read_text(),
                image.read_bytes())
            for image in sorted(arguments.folder.glob(f"*{ending}"))}
        if not modules:
            raise BudgetError(f"{arguments.folder} has no machine code for {arguments.arch}")
        budgets = json.loads(arguments.budget.read_text()) if arguments.budget.exists() else {}
        if arguments.update:
            budgets[arguments.arch] = {
                module: {
                    "functionSpills": with_room("spills", sum(spills for spills, _ in functions)),
                    "kernels": {
                        kernel: {key: with_room(key, figures[key]) for key in TITLES}
                        for kernel, figures in kernels.items()}}
                for module, (kernels, functions) in modules.items()}
            arguments.budget.write_text(json.dumps(budgets, indent=2) + "\n")
        budget = budgets.get(arguments.arch)
        if budget is None or budget.keys() != modules.keys():
            raise BudgetError(
                f"{arguments.budget.name} has no budget for just the modules {', '.join(modules)} "
                f"of {arguments.arch}")
    except (BudgetError, OSError, ValueError) as error:
        sys.exit(f"nvptx: {error}")
    failures = []
    for module, (kernels, functions) in modules.items():
        function_spills = sum(spills for spills, _ in functions)
        print_table(kernels, budget[module]["kernels"])
        print(f"{module}: {len(functions)} functions out of line, {function_spills} of "
              f"{budget[module]['functionSpills']} bytes of spills; the most in:")
        for spills, name in sorted(functions, reverse=True)[:6]:
            if spills:
                print(f"  {spills:6} {name}")
        failures += compare(module, kernels, function_spills, budget[module])
    for failure in failures:
        print(f"nvptx: {failure}", file=sys.stderr)
    if failures:
        sys.exit("nvptx: over budget; if that is meant, run Tools/gates/nvptx_budget.py --update")


if __name__ == "__main__":
    main()
