"""The checks of a script: functions that fail by raising."""

import sys
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
