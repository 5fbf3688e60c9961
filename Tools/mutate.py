#!/usr/bin/env python3
"""Checks that breaking a rule makes a test fail.

Makes a scratch copy of the sources in which every rule can be broken by a number in the
environment: a condition that is never true, a comparison that is strict or not, a constant that is
one larger, an opcode of another price. The copy is built once; then the tests run once for each
number. A mutant that no test notices is printed, and the exit status is 1.

    Tools/mutate.py                   all mutants
    Tools/mutate.py --only Journal    those of files whose path contains the word
    Tools/mutate.py --list            what would be done
    Tools/mutate.py --numbers 3,17-20 some of them, as numbered by --list

The runs can be made on another machine, which needs Linux and Python 3.10 but neither Swift nor
the sources. With a results file, what is in it already is not run again:

    Tools/mutate.py --bundle mutants.tar.xz
    Tools/mutate.py --run-bundle mutants.tar.xz --jobs 16 --results results.tsv
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The files that hold the rules: those below Sources that match.
RULES = [
    "EVM/GasSchedule.swift", "EVM/IntrinsicGas.swift", "EVM/Transaction.swift",
    "EVM/Machine*.swift", "EVM/Message.swift", "EVM/Interpreter*.swift",
    "EVM/Interpreter/*.swift", "EVM/Translation/*.swift", "EVM/Opcodes/*Opcodes.swift",
    "EVM/Opcodes/*Table.swift", "EVM/Opcodes/StackOperand.swift", "EVM/StateGas*.swift",
    "EVM/TransferLogs.swift", "EVM/State/Journal.swift", "EVM/State/Code*.swift",
    "EVM/Precompiles/*Precompile.swift", "EVM/Precompiles/BLSMultiScalarGas.swift",
    "Execution/BaseFee.swift", "Execution/BlobGas.swift", "Execution/Difficulty.swift",
    "Execution/ChainRules.swift", "Execution/HeaderValidation.swift", "Execution/Chain.swift",
    "Execution/DepositRequests.swift", "Execution/SerialExecutor.swift",
    "Execution/WorldState*.swift", "Execution/State/*.swift", "Execution/TransactionRunner.swift",
    "Ethereum/Genesis/BlobSchedule.swift",
]

# Mutants that mean the same as the original: file, a piece of the line (or of the mutant as it is
# printed, where the line has others), the replacement, and why.
EQUIVALENT = [
    ("Transaction.swift", "if exitStatus.isFault { return faulted(exitStatus) }", "false",
     "the status stands in the result either way, and nothing else of it is looked at"),
    ("Transaction.swift", "type == .blob -> true    in: if type == .blob && blobs >", "",
     "other types have no blobs"),
    ("Transaction.swift", "if fork < .berlin { return true }", "false",
     "nothing looks at what is warm before Berlin"),
    ("Machine.swift", "if exitStatus.isFault { return }", "false",
     "`finish` ends the run for a fault before it does anything"),
    ("Machine.swift", "|| offset.limb0 > limit ||", "offset.limb0 >= limit",
     "such a place costs more than any block has"),
    ("Machine.swift", "|| offset.limb0 > limit ||", "count.limb0 >= limit",
     "so many bytes cost more than any block has"),
    ("Machine.swift", "if end <= frame.pointee.memoryCount { return .stopped }",
     "end < frame.pointee.memoryCount", "growing to the size that is there costs and does nothing"),
    ("Machine.swift", "if !bytes.fitsUInt64 || bytes.limb0 > 1 << 38 { return Int64.max }", "",
     "`expandMemory`, which follows with the same count, runs out of gas for all of these"),
    ("Message.swift", ": message.kind == .call -> false    in: } else if", "",
     "a call has a payer"),
    ("Message.swift", "message.isDelegated -> true    in: if message.isDelegated && Pre", "",
     "a precompile that no delegation leads to has run above"),
    ("Message.swift", "exitStatus.isSuccess -> true    in: if frame.pointee.kind.isCreate", "",
     "`deploy` does nothing unless code was returned"),
    ("Interpreter.swift", "if offset.fitsUInt64 && UInt64(memoryCount) >= count", "false",
     "a shortcut: `expandMemory` finds the same"),
    ("Interpreter.swift", "if offset.fitsUInt64 && UInt64(memoryCount) >= count",
     "UInt64(memoryCount) > count", "a shortcut: `expandMemory` finds the same"),
    ("Interpreter.swift", "&& offset.limb0 <= UInt64(memoryCount) &- count",
     "offset.limb0 < UInt64(memoryCount) &- count", "a shortcut: `expandMemory` finds the same"),
    ("CallOpcodes.swift", "if count > 0 {", "count >= 0", "it copies no bytes"),
    ("CreateOpcodes.swift", "fork >= .berlin -> true    in: if fork >= .berlin && journal.warm", "",
     "nothing looks at what is warm before Berlin"),
    ("CreateOpcodes.swift", ": bytes > workspace.memoryEnd - memory -> false", "",
     "`own` is past the end then, too"),
    ("CreateOpcodes.swift", ": !journal.touch(beneficiary) -> false", "",
     "setting its balance touches it"),
    ("DataOpcodes.swift", "if count.limb0 == 64 {", "false",
     "a shortcut: the hash that is remembered is that of the bytes"),
    ("DataOpcodes.swift", "if offset.fitsUInt64 && offset.limb0 < count {",
     "offset.limb0 <= count", "the word of no bytes is zero"),
    ("DataOpcodes.swift", "if rest >= 32 {", "rest > 32", "the other way reads 32 bytes as well"),
    ("DataOpcodes.swift", "if rest >= 32 {", "33", "the other way reads 32 bytes as well"),
    ("DataOpcodes.swift", "if !count.fitsUInt64 || count.limb0 > 1 << 38 { return exit",
     "count.limb0 >= 1 << 38", "the data alone costs more than any block has"),
    ("DataOpcodes.swift", "if !count.fitsUInt64 || count.limb0 > 1 << 38 { return exit", "39",
     "the data alone costs more than any block has"),
    ("DataOpcodes.swift", ": !count.fitsUInt64 -> false    in: if !count.fitsUInt64 || count", "",
     "`expandMemory`, which follows, runs out of gas for these"),
    ("StateOpcodes.swift", "fork < .berlin -> false    in: if fork < .berlin || entry", "",
     "the surcharge is zero before Berlin, and nothing looks at what is warm"),
    ("StateOpcodes.swift", ": schedule.storageSentry > 0 -> true", "",
     "without a sentry: no gas, and every store costs some"),
    ("StateOpcodes.swift", "schedule.storageSentry > 0 {", "schedule.storageSentry >= 0",
     "without a sentry: no gas, and every store costs some"),
    ("StateOpcodes.swift", "current != new -> true    in: if current != new && !journal", "",
     "it writes what is there"),
    ("InstructionTable.swift", "if table[count].gas == mark { return }", "false",
     "a shortcut: the table is filled with what it holds"),
    ("Journal.swift", ": !kept.isEmpty -> true", "",
     "what is not loaded has no record of an account that exists"),
    ("Journal.swift", ": !old.contains(.loaded) -> true", "",
     "what existed when it was loaded exists through the whole transaction"),
    ("Code.swift", "if position >= UInt64(count) { return false }", "position > UInt64(count)",
     "the map has a bit more than the code, which is never set"),
    ("PairingPrecompile.swift", "if count > 0 {", "count >= 0",
     "the Miller loop of no pairs gives one"),
    ("PairingPrecompile.swift", "private static var pairsAtOnce: Int { 16 }", "17",
     "the product does not depend on how many are worked on at once"),
    ("ECRecoverPrecompile.swift", "if count >= 32 { return", "count > 32",
     "the other way reads 32 bytes as well"),
    ("ECRecoverPrecompile.swift", "if count >= 32 { return", "33",
     "the other way reads 32 bytes as well"),
    ("ECRecoverPrecompile.swift", "input.count > start else { return .zero }",
     "true", "a loop over no bytes, or fewer, gives zero"),
    ("ECRecoverPrecompile.swift", "input.count > start else { return .zero }",
     "input.count >= start", "a loop over no bytes gives zero"),
    ("ModExpPrecompile.swift", "if size > limit { size = limit }", "size >= limit",
     "it sets what is there"),
    ("ModExpPrecompile.swift", "if exponentLength > UInt256(32) {",
     "exponentLength >= UInt256(32)", "32 bytes have no rest"),
    ("ModExpPrecompile.swift", "baseLength > limit || exponentLength > limit",
     "modulusLength >= limit", "no memory holds so long an output"),
    ("ModExpPrecompile.swift", "if size <= UInt256(64) { return square }", "size < UInt256(64)",
     "the formulas of EIP-198 meet at 64: both give 4,096"),
    ("ModExpPrecompile.swift", "if size <= UInt256(1024) { return", "size < UInt256(1024)",
     "the formulas of EIP-198 meet at 1,024: both give 357,376"),
    ("ModExpPrecompile.swift", "if baseLength >= UInt256(UInt64(input.count)) { return .zero }",
     "baseLength > UInt256(UInt64(input.count))", "an exponent behind the input is zero anyway"),
    ("Chain.swift", "if block.ommers.isEmpty { return [] }", "false",
     "a shortcut: the rest finds nothing to check"),
    ("Difficulty.swift", "Int64(min(age / 10, 1000))", "1001", "it is -99 at least, either way"),
    ("Difficulty.swift", "Int64(min(age / 9, 1000))", "1001", "it is -99 at least, either way"),
    ("Difficulty.swift", "min(period - 2, 255)", "256", "no chain gets to block 25,000,000"),
]

# Files whose constants are layout or arithmetic of their own, not rules.
NO_CONSTANTS = re.compile(
    r"EVM/State/|EVM/Interpreter|EVM/Translation/|EVM/Opcodes/InstructionTable\.swift"
    r"|EVM/Precompiles/BLSMultiScalarGas\.swift"
    r"|Execution/State/|Execution/TransactionRunner\.swift")

SWITCH = """import Glibc

