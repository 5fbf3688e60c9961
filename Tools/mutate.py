#!/usr/bin/env python3
"""Checks that breaking a rule makes a test fail.

Makes a scratch copy of the sources in which every rule can be broken by a number in the
environment: a condition that is never true, a comparison that is strict or not, a constant that is
one larger, an opcode of another price. The copy is built once; then the tests run once for each
number. A mutant that no test notices is printed, and the exit status is 1.

    Tools/mutate.py                  all mutants
    Tools/mutate.py --only Journal   those of files whose path contains the word
    Tools/mutate.py --list           what would be done
    Tools/mutate.py --numbers 3,17   some of them, as numbered by --list
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The files that hold the rules.
RULES = [
    "EVM/GasSchedule.swift", "EVM/IntrinsicGas.swift", "EVM/Transaction.swift", "EVM/Machine.swift",
    "EVM/Message.swift", "EVM/Interpreter.swift", "EVM/Opcodes/CallOpcodes.swift",
    "EVM/Opcodes/CreateOpcodes.swift", "EVM/Opcodes/DataOpcodes.swift",
    "EVM/Opcodes/StateOpcodes.swift", "EVM/Opcodes/OpcodeTable.swift",
    "EVM/Opcodes/InstructionTable.swift", "EVM/State/Journal.swift", "EVM/State/Code.swift",
    "EVM/Precompiles/Precompile.swift", "EVM/Precompiles/ECRecoverPrecompile.swift",
    "EVM/Precompiles/SHA256Precompile.swift", "EVM/Precompiles/RIPEMD160Precompile.swift",
    "EVM/Precompiles/IdentityPrecompile.swift", "EVM/Precompiles/ModExpPrecompile.swift",
    "EVM/Precompiles/BN254AddPrecompile.swift", "EVM/Precompiles/BN254MultiplyPrecompile.swift",
    "EVM/Precompiles/BN254PairingPrecompile.swift", "EVM/Precompiles/BLAKE2FPrecompile.swift",
    "EVM/Precompiles/PointEvaluationPrecompile.swift",
    "EVM/Precompiles/BLSG1AddPrecompile.swift", "EVM/Precompiles/BLSG1MSMPrecompile.swift",
    "EVM/Precompiles/BLSG2AddPrecompile.swift", "EVM/Precompiles/BLSG2MSMPrecompile.swift",
    "EVM/Precompiles/BLSPairingPrecompile.swift",
    "EVM/Precompiles/BLSMapFpToG1Precompile.swift",
    "EVM/Precompiles/BLSMapFp2ToG2Precompile.swift", "EVM/Precompiles/P256VerifyPrecompile.swift",
    "EVM/Precompiles/BLSMultiScalarGas.swift",
    "Execution/BaseFee.swift", "Execution/BlobGas.swift", "Execution/Difficulty.swift",
    "Execution/ChainRules.swift", "Execution/HeaderValidation.swift", "Execution/Chain.swift",
    "Execution/DepositRequests.swift", "Execution/SerialExecutor.swift",
    "Execution/WorldState.swift", "Execution/TransactionRunner.swift",
    "Ethereum/Genesis/BlobSchedule.swift",
]

# Mutants that mean the same as the original: file, a piece of the line, the replacement, and why.
EQUIVALENT = [
    ("Transaction.swift", "if exitStatus.isFault { return faulted(exitStatus) }", "false",
     "the status stands in the result either way, and nothing else of it is looked at"),
    ("Transaction.swift", "if type == .blob && blobs > blobsAvailable", "true",
     "other types have no blobs"),
    ("Transaction.swift", "if fork < .berlin { return true }", "false",
     "nothing looks at what is warm before Berlin"),
]

# Files whose constants are layout or arithmetic of their own, not rules.
NO_CONSTANTS = {"EVM/State/Journal.swift", "EVM/State/Code.swift", "EVM/Interpreter.swift",
                "EVM/Opcodes/InstructionTable.swift", "Execution/TransactionRunner.swift",
                "EVM/Precompiles/BLSMultiScalarGas.swift"}

SWITCH = """import Glibc

private let activeMutant: Int = getenv("MUTANT").map { Int(atoi($0)) } ?? 0

