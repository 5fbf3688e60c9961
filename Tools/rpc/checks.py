"""The checks of a script: functions that fail by raising, and what else a script notes."""

import sys
import tempfile
import traceback

from node import Node


class Checks:
    """Takes functions in as a decorator, and runs them one after the other."""

    def __init__(self):
        self.functions = []

    def __call__(self, function):
        self.functions.append(function)
        return function

    def run(self, call, part="", end=lambda: None):
        """Runs `call(function)` for all whose names contain `part`, then `end()`; prints what fails and, as
        the last line, how many passed and failed. Gives the script's exit status."""
        passed = failed = 0
        for function in self.functions:
            if part not in function.__name__:
                continue
            running = list(Node.running)
            try:
                call(function)
                passed += 1
            except Exception:
                failed += 1
                print(f"failed: {function.__name__}")
                traceback.print_exc(limit=4, file=sys.stdout)
                # What the check left behind.
                for node in [node for node in Node.running if node not in running]:
                    node.kill()
        end()
        print(f"{passed} passed, {failed} failed")
        return 1 if failed else 0

    def run_in_folders(self):
        """The same, each function with a folder of its own that goes with it."""

        def call(function):
            with tempfile.TemporaryDirectory() as folder:
                function(folder)

        return self.run(call)


class Notes:
    """What a script finds, one line each, and how many of them are fine."""

    def __init__(self):
        self.passed = self.failed = 0

    def __call__(self, name, problem=None):
        """Notes something that is fine, unless there is a `problem`."""
        self.passed, self.failed = self.passed + (not problem), self.failed + bool(problem)
        print(f"{'FAILED' if problem else 'fine'}: {name}{f': {problem}' if problem else ''}")

    def survives(self, node, mebibytes):
        """Notes whether a node still lives and answers, with how much memory at most, and ends well."""
        alive = node.process.poll() is None
        self("the node lives", None if alive else f"it ended with {node.process.poll()}")
        if not alive:
            return
        self("and answers", None if node.call("eth_chainId") == "0x539" else "wrongly")
        used = node.most_memory() >> 20
        self(f"memory at most {used} MiB", None if used < mebibytes else f"more than {mebibytes} MiB")
        node.stop()
        self("and ends well")

    @staticmethod
    def waits(latencies):
        """Prints how long another client waited: by name, the median, the 99th percentile and the longest in
        milliseconds, and the number of requests."""
        for name, (median, last, longest, count) in latencies.items():
            print(f"another client waits {median:.2f} ms (median), {last:.2f} ms (99 %),"
                  f" {longest:.0f} ms (longest) {name}, {count} requests")

    def end(self):
        """Prints the last line; gives the script's exit status."""
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0
