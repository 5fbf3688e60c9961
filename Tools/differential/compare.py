"""Compare the oracle's output with the engine's: one line for each difference."""

import re

# Why a transaction was rejected, as one word. The first pattern that matches decides; the texts on
# the left are the specification's, those on the right the ones of go-ethereum's tool, which ours
# uses too.
_KINDS = [
    ("parse", r"Failed to parse|Unsupported transaction type|TransactionTypeError|"
              r"rlp|transaction type not supported|unmarshal|malformed|invalid encoding"),
    ("nonceOverflow", r"NonceOverflow|nonce has max value"),
    ("nonceLow", r"nonce too low"),
    ("nonceHigh", r"nonce too high"),
    ("gasCap", r"TransactionGasLimitExceeded|gas limit too high|exceeds maximum transaction gas"),
    ("intrinsic", r"InsufficientTransactionGas|intrinsic gas too low|floor data gas"),
    ("initCode", r"InitCodeTooLarge|max initcode size"),
    ("blobGas", r"BlobGasLimitExceeded|blob gas limit|blobs? .*exceed.*block"),
    ("blobCount", r"BlobCountExceeded|too many blobs"),
    ("blobFee", r"InsufficientMaxFeePerBlobGas|max fee per blob gas less"),
    ("blobVersion", r"InvalidBlobVersionedHash|invalid.* hash version|blob version"),
    ("noBlobs", r"NoBlobData|blob transaction missing blob hashes"),
    ("create", r"TransactionTypeContractCreation|input string too short|of type create|"
               r"cannot.*create|contract creation"),
    ("noAuthorizations", r"EmptyAuthorizationList|empty auth list|without auth"),
    ("blockGas", r"GasUsedExceedsLimit|gas limit reached"),
    ("priority", r"PriorityFeeGreater|max priority fee per gas higher"),
    ("baseFee", r"InsufficientMaxFeePerGas|InvalidBlock\(\)|less than block base fee"),
    ("notEOA", r"InvalidSender|sender not an eoa"),
    ("funds", r"InsufficientBalance|insufficient funds"),
    ("signature", r"InvalidSignature|transaction v, r, s|chain id|signature"),
]
_KINDS = [(kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _KINDS]


# Before a fork knows a rule, or where its type has no place for the fault, the specification fails
# to read the transaction at all.
_KINDS_THAT_READING_FINDS = {"create": "parse"}

# The specification looks at these before it recovers the sender. Tools that prepare transactions
# in batches (go-ethereum's, ours) recover first: a transaction with both faults gives the other.
_BEFORE_THE_SIGNATURE = {"intrinsic", "nonceOverflow", "initCode", "gasCap", "blockGas", "blobGas"}


def kind_of_rejection(text):
    for kind, pattern in _KINDS:
        if pattern.search(text):
            return kind
    return "unknown: " + text


def _number(text):
    return int(text or "0x0", 16)


def _alloc(alloc):
    return {
        address.lower(): {
            "balance": _number(account.get("balance")),
            "nonce": _number(account.get("nonce")),
            "code": (account.get("code") or "0x").lower(),
            "storage": {_number(k): _number(v)
                        for k, v in (account.get("storage") or {}).items() if _number(v)},
        } for address, account in alloc.items()}


def _receipt(receipt):
    root = receipt.get("post_state") or receipt.get("root") or "0x"
    status = receipt.get("succeeded")
    if status is None and root == "0x":
        status = receipt.get("status") == "0x1"
    return {
        "hash": receipt["transactionHash"].lower(),
        "status": root.lower() if root != "0x" else status,
        "cumulativeGasUsed": _number(receipt["cumulativeGasUsed"]),
        "bloom": (receipt.get("bloom") or receipt.get("logsBloom")).lower(),
        "logs": [(log["address"].lower(), tuple(t.lower() for t in log["topics"]),
                  log["data"].lower()) for log in receipt.get("logs") or []],
    }


# Result fields by name, how to read them and whether one side may leave them out.
def _quantity(text):
    """A number that the specification leaves out (null) when it is zero."""
    return _number(text) or None


_FIELDS = [
    ("stateRoot", str.lower), ("txRoot", str.lower), ("receiptsRoot", str.lower),
    ("withdrawalsRoot", str.lower), ("logsHash", str.lower), ("logsBloom", str.lower),
    ("gasUsed", _number), ("currentDifficulty", _quantity), ("currentBaseFee", _quantity),
    ("currentExcessBlobGas", _number), ("requestsHash", str.lower), ("requests", list),
]


def differences(expected, got):
    """Lines "where: expected X, got Y", none when equal."""
    lines = []

    def check(where, a, b):
        if a != b:
            lines.append(f"{where}: expected {_short(a)}, got {_short(b)}")

    want, have = expected["result"], got["result"]
    rejected = [[(r["index"], _KINDS_THAT_READING_FINDS.get(kind_of_rejection(r["error"]),
                                                            kind_of_rejection(r["error"])))
                 for r in sorted(side.get("rejected") or [], key=lambda r: r["index"])]
                for side in (want, have)]
    if [index for index, _ in rejected[0]] == [index for index, _ in rejected[1]]:
        for (a, b) in zip(list(rejected[0]), list(rejected[1])):
            if a != b and b[1] == "signature" and a[1] in _BEFORE_THE_SIGNATURE:
                rejected[0][rejected[0].index(a)] = b
    check("rejected", *rejected)
    check("blockException", "blockException" in want, "blockException" in have)
    if "blockException" in want:
        return lines  # an invalid block has no results to agree on
    receipts = [[_receipt(r) for r in side.get("receipts") or []] for side in (want, have)]
    check("receipts.count", len(receipts[0]), len(receipts[1]))
    for index, (a, b) in enumerate(zip(*receipts)):
        for name in a:
            check(f"receipts[{index}].{name}", a[name], b[name])
    allocs = [_alloc(side["alloc"]) for side in (expected, got)]
    for address in sorted(set(allocs[0]) | set(allocs[1])):
        a, b = allocs[0].get(address), allocs[1].get(address)
        if a is None or b is None:
            check(f"alloc.{address}", a, b)
            continue
        for name in ("balance", "nonce", "code"):
            check(f"alloc.{address}.{name}", a[name], b[name])
        for slot in sorted(set(a["storage"]) | set(b["storage"])):
            check(f"alloc.{address}.storage[{hex(slot)}]", a["storage"].get(slot, 0),
                  b["storage"].get(slot, 0))
    for name, read in _FIELDS:
        a, b = want.get(name), have.get(name)
        check(name, a if a is None else read(a), b if b is None else read(b))
    return lines


def _short(value):
    text = hex(value) if type(value) is int else str(value)
    return text if len(text) < 200 else text[:200] + "..."
