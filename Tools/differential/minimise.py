"""Make a differing case smaller while it still differs."""

import copy

import transactions
from generator import hexadecimal


def _transactions(case):
    txs = case["input"]["txs"]
    return txs if isinstance(txs, list) else transactions.split_list(bytes.fromhex(txs[2:]))


def _with_transactions(case, txs):
    as_json = isinstance(case["input"]["txs"], list)
    case["input"]["txs"] = txs if as_json else hexadecimal(transactions.rlp_list_of_raw(txs))
    case["count"] = len(txs)


def _candidates(case):
    """Smaller forms of a case, large steps first."""
    txs = _transactions(case)
    step = len(txs) // 2
    while step >= 1:
        for start in range(0, len(txs), step):
            smaller = copy.deepcopy(case)
            _with_transactions(smaller, txs[:start] + txs[start + step:])
            yield smaller
        step //= 2
    for address in list(case["input"]["alloc"]):
        smaller = copy.deepcopy(case)
        del smaller["input"]["alloc"][address]
        yield smaller
    for name in ("withdrawals", "ommers"):
        if case["input"]["env"].get(name):
            smaller = copy.deepcopy(case)
            smaller["input"]["env"][name] = []
            yield smaller
    for address, account in case["input"]["alloc"].items():
        if account["storage"]:
            smaller = copy.deepcopy(case)
            smaller["input"]["alloc"][address]["storage"] = {}
            yield smaller
        code = account["code"]
        size = (len(code) - 2) // 2
        for keep in sorted({0, size // 4, size // 2, size * 3 // 4, size - 1}):
            if 0 <= keep < size:
                smaller = copy.deepcopy(case)
                smaller["input"]["alloc"][address]["code"] = code[: 2 + 2 * keep]
                yield smaller
        # Cut pieces out of the middle (jumps break, so only some of these help).
        piece = size // 4
        while piece >= 4:
            for start in range(0, size - piece, piece):
                smaller = copy.deepcopy(case)
                smaller["input"]["alloc"][address]["code"] = (
                    code[: 2 + 2 * start] + code[2 + 2 * (start + piece):])
                yield smaller
            piece //= 2


def minimise(case, differs, attempts=400):
    """The smallest case found for which `differs(case)` stays true."""
    improved = True
    while improved and attempts > 0:
        improved = False
        for smaller in _candidates(case):
            attempts -= 1
            if attempts <= 0:
                break
            if differs(smaller):
                case, improved = smaller, True
                break
    return case
