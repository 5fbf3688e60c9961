"""The tests of a small project, as its author would write them for titanoboa, on a running node.

    NEEDLETAIL_URL=http://127.0.0.1:8545 pytest Tools/rpc/project
"""

import os
import pathlib

import boa
import pytest
from boa.rpc import EthereumRPC
from eth_account import Account

TOKEN = pathlib.Path(__file__).parents[3] / "Examples/contracts/Token.vy"
KEYS = [
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
]
EACH = 1000 * 10**18

CALLER = """
# pragma version ~=0.4.3
interface Token:
    def transferFrom(owner: address, to: address, amount: uint256) -> bool: nonpayable

@external
def take(token: Token, owner: address, amount: uint256):
    extcall token.transferFrom(owner, msg.sender, amount)
"""


@pytest.fixture(scope="session", autouse=True)
def network():
    with boa.set_network_env(os.environ["NEEDLETAIL_URL"]):
        for key in KEYS:
            boa.env.add_account(Account.from_key(key))
        boa.env.set_eoa(Account.from_key(KEYS[0]))
        yield


@pytest.fixture(scope="session")
def people():
    return [Account.from_key(key).address for key in KEYS]


@pytest.fixture(scope="session")
def token(network, people):
    return boa.load(str(TOKEN), people, EACH)


@pytest.fixture(autouse=True)
def isolation(token):
    with boa.env.anchor():
        yield


def test_has_its_words(token):
    assert token.name() == "Needletail" and token.symbol() == "NDL" and token.decimals() == 18
    assert token.totalSupply() == 2 * EACH


def test_moves(token, people):
    assert token.transfer(people[1], 5)
    assert token.balanceOf(people[0]) == EACH - 5 and token.balanceOf(people[1]) == EACH + 5


def test_is_as_before_in_the_next_test(token, people):
    assert token.balanceOf(people[0]) == EACH


def test_tells_of_transfers(token, people):
    token.transfer(people[1], 7)
    event = token.get_logs()[-1]
    assert (event.sender, event.receiver, event.amount) == (people[0], people[1], 7)


def test_says_why_it_refuses(token, people):
    with boa.reverts("more than the sender has"):
        token.transfer(people[1], EACH + 1)


def test_lets_others_move_what_they_may(token, people):
    token.approve(people[1], 10)
    with boa.env.prank(people[1]):
        token.transferFrom(people[0], people[1], 10)
        with boa.reverts("more than the owner allows"):
            token.transferFrom(people[0], people[1], 1)
    assert token.balanceOf(people[1]) == EACH + 10


def test_lets_contracts_move_what_they_may(token, people):
    caller = boa.loads(CALLER)
    with boa.reverts():
        caller.take(token, people[0], 3)
    token.approve(caller.address, 3)
    caller.take(token, people[0], 3)
    assert token.balanceOf(people[0]) == EACH


def test_what_test_tools_set(token, people):
    rpc = EthereumRPC(os.environ["NEEDLETAIL_URL"])
    some = "0x00000000000000000000000000000000000A11cE"
    rpc.fetch("anvil_setBalance", [some, hex(10**18)])
    assert boa.env.get_balance(some) == 10**18
    number = int(rpc.fetch("eth_blockNumber", []), 16)
    rpc.fetch("anvil_mine", ["0x3", "0xa"])
    assert int(rpc.fetch("eth_blockNumber", []), 16) == number + 3