/// Whether the tests run against this mutant.
@inline(never)
public func mutant(_ number: Int) -> Bool { activeMutant == number }
"""

MANIFEST = """// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6), .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
  name: "needletail",
  targets: [
    .target(name: "CMachineForms"),
    .target(name: "EVM", dependencies: ["CMachineForms"], swiftSettings: settings),
    .target(name: "Ethereum", dependencies: ["EVM"], swiftSettings: settings),
    .target(name: "Execution", dependencies: ["EVM", "Ethereum"], swiftSettings: settings),
    .target(
      name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
    .testTarget(
      name: "EVMTests", dependencies: ["CMachineForms", "EVM", "TestSupport"],
      resources: [.copy("Vectors")], swiftSettings: settings),
    .testTarget(
      name: "ExecutionTests", dependencies: ["EVM", "Ethereum", "Execution", "TestSupport"],
      swiftSettings: settings),
  ]
)
"""

# The tests of the rules: the others say nothing of them, and take long without optimisation.
TESTED = ["EVMTests/Opcodes", "EVMTests/Transactions", "EVMTests/State", "EVMTests/Precompiles",
          "ExecutionTests"]

# Suites of curves, which run for mutants of precompiles alone.
SLOW = {"BLSPrecompileTests", "BN254PrecompileTests", "ECRecoverPrecompileTests",
        "ModExpPrecompileTests", "P256VerifyPrecompileTests"}


class Mutant:
    """Text from `start` to `end` of a file, and what stands there instead."""

    def __init__(self, path, text, start, end, replacement):
        self.path, self.start, self.end = path, start, end
        self.original, self.replacement = text[start:end], replacement
        self.line = text.count("\n", 0, start) + 1
        self.source = text.splitlines()[self.line - 1].strip()

    def __str__(self):
        original = " ".join(self.original.split())
        return f"{self.path}:{self.line}: {original} -> {self.replacement}    in: {self.source}"


def masked(text):
    """The text with comments and strings blanked, positions unchanged."""
    blank = lambda match: re.sub(r"[^\n]", " ", match.group())
    return re.sub(r'//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text)


def split_terms(text, start, end, separators):
    """The parts of text[start:end] between separators outside brackets, as positions."""
    parts, depth, begin, index = [], 0, start, start
    while index < end:
        character = text[index]
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        for separator in separators:
            if depth == 0 and text.startswith(separator, index):
                parts.append((begin, index))
                begin = index + len(separator)
                index = begin - 1
                break
        index += 1
    parts.append((begin, end))
    result = []
    for begin, finish in parts:
        while begin < finish and text[begin].isspace():
            begin += 1
        while finish > begin and text[finish - 1].isspace():
            finish -= 1
        if begin < finish:
            result.append((begin, finish))
    return result


FLIPPED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}


def condition_mutants(path, text, code, start, end, removed):
    """Mutants of the condition at text[start:end]; `removed` is what it is without the rule."""
    for begin, finish in split_terms(code, start, end, [","]):
        clause = code[begin:finish]
        if re.match(r"(let|var|case)\b", clause) or "#" in clause or "{" in clause:
            continue
        yield Mutant(path, text, begin, finish, removed)
        for separator, neutral in (("&&", "true"), ("||", "false")):
            terms = split_terms(code, begin, finish, [separator])
            if len(terms) > 1:
                for first, last in terms:
                    yield Mutant(path, text, first, last, neutral)
        for first, last in split_terms(code, begin, finish, ["&&", "||"]):
            term = code[first:last]
            found = re.fullmatch(r"(.+?)\s(<|<=|>|>=)\s(.+)", term, re.S)
            if found and not re.search(r"\s(<|<=|>|>=|==|!=)\s", found.group(3)):
                left, operator, right = found.groups()
                yield Mutant(
                    path, text, first, last, f"{left} {FLIPPED[operator]} {right}")


def mutants(path):
    text = (ROOT / "Sources" / path).read_text()
    code = masked(text)
    found = []
    # Conditions.
    for match in re.finditer(r"(?<!#)\bif\s+([^{}]*?)\s\{", code):
        start, end = match.span(1)
        if re.search(r"\b(let|var|case)\b", code[start:end]):
            # `if let a = b, condition`: the parts after the first comma.
            continue
        found += condition_mutants(path, text, code, start, end, "false")
    for match in re.finditer(r"\bguard\s+([^{}]*?)\selse\s\{", code):
        found += condition_mutants(path, text, code, *match.span(1), "true")
    # Forks, wherever they are asked for.
    spans = {(mutant.start, mutant.end) for mutant in found
             if re.search(r"\bfork (<|<=|>|>=) ", mutant.replacement)}
    for match in re.finditer(r"\bfork (<|<=|>|>=|==) (\.\w+)", code):
        if match.span() not in spans:
            operator = FLIPPED[match.group(1)]
            found.append(Mutant(path, text, *match.span(), f"fork {operator} {match.group(2)}"))
    # Constants: whole decimal numbers from 2 on, and limits written as shifts.
    if path not in NO_CONSTANTS:
        for match in re.finditer(r"(?<![\w.$<])([2-9]|[1-9][0-9_]+)(?![\w.])", code):
            line = code[code.rfind("\n", 0, match.start()) + 1:code.find("\n", match.end())]
            if re.match(r"\s*(case \w+ = |#|@)", line) or re.search(r"\bwhile\b", line):
                continue
            value = int(match.group(1).replace("_", ""))
            found.append(Mutant(path, text, *match.span(1), str(value + 1)))
    # Opcodes: another price, a later fork.
    if path.endswith("OpcodeTable.swift"):
        for match in re.finditer(r", (\.\w+), (\.\w+)\)\n", code):
            price = ".mid" if match.group(1) != ".mid" else ".high"
            found.append(Mutant(path, text, *match.span(1), price))
            later = ".amsterdam"
            found.append(Mutant(path, text, *match.span(2), later))
    return found


def is_equivalent(mutant):
    return any(
        mutant.path.endswith(path) and piece in mutant.source
        and (not what or what == mutant.replacement)
        for path, piece, what, *_ in EQUIVALENT)


def combine(path, numbered):
    """The file with all its mutants, each behind its number. Nested ones are applied inside out."""
    text = (ROOT / "Sources" / path).read_text()

    def render(start, end, inside):
        """text[start:end] with the mutants that lie in it."""
        result, position = "", start
        groups = {}
        for number, mutant in inside:
            groups.setdefault((mutant.start, mutant.end), []).append((number, mutant))
        spans = sorted(groups, key=lambda span: (span[0], -span[1]))
        while spans:
            span = spans.pop(0)
            inner = [item for item in inside
                     if span[0] <= item[1].start and item[1].end <= span[1]
                     and (item[1].start, item[1].end) != span]
            spans = [other for other in spans if other[0] >= span[1]]
            result += text[position:span[0]]
            expression = render(span[0], span[1], inner)
            for number, mutant in groups[span]:
                expression = f"(mutant({number}) ? ({mutant.replacement}) : ({expression}))"
            result += expression
            position = span[1]
        return result + text[position:end]

    return render(0, len(text), numbered)


def prepare(scratch, numbered):
    for name in ["Sources/CMachineForms", "Sources/EVM", "Sources/Ethereum", "Sources/Execution",
                 "Tests/TestSupport", "Tests/EVMTests", "Tests/ExecutionTests"]:
        target = scratch / name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("*.docc"))
    (scratch / "Package.swift").write_text(MANIFEST)
    (scratch / "Sources/EVM/Mutant.swift").write_text(SWITCH)
    for path in sorted({mutant.path for _, mutant in numbered}):
        mine = [item for item in numbered if item[1].path == path]
        (scratch / "Sources" / path).write_text(combine(path, mine))


def suites(module="", slow=False):
    """A pattern of the suites that run: of a module, and the slow ones."""
    names = []
    for folder in TESTED:
        if not folder.startswith(module):
            continue
        for path in sorted((ROOT / "Tests" / folder).rglob("*.swift")):
            names += re.findall(r"\b(?:struct|class) (\w+Tests)\b", path.read_text())
    names = [name for name in names if slow or name not in SLOW]
    return r"^(EVM|Execution)Tests\.(" + "|".join(names) + r")\b"


def survives(options, number, mutant):
    """Whether no test fails: the tests of its own module are tried first."""
    slow = "/Precompiles/" in mutant.path
    modules = ["EVMTests", "ExecutionTests"] if mutant.path.startswith("EVM") else [
        "ExecutionTests"]
    return all(
        run(options.scratch, number, options.seconds, suites(module, slow))[0]
        for module in modules)


def run(scratch, number, seconds, pattern):
    """Whether the tests of a pattern pass against a mutant; 0 is none."""
    binary = next(scratch.glob(".build/*/debug/*PackageTests.xctest"))
    environment = dict(os.environ, MUTANT=str(number))
    environment.pop("NEEDLETAIL_FIXTURES", None)
    try:
        done = subprocess.run(
            [str(binary), "--testing-library", "swift-testing", "--filter", pattern], cwd=scratch, env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds)
    except subprocess.TimeoutExpired:
        return False, "timed out"
    return done.returncode == 0, done.stdout.decode(errors="replace")


def build(options, numbered):
    """Makes and builds the scratch copy."""
    prepare(options.scratch, numbered)
    built = subprocess.run(
        ["swift", "build", "--build-tests", "-j", str(options.jobs)], cwd=options.scratch,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if built.returncode != 0:
        lines = built.stdout.decode(errors="replace").splitlines()
        print("\n".join(sorted({line for line in lines if "swift:" in line and "error:" in line})),
              file=sys.stderr)
    return built.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scratch", default="/tmp/needletail-mutants", type=pathlib.Path)
    parser.add_argument("--only", default="", help="files whose path contains this")
    parser.add_argument("--numbers", default="", help="mutants by number")
    parser.add_argument("--list", action="store_true", help="print the mutants and end")
    parser.add_argument("--built", action="store_true", help="the scratch copy is built already")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=120, help="time limit of one run")
    options = parser.parse_args()

    everything = [mutant for path in RULES for mutant in mutants(path)]
    numbered = [(number, mutant) for number, mutant in enumerate(everything, 1)
                if not is_equivalent(mutant)]
    wanted = {int(number) for number in options.numbers.split(",") if number}
    chosen = [(number, mutant) for number, mutant in numbered
              if options.only in mutant.path and (not wanted or number in wanted)]
    if options.list:
        for number, mutant in chosen:
            print(f"{number:4} {mutant}")
        return 0

    if not options.built and not build(options, numbered):
        return 2
    passes, output = run(options.scratch, 0, options.seconds * 5, suites())
    if not passes:
        print(output[-4000:], "\nthe tests fail without any mutant", file=sys.stderr)
        return 2

    survivors = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        tried = pool.map(
            lambda item: (*item, survives(options, *item)), chosen)
        for number, mutant, survived in tried:
            if survived:
                survivors += 1
                print(f"{number:4} {mutant}", flush=True)
    print(f"{len(chosen)} mutants, {survivors} survived")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
