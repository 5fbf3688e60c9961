#!/usr/bin/env python3
"""What a user does wrong with a node and its folder: each mistake is told with what to do, and costs nothing.

    Tools/rpc/usage.py .build/release/needletail

The last line is `N passed, N failed`.
"""

import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys

from checks import Checks
from node import Node

BINARY = sys.argv[1]
ACCOUNT = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
check = Checks()


def run(*arguments, **environment):
    return subprocess.run(
        [BINARY, *arguments], capture_output=True, text=True, timeout=60,
        env={**os.environ, **environment})


def refused(*arguments, status=2, **environment):
    """What is told of bad usage."""
    ended = run(*arguments, **environment)
    assert ended.returncode == status, ended
    assert "NSCocoa" not in ended.stderr, ended
    return ended.stderr


def chain(folder, *arguments):
    """A development chain of two blocks."""
    node = Node(BINARY, "--dev", "--datadir", folder, *arguments)
    for _ in range(2):
        node.call("eth_sendTransaction", {"from": ACCOUNT, "to": ACCOUNT, "value": "0x1"})
    head = node.call("eth_getBlockByNumber", "latest", False)["hash"]
    node.stop()
    return head


@check
def options_that_make_no_sense(folder):
    def node(*arguments):
        return refused("node", "--dev", *arguments)

    for option in ["--http-port", "--engine-port", "--ingest-port"]:
        assert f"{option}: 99999 is not from 0 to 65,535" in node(option, "99999")
    assert "no method eth_fooo" in node("--rpc-methods", "eth_chainId,eth_fooo")
    assert "no namespace nope; there are anvil, " in node("--apis", "nope")
    assert "no namespace nope" in node("--rpc-namespaces", "eth,nope")
    assert "--chain-id: " in node("--chain-id", "0")
    assert "no.such.host.invalid, port 0" in node("--http-port", "0", "--http-host", "no.such.host.invalid")
    pathlib.Path(f"{folder}/file").write_text("")
    assert f"{folder}/file: the folder can not be made: " in node("--datadir", f"{folder}/file")
    assert "the folder can not be made: Not a directory" in node("--datadir", "/dev/null/x")
    pathlib.Path(f"{folder}/settings").write_text('{"http-port": "x"}')
    text = node("--config", f"{folder}/settings")
    assert f"--http-port is from {folder}/settings" in text, text
    text = refused("node", "--dev", NEEDLETAIL_NODE_HTTP_PORT="70000")
    assert "--http-port is from NEEDLETAIL_NODE_HTTP_PORT" in text, text


