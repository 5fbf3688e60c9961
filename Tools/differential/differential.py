"""Run random and mutated blocks through the executable specification and through an engine.

    python differential.py --engine .build/release/needletail --count 5000

Each case is one block of 1 to 12 transactions. Every field of the transition tool's output has to
agree: post-state, receipts, gas, roots, rejected transactions with the kind of reason, requests.
A difference is made smaller, written to the work folder, and the exit status is 1.
"""

import argparse
import collections
import hashlib
import json
import multiprocessing
import os
import subprocess
import sys
import time
import zlib

import compare
import generator
import minimise
import mutation
import oracle

_OPTIONS = None


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--engine", default=".build/release/needletail",
                        help="the needletail binary, or `oracle` to compare the oracle with itself")
    parser.add_argument("--count", type=int, default=1000, help="number of blocks")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--mutated", type=int, default=25,
                        help="percentage of blocks mutated from state-test fixtures")
    parser.add_argument("--fixtures", default=os.environ.get("NEEDLETAIL_FIXTURES", ".fixtures"))
    parser.add_argument("--fork", help="this fork only (random blocks)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--work", default=".scratch/differential",
                        help="folder of the oracle's answers and of differing cases")
    parser.add_argument("--no-cache", action="store_true", help="ask the oracle again")
    parser.add_argument("--no-minimise", action="store_true")
    parser.add_argument("--case", nargs="+", help="run these case files instead of seeds")
    parser.add_argument("--stop-after", type=int, default=20, help="stop after this many differences")
    parser.add_argument("--seconds", type=float, default=float("inf"),
                        help="stop after this time and say which seeds are done")
    return parser.parse_args()


def build(seed):
    """The case of a seed."""
    if seed % 100 < _OPTIONS.mutated:
        case = mutation.block(seed, _OPTIONS.fixtures)
        if case is not None:
            return case
    return generator.block(seed, _OPTIONS.fork)


def expected(case):
    """The oracle's answer, from disk where it was asked before."""
    if _OPTIONS.no_cache:
        return oracle.expected(case)
    digest = hashlib.sha256(json.dumps(case, sort_keys=True).encode()).hexdigest()
    path = os.path.join(_OPTIONS.work, "oracle", digest[:2], digest + ".json.z")
    if os.path.exists(path):
        with open(path, "rb") as file:
            answer = json.loads(zlib.decompress(file.read()))
    else:
        try:
            answer = oracle.expected(case)
        except oracle.OracleFailure as error:
            answer = {"failure": str(error)}
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + f".{os.getpid()}", "wb") as file:
            file.write(zlib.compress(json.dumps(answer).encode(), 6))
        os.replace(path + f".{os.getpid()}", path)
    if "failure" in answer:
        raise oracle.OracleFailure(answer["failure"])
    return answer


def ask_engine(case):
    """The engine's answer, or the reason why there is none."""
    if _OPTIONS.engine == "oracle":
        return oracle.expected(case), None
    command = [
        _OPTIONS.engine, "t8n", "--input.alloc=stdin", "--input.env=stdin", "--input.txs=stdin",
        "--output.alloc=stdout", "--output.result=stdout", f"--state.fork={case['fork']}",
        f"--state.chainid={case['chainId']}", f"--state.reward={case['reward']}",
    ]
    try:
        done = subprocess.run(command, input=json.dumps(case["input"]).encode(),
                              capture_output=True, timeout=120)
    except subprocess.TimeoutExpired:
        return None, "engine: no answer in 120 s"
    if done.returncode != 0:
        return None, f"engine: exit status {done.returncode}: {done.stderr.decode()[-300:].strip()}"
    try:
        return json.loads(done.stdout), None
    except ValueError as error:
        return None, f"engine: output is not JSON: {error}"


def judge(case):
    """Difference lines and the oracle's answer."""
    want = expected(case)
    got, problem = ask_engine(case)
    return ([problem] if problem else compare.differences(want, got)), want, got


def _same_kind(lines, kind):
    return any(_kind(line) == kind for line in lines)


def _kind(line):
    where = line.split(":")[0].split("[")[0]
    return where.split(".")[0] + where.rsplit(".", 1)[-1] if where.startswith("alloc") else where


