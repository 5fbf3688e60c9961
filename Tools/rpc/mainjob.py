#!/usr/bin/env python3
"""What `make run` starts once all is built, as a new user meets it.

    Tools/rpc/mainjob.py .build/release/needletail

The node must say that it listens, its first batch must have succeeded, the commands that it tells to try
must answer, and Ctrl-C must end it. The last line is `N passed, N failed`.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.error
import urllib.request


def fetch(url, body=None):
    """What the printed curl commands do, where there may be no curl."""
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=30) as response:
        return response.read().decode()


def read(process):
    """The lines until the node has said all."""
    lines = []
    for line in process.stdout:
        print(line, end="")
        lines.append(line.rstrip("\n"))
        if "For a chain that stays" in line:
            break
    return lines


def check(lines, process):
    url = next(line.split()[-1] for line in lines if line.startswith("JSON-RPC on"))
    row = next(i for i, line in enumerate(lines) if line.split()[:2] == ["block", "transactions"])
    _, count, succeeded, *_ = lines[row + 1].split()
    yield "the first batch succeeds", (count, succeeded) == ("48", "48")
    commands = [shlex.split(line[line.index("curl "):]) for line in lines if "  curl " in line]
    yield "four things are to try", len(commands) == 4
    for command in commands:
        target = next(word for word in command if word.startswith("http://"))
        if "-d" not in command:
            yield target, "needletail_head_number" in fetch(target)
            continue
        body = command[command.index("-d") + 1]
        answer = json.loads(fetch(target, body.encode()))
        value = int(answer.get("result", "0x0"), 16)
        yield f"{json.loads(body)['method']} answers {answer}", value > 0
    yield "ready", fetch(url + "/ready") == "ready\n"
    # Ctrl-C reaches all that the terminal started.
    os.killpg(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    yield f"it ends when told to: {rest!r}", " info stopped" in rest
    try:
        fetch(url + "/health")
        yield "the port is closed", False
    except urllib.error.URLError:
        yield "the port is closed", True


def main():
    process = subprocess.Popen(
        ["make", "--no-print-directory", "start", f"PROGRAM={sys.argv[1]}",
         "ARGUMENTS=--http-port 0"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    passed = failed = 0
    try:
        for name, holds in check(read(process), process):
            passed += holds
            failed += not holds
            if not holds:
                print(f"FAILED: {name}")
    except Exception as error:
        failed += 1
        print(f"FAILED: {type(error).__name__}: {error}")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