private let activeMutant: Int = getenv("MUTANT").map { Int(atoi($0)) } ?? 0

/// Whether the tests run against this mutant.
@inline(never)
public func mutant(_ number: Int) -> Bool { activeMutant == number }
"""

# Added to the manifest: of its targets, only those that the tests of the rules need.
MANIFEST = """
func names(_ target: Target) -> [String] {
  target.dependencies.compactMap {
    switch $0 {
    case .byNameItem(let name, _), .targetItem(let name, _): name
    default: nil
    }
  }
}
var kept: Set = ["EVMTests", "ExecutionTests"]
for _ in package.targets {
  for target in package.targets where kept.contains(target.name) { kept.formUnion(names(target)) }
}
package.targets.removeAll { !kept.contains($0.name) }
package.products = []
package.dependencies = []
"""

# The tests of the rules: the others say nothing of them, and take long without optimisation.
TESTED = ["EVMTests/Opcodes", "EVMTests/Transactions", "EVMTests/State", "EVMTests/Precompiles",
          "EVMTests/Translation", "ExecutionTests"]

# Suites of curves, which run for mutants of precompiles alone.
SLOW = {"BLSPrecompileTests", "BN254PrecompileTests", "ECRecoverPrecompileTests",
        "ModExpPrecompileTests", "P256VerifyPrecompileTests"}

# Tests that read files of the checkout, which is not there where a bundle runs.
SKIPPED = "theExampleGivesWhatItExpects"


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
    if not NO_CONSTANTS.match(path):
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


def rule_files():
    """The files of RULES, in its order."""
    found = {}
    for pattern in RULES:
        for path in sorted((ROOT / "Sources").glob(pattern)):
            found[str(path.relative_to(ROOT / "Sources"))] = None
    return list(found)


def is_equivalent(mutant):
    return any(
        mutant.path.endswith(path) and piece in str(mutant)
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
    for name in ["Plugins", "Sources", "Tests", "Tools/digest", "Tools/kernels"]:
        shutil.rmtree(scratch / name, ignore_errors=True)
        shutil.copytree(
            ROOT / name, scratch / name,
            ignore=shutil.ignore_patterns("*.docc", "*.ptx", "*.cubin"))
    manifest = (ROOT / "Package.swift").read_text()
    (scratch / "Package.swift").write_text(manifest + MANIFEST)
    (scratch / "Sources/EVM/Mutant.swift").write_text(SWITCH)
    for path in sorted({mutant.path for _, mutant in numbered}):
        mine = [item for item in numbered if item[1].path == path]
        (scratch / "Sources" / path).write_text(combine(path, mine))


def build(options, numbered):
    """Makes and builds the scratch copy; the mutants that compile, or none when it does not build.

    A mutant can be wrong for the compiler (a type, an expression that takes it too long). Those on
    the lines that it complains about are left out, and the rest is built again.
    """
    while numbered:
        prepare(options.scratch, numbered)
        built = subprocess.run(
            ["swift", "build", "--build-tests", "-j", str(options.build_jobs)],
            cwd=options.scratch, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if built.returncode == 0:
            return numbered
        errors = re.findall(r"^(/\S+\.swift):(\d+):\d+: error: (.*)$", built.stdout, re.M)
        wrong = set()
        for path, line, _ in errors:
            lines = pathlib.Path(path).read_text().splitlines()
            wrong |= {int(number) for number in
                      re.findall(r"\bmutant\((\d+)\)", lines[int(line) - 1])}
        left_out = [item for item in numbered if item[0] in wrong]
        if not left_out:
            texts = sorted({":".join(error) for error in errors})
            print("\n".join(texts) or built.stdout[-4000:], file=sys.stderr)
            return []
        for number, mutant in left_out:
            print(f"not compiled: {number:4} {mutant}", file=sys.stderr, flush=True)
        numbered = [item for item in numbered if item[0] not in wrong]
    return []


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


def patterns(mutant):
    """The suites to try, one after the other: those of the mutant's own module first."""
    slow = "/Precompiles/" in mutant.path
    modules = ["EVMTests", "ExecutionTests"] if mutant.path.startswith("EVM") else [
        "ExecutionTests"]
    return [suites(module, slow) for module in modules]