def shrink(case, kind):
    def differs(smaller):
        try:
            lines, _, _ = judge(smaller)
        except oracle.OracleFailure:
            return False
        return _same_kind(lines, kind)

    return minimise.minimise(case, differs)


def run_case(case):
    """(case summary, difference lines, repro path) for the parent process."""
    summary = collections.Counter({f"blocks {case['fork']}": 1, "blocks": 1,
                                   "transactions": case["count"]})
    try:
        lines, want, got = judge(case)
    except oracle.OracleFailure as error:
        return collections.Counter({"oracle failed": 1}), [], f"{case['name']}: {error}"
    result = want["result"]
    if "blockException" in result:
        summary["invalid blocks"] += 1
    summary["rejected"] += len(result["rejected"])
    for rejection in result["rejected"]:
        summary[f"rejected {compare.kind_of_rejection(rejection['error'])}"] += 1
    for receipt in result["receipts"]:
        summary["executed"] += 1
        summary["executed, failed"] += receipt.get("succeeded") is False
    if not lines:
        return summary, [], None
    smaller = case
    if not _OPTIONS.no_minimise:
        smaller = shrink(case, _kind(lines[0]))
        try:
            lines, want, got = judge(smaller)
        except oracle.OracleFailure:
            pass
    os.makedirs(_OPTIONS.work, exist_ok=True)
    path = os.path.join(_OPTIONS.work, f"repro-{case['name']}.json")
    with open(path, "w") as file:
        json.dump({**smaller, "differences": lines, "expected": want, "got": got}, file, indent=1)
    return summary, lines, path


def run_seed(seed):
    return seed, run_case(build(seed))


def _start(options):
    global _OPTIONS
    _OPTIONS = options


def main():
    options = parse_arguments()
    _start(options)
    if options.mutated and not os.path.isdir(os.path.join(options.fixtures, "eest")):
        print(f"no fixtures in {options.fixtures}: random blocks only")
        options.mutated = 0
    if options.engine != "oracle" and not os.access(options.engine, os.X_OK):
        sys.exit(f"{options.engine}: no such program; build it first (swift build -c release)")
    started = time.time()
    total, different = collections.Counter(), 0
    if options.case:
        for path in options.case:
            with open(path) as file:
                case = json.load(file)
            summary, lines, where = run_case(case)
            total += summary
            different += bool(lines)
            print(f"{case['name']}: " + ("\n  ".join([where] + lines) if lines else "equal"))
    else:
        seeds = range(options.first, options.first + options.count)
        left = set(seeds)
        with multiprocessing.Pool(options.jobs, _start, (options,)) as pool:
            for done, (seed, (summary, lines, where)) in enumerate(
                    pool.imap_unordered(run_seed, seeds, chunksize=4), 1):
                total += summary
                left.remove(seed)
                if lines:
                    different += 1
                    print(f"\nseed {seed}: {where}\n  " + "\n  ".join(lines[:12]), flush=True)
                    if different >= options.stop_after:
                        print(f"\nstopped after {different} differences")
                        pool.terminate()
                        break
                elif where:
                    print(f"\noracle failed: {where}", flush=True)
                if sys.stderr.isatty() and done % 20 == 0:
                    print(f"\r{done}/{options.count}", end="", file=sys.stderr, flush=True)
                if left and time.time() - started > options.seconds:
                    print(f"\nstopped after {options.seconds:.0f} s: of these seeds all before "
                          f"{min(left)} are done")
                    pool.terminate()
                    break
    report(options, total, different, time.time() - started)
    sys.exit(1 if different else 0)


def report(options, total, different, seconds):
    print(f"\nseeds {options.first} to {options.first + options.count - 1}, "
          f"engine {options.engine}")
    for name in sorted(total):
        if " " in name and name != "blocks":
            print(f"  {name}: {total[name]}")
    print(f"{total['blocks']} blocks, {total['transactions']} transactions "
          f"({total['executed']} executed, {total['rejected']} rejected), {seconds:.1f} s")
    print(f"{total['blocks'] - different} passed, {different} failed, "
          f"{total['oracle failed']} skipped")


if __name__ == "__main__":
    main()
