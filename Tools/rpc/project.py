#!/usr/bin/env python3
"""Runs a small project's tests (titanoboa in network mode) on a node.

    Tools/rpc/project.py .build/release/needletail

The last line is `N passed, N failed`.
"""

import os
import pathlib
import re
import subprocess
import sys

from node import Node


def main():
    folder = pathlib.Path(__file__).parent
    python = subprocess.run(
        [folder.parent / "environment", ".venv-project", folder / "project/requirements.txt"],
        check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    node = Node(sys.argv[1], "--dev")
    ended = subprocess.run(
        [folder.parents[1] / python, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         folder / "project"],
        env={**os.environ, "NEEDLETAIL_URL": node.url}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True)
    node.stop()
    passed, failed = (
        sum(int(count) for count in re.findall(rf"(\d+) {words}", ended.stdout))
        for words in ["passed", "(?:failed|errors?)"])
    if failed or not passed:
        print(ended.stdout)
        failed = max(failed, 1)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