@check
def ports_that_are_taken(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for option in ["--engine-port", "--ingest-port"]:
            text = refused("node", "--dev", "--http-port", "0", option, port)
            assert f"port {port}: Address already in use" in text and f"{option} N" in text, text


@check
def settings_are_shown_whatever_they_are(folder):
    shown = run("config")
    assert shown.returncode == 2 and "http-port" in shown.stdout, shown
    assert "start no node: --datadir is needed" in shown.stderr, shown
    assert run("config", "--dev").returncode == 0


@check
def files_that_are_no_genesis(folder):
    path = f"{folder}/genesis"
    pathlib.Path(path).write_text("{}")
    for command in [["node"], ["db", "import", "/dev/null"]]:
        text = refused(*command, "--datadir", f"{folder}/new", "--genesis", path)
        assert f"{path}:1:2: the field alloc is missing" in text, text
        text = refused(*command, "--datadir", f"{folder}/new")
        assert "name its genesis file with --genesis" in text, text
    assert not os.path.exists(f"{folder}/new")


@check
def another_chain_than_the_folder_has(folder):
    chain(f"{folder}/chain", "--chain-id", "7")
    text = refused("node", "--dev", "--datadir", f"{folder}/chain", "--http-port", "0", "--chain-id", "8")
    assert "is 7, not 8" in text, text
    node = Node(BINARY, "--dev", "--datadir", f"{folder}/chain")
    assert node.call("eth_chainId") == "0x7" and node.call("eth_blockNumber") == "0x2"
    node.stop()


@check
def a_database_that_is_lost_comes_back_from_the_log(folder):
    head = chain(f"{folder}/chain")
    shutil.rmtree(f"{folder}/chain/state")
    node = Node(BINARY, "--dev", "--datadir", f"{folder}/chain")
    assert node.call("eth_getBlockByNumber", "latest", False)["hash"] == head
    node.stop()
    # The log of another chain is not taken for its own.
    chain(f"{folder}/other", "--chain-id", "7")
    shutil.rmtree(f"{folder}/other/log")
    shutil.rmtree(f"{folder}/other/state")
    shutil.copytree(f"{folder}/chain/log", f"{folder}/other/log")
    text = refused("node", "--dev", "--datadir", f"{folder}/other", "--http-port", "0")
    assert "does not fit the database" in text and "db restore" in text, text


@check
def folders_that_have_no_chain(folder):
    for command in ["stat", "check"]:
        assert "missing/state/data.mdb" in refused("db", command, "--datadir", f"{folder}/missing")
    for command in [["backup", "--datadir", f"{folder}/missing", "--to", f"{folder}/new"],
                    ["restore", "--from", f"{folder}/missing", "--datadir", f"{folder}/new"]]:
        assert "missing/state/data.mdb" in refused("db", *command)
    assert not os.listdir(folder)


@check
def exports_and_imports(folder):
    chain(f"{folder}/chain")
    file = f"{folder}/blocks"
    assert "block 9 is after the last one, 2" in refused(
        "db", "export", "--datadir", f"{folder}/chain", "--to", file, "--first", "9")
    assert not os.path.exists(file)
    assert run("db", "export", "--datadir", f"{folder}/chain", "--to", file).returncode == 0
    with open(file, "ab") as blocks:
        blocks.write(b"junk")
    size = os.path.getsize(file) - 4
    text = refused("db", "import", file, "--datadir", f"{folder}/copy", "--genesis",
                   f"{folder}/chain/genesis.json", status=1)
    assert f"{file}: item 3, at byte {size}, is no block" in text, text


@check
def a_genesis_file_that_is_damaged_is_found(folder):
    chain(f"{folder}/chain")
    path = pathlib.Path(f"{folder}/chain/state/data.mdb")
    with open(path, "r+b") as file:
        # Only the beginning has data.
        start = file.read(1 << 22)
        place = start.index(b'"alloc"')
        while place >= 0:
            file.seek(place)
            file.write(b'"aloc0"')
            place = start.find(b'"alloc"', place + 1)
    ended = run("db", "check", "--datadir", f"{folder}/chain")
    assert ended.returncode == 1 and "damage: genesis file" in ended.stdout, ended
    text = refused("node", "--dev", "--datadir", f"{folder}/chain", "--http-port", "0")
    assert "chain/state: genesis" in text, text


@check
def browsers(folder):
    node = Node(BINARY, "--dev", "--http-origins", "https://page.example")

    def ask(method="POST", path="/", body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=30)
        connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        response = connection.getresponse()
        return response.status, response.read().decode()

    # Who opens the address sees what is there.
    status, text = ask("GET")
    assert status == 200 and "JSON-RPC" in text and "/metrics" in text, text
    # A page may send plain text and forms anywhere without asking: not to here.
    body = json.dumps({"id": 1, "method": "evm_mine"})
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""]:
        headers = {"Content_Type": kind} if kind else {}
        assert ask(body=body, Origin="https://evil.example", **headers)[0] == 403
        assert ask(body=body, Origin="https://page.example", **headers)[0] == 200
        assert ask(body=body, **headers)[0] == 200
    assert node.call("eth_blockNumber") == "0x6"
    # JSON is what wallets send; pages have to ask for it first, and are refused then.
    assert ask(body=body, Origin="chrome-extension://x", Content_Type="application/json")[0] == 200
    node.stop()


if __name__ == "__main__":
    sys.exit(check.run_in_folders())