def plan(numbered):
    """What a run has to know of the mutants."""
    return {"all": suites(), "mutants": [
        {"number": number, "text": str(mutant), "patterns": patterns(mutant)}
        for number, mutant in numbered]}


def built_tests(options):
    return next(options.scratch.glob(".build/*/debug/*PackageTests.xctest"))


def pack(options, numbered):
    """Writes the built tests, what they load and the list of mutants into an archive."""
    tests = built_tests(options)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "plan.json").write_text(json.dumps(plan(numbered)))
        for found in tests.parent.glob("*.resources"):
            shutil.copytree(found, folder / found.name)
        (folder / "lib").mkdir()
        needed = subprocess.run(["ldd", str(tests)], check=True, capture_output=True, text=True)
        libraries = re.findall(r"=> (/\S*/swift/linux/\S+)", needed.stdout)
        for source, target in [(tests, folder / "tests")] + [
                (library, folder / "lib") for library in libraries]:
            copy = shutil.copy(source, target)
            subprocess.run(["strip", copy], check=True)
        with tarfile.open(options.bundle, "w:xz", preset=9) as archive:
            archive.add(folder, arcname=".")
    size = os.path.getsize(options.bundle)
    print(f"{options.bundle}: {len(numbered)} mutants, {size / 1e6:.1f} MB")


