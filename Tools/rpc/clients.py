#!/usr/bin/env python3
"""What web3.py and a contract compiled by Vyper do with a development node.

    Tools/rpc/clients.py .build/release/needletail

The last line is `N passed, N failed`.
"""

import asyncio
import pathlib
import re
import sys
import time

import vyper
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from web3 import AsyncWeb3, Web3, WebSocketProvider
from web3.exceptions import ContractLogicError

from checks import Checks
from node import Node

SOURCE = """
# pragma version ~=0.4.3

event Stored:
    who: indexed(address)
    number: uint256

number: public(uint256)

@external
def store(number: uint256):
    assert number != 13, "not that one"
    self.number = number
    log Stored(who=msg.sender, number=number)
"""

# The first account of the development mnemonic, as every tool has it.
FIRST = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"

check = Checks()


@check
def connects_and_has_funded_accounts(w3, state):
    assert w3.is_connected()
    assert w3.eth.chain_id == 1337
    assert len(w3.eth.accounts) == 10 and w3.eth.accounts[0] == FIRST
    assert w3.eth.get_balance(FIRST) == 10_000 * 10**18


@check
def sends_from_an_account_of_the_node(w3, state):
    to = Account.create().address
    hash = w3.eth.send_transaction({"from": FIRST, "to": to, "value": 5})
    receipt = w3.eth.wait_for_transaction_receipt(hash, timeout=10)
    assert receipt.status == 1 and receipt.gasUsed == 21000
    assert w3.eth.get_balance(to) == 5


@check
def sends_signed_transactions_of_each_type(w3, state):
    account = Account.from_key(KEY)
    base = {"to": Account.create().address, "value": 1, "gas": 100_000, "chainId": 1337}
    fee = {"maxFeePerGas": 3 * 10**9, "maxPriorityFeePerGas": 10**9}
    access = [{"address": FIRST, "storageKeys": ["0x" + "00" * 32]}]
    authority = Account.create()
    authorization = authority.sign_authorization(
        {"chainId": 1337, "address": "0x" + "11" * 20, "nonce": 0})
    for fields in [
        {"gasPrice": 3 * 10**9},
        {"type": 1, "gasPrice": 3 * 10**9, "accessList": access},
        {"type": 2, **fee},
        {"type": 4, **fee, "authorizationList": [authorization]},
    ]:
        nonce = w3.eth.get_transaction_count(account.address, "pending")
        signed = account.sign_transaction({**base, **fields, "nonce": nonce})
        hash = w3.eth.send_raw_transaction(signed.raw_transaction)
        assert w3.eth.wait_for_transaction_receipt(hash, timeout=10).status == 1, fields
        assert w3.eth.get_transaction(hash).type == fields.get("type", 0)
    assert w3.eth.get_code(authority.address).hex() == "ef0100" + "11" * 20


@check
def reads_the_pending_block(w3, state):
    w3.provider.make_request("evm_setAutomine", [False])
    try:
        to = Account.create().address
        hash = w3.eth.send_transaction({"from": FIRST, "to": to, "value": 3})
        assert w3.eth.get_balance(to, "pending") == 3 and w3.eth.get_balance(to) == 0
        block = w3.eth.get_block("pending", True)
        assert block.number == w3.eth.block_number + 1 and block.hash is None
        assert [item.hash for item in block.transactions] == [hash]
        assert block.transactions[0].blockHash is None
        receipt = w3.eth.get_block_receipts("pending")[0]
        assert receipt.transactionHash == hash and receipt.blockHash is None
    finally:
        w3.provider.make_request("evm_setAutomine", [True])
        w3.provider.make_request("evm_mine", [])
    final = w3.eth.wait_for_transaction_receipt(hash, timeout=10)
    assert final.gasUsed == receipt.gasUsed and final.blockHash is not None


@check
def deploys_a_contract_of_vyper_and_calls_it(w3, state):
    compiled = vyper.compile_code(SOURCE, output_formats=["abi", "bytecode"])
    factory = w3.eth.contract(abi=compiled["abi"], bytecode=compiled["bytecode"])
    receipt = w3.eth.wait_for_transaction_receipt(
        factory.constructor().transact({"from": FIRST}), timeout=10)
    assert receipt.status == 1
    contract = state["contract"] = w3.eth.contract(receipt.contractAddress, abi=compiled["abi"])
    state["first"] = receipt.blockNumber
    hash = contract.functions.store(42).transact({"from": FIRST})
    assert w3.eth.wait_for_transaction_receipt(hash, timeout=10).status == 1
    assert contract.functions.number().call() == 42
    # The state of the block before.
    assert contract.functions.number().call(block_identifier=state["first"]) == 0


@check
def the_first_batch_has_the_token_of_the_examples(w3, state):
    root = pathlib.Path(__file__).parents[2]
    source = (root / "Examples/contracts/Token.vy").read_text()
    code = vyper.compile_code(source, output_formats=["bytecode"])["bytecode"]
    swift = (root / "Sources/needletail/Node/FirstBatch+Token.swift").read_text()
    assert "".join(re.findall(r'"([0-9a-fx]+)"', swift)) == code


