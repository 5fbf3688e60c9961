"""The executable specification (`ethereum-execution`) as the oracle, called in process.

Four things are put around its transition tool, all of them where it does not do what a
transition tool should and none of them touching execution:
- a rejected transaction leaves no entry in the tries and takes no index (the tool numbers
  transactions before it knows whether they are valid);
- ommers, which the tool reads but can not reward (it looks for fields of a header);
- the irregular state change of the DAO fork, which the tool makes in every block under that fork's
  name and the chain made once, in block 1,920,000;
- an error other than the specification's own in the execution of a case makes the case unusable
  (`OracleFailure`), not a result.
"""

import io
import json
import logging
import os
import sys
import tempfile
from types import SimpleNamespace

from ethereum_rlp import rlp
from ethereum_types.numeric import Uint

from ethereum.exceptions import EthereumException
from ethereum.forks.dao_fork import dao
from ethereum_spec_tools.evm_tools import create_parser
from ethereum_spec_tools.evm_tools.t8n import T8N, ForkCache

logging.disable(logging.CRITICAL)
sys.setrecursionlimit(20_000)

dao.apply_dao = lambda state: None
_CACHE = ForkCache()
_PARSER = create_parser()
_EMPTY_FOLDER = tempfile.mkdtemp(prefix="differential-")


class OracleFailure(Exception):
    """The specification can not run this case."""


class _ContiguousIndexes:
    """A fork whose `process_transaction` counts the transactions that it accepts."""

    def __init__(self, fork):
        self._fork = fork
        self._accepted = 0

    def __getattr__(self, name):
        return getattr(self._fork, name)

    def process_transaction(self, block_env, block_output, tx, index):
        index = Uint(self._accepted)
        try:
            self._fork.process_transaction(block_env, block_output, tx, index)
        except EthereumException:
            block_output.transactions_trie._data.pop(rlp.encode(index), None)
            raise
        self._accepted += 1


def expected(case):
    """The result of a case: {"alloc", "result"} as the transition tool prints them."""
    options = _PARSER.parse_args([
        "t8n", "--input.env=stdin", "--input.alloc=stdin", "--input.txs=stdin",
        "--output.result=stdout", "--output.alloc=stdout", f"--output.basedir={_EMPTY_FOLDER}",
        f"--state.fork={case['fork']}", f"--state.chainid={case['chainId']}",
        f"--state.reward={case['reward']}",
    ])
    text = json.dumps(case["input"])
    out = io.StringIO()
    try:
        tool = T8N(options, out, io.StringIO(text), _CACHE)
        number = tool.env.block_number
        tool.env.ommers = [
            SimpleNamespace(number=number - Uint(ommer.delta), coinbase=ommer.address)
            for ommer in tool.env.ommers]
        tool.fork = _ContiguousIndexes(tool.fork)
        if tool.run() != 0:
            raise OracleFailure("exit status")
    except OracleFailure:
        raise
    except SystemExit as error:
        raise OracleFailure(str(error)) from error
    except Exception as error:
        raise OracleFailure(f"{type(error).__name__}: {error}") from error
    return json.loads(out.getvalue())


if __name__ == "__main__":
    json.dump(expected(json.load(open(sys.argv[1]))), sys.stdout, indent=1)
    os.rmdir(_EMPTY_FOLDER)