def run(binary, number, seconds, pattern):
    """What the tests of a pattern say of a mutant, and what they print; 0 is no mutant."""
    environment = dict(os.environ, MUTANT=str(number), SWIFT_BACKTRACE="enable=no")
    environment.pop("NEEDLETAIL_FIXTURES", None)
    if (binary.parent / "lib").is_dir():
        environment["LD_LIBRARY_PATH"] = str(binary.parent / "lib")
    try:
        done = subprocess.run(
            [str(binary), "--testing-library", "swift-testing", "--filter", pattern,
             "--skip", SKIPPED],
            cwd=binary.parent, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=seconds)
    except subprocess.TimeoutExpired:
        return "timed out", ""
    outcome = "passed" if done.returncode == 0 else "failed" if done.returncode > 0 else "crashed"
    return outcome, done.stdout.decode(errors="replace")


def try_mutant(binary, mutant, seconds):
    """What the first pattern that does not pass says, or that the mutant survived; seconds."""
    started = time.monotonic()
    for pattern in mutant["patterns"]:
        outcome, _ = run(binary, mutant["number"], seconds, pattern)
        if outcome != "passed":
            return outcome, time.monotonic() - started
    return "survived", time.monotonic() - started


def run_all(options, binary, plan):
    """Runs the mutants of a plan that have no result yet; the exit status."""
    # A mutant may ask for memory without end, and a trap is no reason to write it all to disk.
    resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    started = time.monotonic()
    outcome, output = run(binary, 0, options.seconds * 5, plan["all"])
    if outcome != "passed":
        print(output[-4000:], f"\nthe tests {outcome} without any mutant", file=sys.stderr)
        return 2
    print(f"without a mutant: {time.monotonic() - started:.1f} s", flush=True)

    results = {}
    if options.results and options.results.exists():
        for line in options.results.read_text().splitlines():
            number, outcome, *_ = line.split("\t")
            results[int(number)] = outcome
    mutants = [mutant for mutant in plan["mutants"]
               if options.only in mutant["text"].split(":")[0]
               and is_wanted(options.numbers, mutant["number"])]
    left = [mutant for mutant in mutants if mutant["number"] not in results]
    file = open(options.results, "a") if options.results else None
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        trials = {pool.submit(try_mutant, binary, mutant, options.seconds): mutant
                  for mutant in left}
        for trial in concurrent.futures.as_completed(trials):
            mutant, (outcome, seconds) = trials[trial], trial.result()
            results[mutant["number"]] = outcome
            if file:
                file.write(f"{mutant['number']}\t{outcome}\t{seconds:.1f}\t{mutant['text']}\n")
                file.flush()

    survivors = [mutant for mutant in mutants if results[mutant["number"]] == "survived"]
    for mutant in survivors:
        print(f"{mutant['number']:4} {mutant['text']}")
    timed_out = sum(results[mutant["number"]] == "timed out" for mutant in mutants)
    print(f"{len(mutants)} mutants, {len(survivors)} survived, {timed_out} timed out; "
          f"{len(left)} of them run now, in {time.monotonic() - started:.0f} s")
    return 1 if survivors else 0