@check
def finds_events(w3, state):
    contract = state["contract"]
    events = contract.events.Stored().get_logs(from_block=state["first"])
    assert [event.args.number for event in events] == [42]
    assert events[0].args.who == FIRST
    watch = contract.events.Stored.create_filter(from_block="latest")
    contract.functions.store(7).transact({"from": FIRST})
    assert [event.args.number for event in watch.get_new_entries()] == [7]
    assert watch.get_new_entries() == []


@check
def tells_why_a_call_reverts(w3, state):
    try:
        state["contract"].functions.store(13).call({"from": FIRST})
    except ContractLogicError as error:
        assert "not that one" in str(error), error
    else:
        raise AssertionError("it did not revert")


@check
def estimates_gas_and_fees(w3, state):
    gas = state["contract"].functions.store(99).estimate_gas({"from": FIRST})
    assert 25_000 < gas < 60_000, gas
    history = w3.eth.fee_history(3, "latest", [10, 90])
    assert len(history["baseFeePerGas"]) == 4 and len(history["reward"]) == 3
    assert w3.eth.gas_price >= w3.eth.max_priority_fee > 0


@check
def gives_access_lists_and_traces(w3, state):
    call = state["contract"].functions.store(3).build_transaction(
        {"from": FIRST, "gas": 100_000, "gasPrice": 3 * 10**9})
    listed = w3.eth.create_access_list(call)
    assert len(listed["accessList"][0]["storageKeys"]) == 1
    hash = state["contract"].functions.store(3).transact({"from": FIRST})
    trace = w3.provider.make_request(
        "debug_traceTransaction", [hash.to_0x_hex(), {"tracer": "callTracer"}])["result"]
    assert trace["type"] == "CALL" and int(trace["gasUsed"], 16) > 21000, trace
    steps = w3.provider.make_request("debug_traceTransaction", [hash.to_0x_hex()])["result"]
    assert steps["structLogs"][0]["pc"] == 0 and not steps["failed"]


@check
def signs_messages_and_structured_data(w3, state):
    message = w3.eth.sign(FIRST, text="hello")
    assert Account.recover_message(encode_defunct(text="hello"), signature=message) == FIRST
    data = {
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "chainId", "type": "uint256"}],
            "Item": [{"name": "id", "type": "bytes32"}, {"name": "amounts", "type": "int64[]"}],
            "Order": [{"name": "items", "type": "Item[]"}, {"name": "note", "type": "string"},
                      {"name": "isFinal", "type": "bool"}, {"name": "raw", "type": "bytes"}],
        },
        "primaryType": "Order",
        "domain": {"name": "shop", "chainId": 1337},
        "message": {
            "items": [{"id": "0x" + "ab" * 32, "amounts": [1, -2, 3]}, {"id": "0x" + "00" * 32, "amounts": []}],
            "note": "as always", "isFinal": True, "raw": "0x0102",
        },
    }
    signature = w3.provider.make_request("eth_signTypedData_v4", [FIRST, data])["result"]
    found = Account.recover_message(encode_typed_data(full_message=data), signature=signature)
    assert found == FIRST, found


@check
def goes_back_to_a_snapshot(w3, state):
    request = w3.provider.make_request
    snapshot = request("evm_snapshot", [])["result"]
    before = w3.eth.get_balance(FIRST)
    w3.eth.send_transaction({"from": FIRST, "to": FIRST, "value": 0})
    assert request("evm_revert", [snapshot])["result"] is True
    assert w3.eth.get_balance(FIRST) == before
    request("evm_increaseTime", [3600])
    request("evm_mine", [])
    assert w3.eth.get_block("latest").timestamp >= time.time() + 3598


@check
def answers_batches(w3, state):
    with w3.batch_requests() as batch:
        batch.add(w3.eth.get_balance(FIRST))
        batch.add(w3.eth.get_block("latest"))
        answers = batch.execute()
    assert answers[0] > 0 and answers[1].number == w3.eth.block_number


@check
def subscribes_over_a_websocket(w3, state):
    async def listen():
        url = w3.provider.endpoint_uri.replace("http", "ws")
        async with AsyncWeb3(WebSocketProvider(url)) as socket:
            assert await socket.eth.chain_id == 1337
            names = {
                await socket.eth.subscribe("newHeads"): "heads",
                await socket.eth.subscribe("newPendingTransactions"): "pending",
                await socket.eth.subscribe("newPendingTransactions", True): "full",
                await socket.eth.subscribe(
                    "logs", {"address": state["contract"].address}): "logs",
            }
            data = state["contract"].encode_abi("store", [1234])
            hash = await socket.eth.send_transaction(
                {"from": FIRST, "to": state["contract"].address, "data": data, "gas": 100_000})
            told = {}
            async for message in socket.socket.process_subscriptions():
                told[names[message["subscription"]]] = message["result"]
                if len(told) == len(names):
                    break
            receipt = await socket.eth.get_transaction_receipt(hash)
            assert told["heads"]["number"] == receipt.blockNumber
            assert told["pending"] == hash and told["full"]["hash"] == hash
            assert told["logs"]["data"].hex() == f"{1234:064x}"
            for name in names:
                assert await socket.eth.unsubscribe(name)

    asyncio.run(asyncio.wait_for(listen(), 30))


def main():
    node = Node(sys.argv[1], "--dev")
    state = {}
    w3 = Web3(Web3.HTTPProvider(node.url))
    return check.run(lambda function: function(w3, state), end=node.stop)


if __name__ == "__main__":
    sys.exit(main())
