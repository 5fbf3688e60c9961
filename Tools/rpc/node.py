"""Starts and ends a node for the scripts of this folder."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request


class Node:
    """A node of a process of its own, once it answers."""

    running = []

    def __init__(self, binary, *arguments, env=None, **environment):
        self.process = subprocess.Popen(
            [binary, "node", "--http-port", "0", *arguments], stdout=subprocess.PIPE, text=True,
            env={**(env or os.environ), **environment})
        self.port = self.ingest_port = None
        for line in self.process.stdout:
            if found := re.match(r"ingest on .*:(\d+)$", line):
                self.ingest_port = int(found[1])
            if found := re.match(r"JSON-RPC on .*:(\d+)$", line):
                self.port = int(found[1])
                break
        if self.port is None:
            raise SystemExit(f"the node ended with status {self.process.wait()}")
        Node.running.append(self)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def post(self, body, timeout=30):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return json.loads(response.read() or b"null")

    def call(self, method, *parameters):
        answer = self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def page(self, path, status=200):
        """A page such as /metrics, which comes with this status."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as response:
                found, text = response.status, response.read()
        except urllib.error.HTTPError as error:
            found, text = error.code, error.read()
        assert found == status, (path, found, text)
        return text.decode()

    def memory(self, field="VmRSS"):
        """Bytes of memory that the process has."""
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith(field + ":"):
                return int(line.split()[1]) << 10

    def most_memory(self):
        """Bytes of memory that the process had at most."""
        return self.memory("VmHWM")

    def kill(self):
        Node.running.remove(self)
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        Node.running.remove(self)
        self.process.terminate()
        if self.process.wait(timeout=60) != 0:
            sys.exit("the node did not end well")