def is_wanted(numbers, number):
    """Whether a number is among those of a text like 3,17-20; an empty text means all."""
    bounds = [part.split("-") for part in numbers.split(",") if part]
    return not bounds or any(int(part[0]) <= number <= int(part[-1]) for part in bounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scratch", default="/tmp/needletail-mutants", type=pathlib.Path)
    parser.add_argument("--only", default="", help="files whose path contains this")
    parser.add_argument("--numbers", default="", help="mutants by number: 3,17-20")
    parser.add_argument("--list", action="store_true", help="print the mutants and end")
    parser.add_argument("--built", action="store_true", help="the scratch copy is built already")
    parser.add_argument("--bundle", metavar="FILE",
                        help="build, write an archive for another machine and end")
    parser.add_argument("--run-bundle", metavar="FILE", help="run what is in such an archive")
    parser.add_argument("--results", type=pathlib.Path, metavar="FILE",
                        help="add each result to this file; what is in it is not run again")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--build-jobs", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=40, help="time limit of one run")
    options = parser.parse_args()

    if options.run_bundle:
        with tempfile.TemporaryDirectory() as folder:
            with tarfile.open(options.run_bundle) as archive:
                archive.extractall(folder, filter="data")
            unpacked = pathlib.Path(folder)
            return run_all(
                options, unpacked / "tests", json.loads((unpacked / "plan.json").read_text()))

    everything = [mutant for path in rule_files() for mutant in mutants(path)]
    numbered = [(number, mutant) for number, mutant in enumerate(everything, 1)
                if not is_equivalent(mutant)]
    if options.list:
        for number, mutant in numbered:
            if options.only in mutant.path and is_wanted(options.numbers, number):
                print(f"{number:4} {mutant}")
        return 0
    if options.built:
        present = set()
        for path in (options.scratch / "Sources").rglob("*.swift"):
            present |= set(re.findall(r"\bmutant\((\d+)\)", path.read_text()))
        numbered = [item for item in numbered if str(item[0]) in present]
    else:
        numbered = build(options, numbered)
    if not numbered:
        return 2
    if options.bundle:
        pack(options, numbered)
        return 0
    return run_all(options, built_tests(options), plan(numbered))


if __name__ == "__main__":
    sys.exit(main())
