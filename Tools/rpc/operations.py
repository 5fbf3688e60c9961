#!/usr/bin/env python3
"""What an operator relies on: settings from all places, who may ask what, the log, the pages, the end.

    Tools/rpc/operations.py .build/release/needletail

The last line is `N passed, N failed`.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

from checks import Checks
from node import Node

BINARY = sys.argv[1]
ACCOUNT = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
check = Checks()


def ask(port, method="GET", path="/", body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {key.replace("_", "-"): value for key, value in headers.items()}
    connection.putrequest(method, path, skip_host="Host" in headers)
    for key, value in headers.items():
        connection.putheader(key, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    response = connection.getresponse()
    return response.status, response.headers, response.read().decode()


def call(port, method, *parameters, **headers):
    body = json.dumps({"id": 1, "method": method, "params": parameters}).encode()
    status, _, text = ask(port, "POST", "/", body, **headers)
    return json.loads(text) if status == 200 else status


def run(*arguments, **environment):
    return subprocess.run(
        [BINARY, *arguments], capture_output=True, text=True, timeout=60,
        env={**os.environ, **environment})


@check
def settings_come_from_all_places(folder):
    file = f"{folder}/node.json"
    pathlib.Path(file).write_text(json.dumps({
        "dev": True, "http-port": 8600, "http-hosts": ["a", "b"], "chain-id": 7, "history": "full"}))
    shown = run("config", "--json", "--config", file, "--http-port", "8602",
                NEEDLETAIL_NODE_HTTP_PORT="8601", NEEDLETAIL_NODE_CHAIN_ID="8")
    assert shown.returncode == 0, shown.stderr
    values = json.loads(shown.stdout)
    assert values["http-port"] == {"value": "8602", "source": "command line"}
    assert values["chain-id"] == {"value": "8", "source": "NEEDLETAIL_NODE_CHAIN_ID"}
    assert values["http-hosts"] == {"value": "a,b", "source": file}
    assert values["dev"] == {"value": "true", "source": file}
    assert values["sync"] == {"value": "block", "source": "default"}
    table = run("config", "--dev").stdout
    assert re.search(r"^  dev +true +command line$", table, re.M), table
    # The node has them.
    node = Node(BINARY, "--config", file)
    assert node.call("eth_chainId") == "0x7"
    node.stop()


@check
def wrong_settings_are_told(folder):
    def complaint(content, *arguments, **environment):
        pathlib.Path(f"{folder}/wrong.json").write_text(content)
        ended = run("node", "--config", f"{folder}/wrong.json", *arguments, **environment)
        assert ended.returncode == 2, ended
        return ended.stderr

    assert 'no setting "htp-port"' in complaint('{"htp-port": 1}')
    assert "not JSON" in complaint("{")
    assert "an object" in complaint("[]")
    assert "neither true nor false" in complaint('{"dev": "maybe"}')
    assert "a text, a number" in complaint('{"dev": {}}')
    assert "http-port" in complaint('{"dev": true, "http-port": "many"}')
    assert 'no setting "htp-port"' in complaint("{}", NEEDLETAIL_NODE_HTP_PORT="1")
    assert "can not be read" in run("node", "--config", f"{folder}/none.json").stderr


@check
def every_option_is_a_setting(folder):
    text = run("help", "node").stdout
    names = set(re.findall(r"^  --([a-z-]+)", text, re.M)) - {"config", "version", "help"}
    assert names == set(json.loads(run("config", "--json", "--dev").stdout)), names


@check
def methods_can_be_few(folder):
    node = Node(BINARY, "--dev", "--rpc-methods", "eth_chainId, rpc.discover")
    assert call(node.port, "eth_chainId")["result"] == "0x539"
    assert call(node.port, "eth_blockNumber")["error"]["code"] == -32601
    assert len(call(node.port, "rpc.discover")["result"]["methods"]) == 2
    node.stop()
    node = Node(BINARY, "--dev", "--rpc-namespaces", "eth")
    assert call(node.port, "eth_chainId")["result"] == "0x539"
    for method in ["net_version", "evm_mine", "debug_getRawBlock"]:
        assert call(node.port, method)["error"]["code"] == -32601
    node.stop()


@check
def hosts_and_origins(folder):
    node = Node(BINARY, "--dev", "--http-hosts", "node.example",
                "--http-origins", "https://page.example")
    assert call(node.port, "eth_chainId", Host="node.example:8545")["result"] == "0x539"
    for host in ["127.0.0.1:8545", "[::1]:8545"]:
        assert call(node.port, "eth_chainId", Host=host)["result"] == "0x539"
    for host in ["localhost", "evil.example", "node.example.evil"]:
        assert call(node.port, "eth_chainId", Host=host) == 403
    status, headers, _ = ask(node.port, "OPTIONS", "/", Origin="https://page.example")
    assert status == 204 and headers["access-control-allow-origin"] == "https://page.example"
    assert "POST" in headers["access-control-allow-methods"] and headers["vary"] == "Origin"
    for origin in ["https://evil.example", "null", "https://page.example.evil"]:
        status, headers, _ = ask(node.port, "OPTIONS", "/", Origin=origin)
        assert headers["access-control-allow-origin"] is None
    node.stop()


def token(secret, issued, algorithm="HS256"):
    def encode(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()) + "." + encode(
        json.dumps({"iat": int(issued)}).encode())
    return head + "." + encode(hmac.new(secret, head.encode(), hashlib.sha256).digest())


@check
def the_engine_wants_tokens(folder):
    secret = bytes(range(32))
    pathlib.Path(f"{folder}/jwt").write_text(secret.hex())
    process = subprocess.Popen(
        [BINARY, "node", "--dev", "--http-port", "0", "--engine-port", "0",
         "--jwt-secret", f"{folder}/jwt"], stdout=subprocess.PIPE, text=True)
    port = next(int(found[1]) for line in process.stdout
                if (found := re.match(r"engine on .*:(\d+)$", line)))

    def engine(token):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return call(port, "engine_exchangeCapabilities", [], **headers)

    now = time.time()
    assert "engine_newPayloadV4" in engine(token(secret, now))["result"]
    assert engine(None) == 401 and engine("x") == 401
    assert engine(token(bytes(32), now)) == 401
    assert engine(token(secret, now - 90)) == 401 and engine(token(secret, now + 90)) == 401
    assert engine(token(secret, now, "none")) == 401
    process.terminate()
    assert process.wait(timeout=60) == 0


@check
def the_log_is_for_machines_too(folder):
    process = subprocess.Popen(
        [BINARY, "node", "--dev", "--http-port", "0", "--log-format", "json", "--log-level", "debug"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    port = next(int(found[1]) for line in process.stdout
                if (found := re.match(r"JSON-RPC on .*:(\d+)$", line)))
    call(port, "evm_mine")
    process.send_signal(signal.SIGTERM)
    _, text = process.communicate(timeout=60)
    lines = [json.loads(line) for line in text.splitlines()]
    messages = [line["message"] for line in lines]
    assert messages == ["listening", "block", "stopping", "stopped"], text
    assert lines[1]["number"] == "1" and lines[1]["level"] == "debug" and lines[0]["time"]
    assert process.returncode == 0


@check
def pages_tell_how_it_fares(folder):
    node = Node(BINARY, "--dev")
    assert ask(node.port, path="/health")[::2] == (200, "alive\n")
    assert ask(node.port, path="/ready")[::2] == (200, "ready\n")
    call(node.port, "eth_chainId")
    status, headers, text = ask(node.port, path="/metrics")
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'needletail_rpc_seconds_count{method="eth_chainId"} 1\n' in text
    assert re.search(r"^needletail_http_connections [1-9]", text, re.M)
    for line in text.splitlines():
        assert re.match(r'(# (HELP|TYPE) needletail_|needletail_[a-z_]+(\{[^}]*\})? [-+0-9.e]+$)', line)
    assert ask(node.port, path="/nothing")[0] == 404
    node.stop()


@check
def it_ends_when_told_to_under_load(folder):
    node = Node(BINARY, "--dev", "--datadir", f"{folder}/chain")
    acknowledged, wrong = [], []

    def load():
        try:
            while True:
                acknowledged.append(
                    node.call("eth_sendTransaction", {"from": ACCOUNT, "to": ACCOUNT}))
        except (OSError, http.client.HTTPException):
            pass
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    start = time.time()
    node.process.send_signal(signal.SIGINT)
    assert node.process.wait(timeout=60) == 0
    assert time.time() - start < 20
    for thread in threads:
        thread.join()
    node = Node(BINARY, "--dev", "--datadir", f"{folder}/chain")
    for hash in acknowledged:
        assert node.call("eth_getTransactionReceipt", hash), hash
    node.stop()
    assert acknowledged and not wrong, wrong


@check
def what_test_tools_set_survives_a_kill(folder):
    arguments = ["--dev", "--datadir", f"{folder}/set"]
    node = Node(BINARY, *arguments)
    some = "0x00000000000000000000000000000000000a11ce"
    node.call("anvil_setBalance", some, "0x1234")
    node.call("evm_mine")
    node.call("anvil_setNonce", some, "0x7")
    node.call("anvil_setCode", some, "0x00")
    node.call("anvil_setBalance", some, "0xde0b6b3a7640000")
    node.call("anvil_impersonateAccount", some)
    hash = node.call("eth_sendTransaction", {"from": some, "to": ACCOUNT})
    node.call("anvil_setStorageAt", some, "0x1", "0x" + "00" * 31 + "2a")
    receipt = node.call("eth_getTransactionReceipt", hash)
    assert receipt["status"] == "0x1"
    node.kill()
    node = Node(BINARY, *arguments)
    assert node.call("eth_getTransactionReceipt", hash) == receipt
    assert node.call("eth_getStorageAt", some, "0x1", "latest").endswith("2a")
    assert node.call("eth_getTransactionCount", some, "latest") == "0x8"
    assert node.call("eth_getBalance", some, "0x1") == "0x1234"
    node.call("evm_mine")
    node.stop()


@check
def an_executor_that_there_is_not_is_told(folder):
    # Where there is a device, there is a node.
    if not os.path.exists("/dev/nvidia0"):
        ended = run("node", "--dev", "--executor", "gpu")
        assert ended.returncode == 2 and "--executor gpu: " in ended.stderr, ended
    ended = run("node", "--dev", "--executor", "abacus")
    assert ended.returncode == 2 and "abacus is not serial" in ended.stderr, ended
    ended = run("node", "--dev", "--part-time", "100")
    assert ended.returncode == 2 and "below --block-time" in ended.stderr, ended


@check
def a_port_that_is_taken_is_told(folder):
    node = Node(BINARY, "--dev")
    ended = run("node", "--dev", "--http-port", str(node.port))
    assert ended.returncode == 2 and "Is another node running?" in ended.stderr, ended
    node.stop()


if __name__ == "__main__":
    sys.exit(check.run_in_folders())
