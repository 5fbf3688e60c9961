#!/usr/bin/env python3
"""Writes Sources/Coprocessors/KnownAnswers: what proves a back end when the program starts.

Usage: Tools/vectors/coprocessors.py FIXTURES (the unpacked public suites)

Each coprocessor has a file of lines `source request result`, in hexadecimal without a prefix: `.` for
no bytes, `-` for a refusal. Sources:
- hashes: Tools/vectors/hashes.py and hashlib;
- recover, modexp and curves: go-ethereum's core/vm/testdata/precompiles, the shortest of each file
  that are not empty, and of the failing ones;
- recoverKey: those of recover, with keys worked out here;
- senders: transactions of the execution spec tests, one of each type, with the sender, the
  authorisations' signers and Keccak-256 of the bytes;
- stateRoot: ethereum-tests' TrieTests with hashed keys; trieRoot: those with keys as they are;
- orderedRoot: blocks of the execution spec tests, with the roots in their headers.
"""

import hashlib
import json
import pathlib
import sys

from hashes import keccak256, message

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tools" / "generators"))
from curve_tables import SECP256K1  # noqa: E402

FIXTURES = pathlib.Path(sys.argv[1])


def hashes(function):
    sizes = [0, 1, 31, 32, 55, 56, 63, 64, 119, 135, 136, 137, 200, 271, 272, 300]
    return [(f"length-{n}", message(n).hex(), function(message(n))) for n in sizes]


def precompile(name, failing=None, count=4, limit=1200):
    vectors = json.loads((FIXTURES / f"precompiles/{name}.json").read_text())
    vectors = sorted((v for v in vectors if v["Input"]), key=lambda v: len(v["Input"]))
    vectors = [v for v in vectors if len(v["Input"]) <= 2 * limit][:count]
    lines = [(v["Name"], v["Input"], v["Expected"]) for v in vectors]
    if failing:
        vectors = json.loads((FIXTURES / f"precompiles/{failing}.json").read_text())
        lines += [(v["Name"], v["Input"], None) for v in vectors if len(v["Input"]) <= 2 * limit]
    return lines


def refused(lines, requests):
    """The same answers, and requests that have to be refused, by name."""
    return lines + [(name, request, None) for name, request in requests.items()]


def point_evaluation():
    """A request has 192 bytes, and begins with the commitment's hash in version 1 (EIP-4844)."""
    lines = precompile("pointEvaluation")
    request = lines[0][1]
    return refused(
        lines, {
            "cut": request[:-2], "longer": request + "00",
            "another-version": "02" + request[2:],
            "another-commitment": request[:62] + "00" + request[64:],
        })


def recover():
    lines = []
    for v in json.loads((FIXTURES / "precompiles/ecRecover.json").read_text()):
        data = bytes.fromhex(v["Input"])
        parity = int.from_bytes(data[32:64], "big") - 27
        if len(data) != 128 or parity not in (0, 1):
            continue
        request = data[:32] + data[64:128] + bytes([parity])
        lines.append((v["Name"], request.hex(), v["Expected"][24:] or None))
    # EIP-155's example: the hash that is signed, and the signature.
    lines.append((
        "EIP-155",
        "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"
        "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"
        "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83" "00",
        "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"))
    # SEC 1, section 4.1.6: r and s are from 1 to the order - 1.
    order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
    for name, r, s in [
        ("r-is-zero", "00" * 32, "11" * 32), ("s-is-zero", "11" * 32, "00" * 32),
        ("r-is-the-order", order, "11" * 32), ("s-is-the-order", "11" * 32, order),
    ]:
        lines.append((name, "22" * 32 + r + s + "00", None))
    return lines


def recover_key():
    """The same signatures with public keys, worked out here by SEC 1, section 4.1.6; their hashes are
    the addresses that are known."""
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    curve, lines = SECP256K1, []
    for name, request, address in recover():
        key = None
        if address:
            data = bytes.fromhex(request)
            z, r, s = (int.from_bytes(data[i:i + 32], "big") for i in (0, 32, 64))
            y = pow(r**3 + 7, (curve.p + 1) // 4, curve.p)
            point = (r, y if y & 1 == data[96] else curve.p - y)
            inverse = pow(r, -1, order)
            x, y = curve.add(
                curve.multiply(s * inverse % order, point),
                curve.multiply(-z * inverse % order, curve.g))
            key = f"{x:064x}{y:064x}"
            assert keccak256(bytes.fromhex(key))[24:] == address
        lines.append((name, request, key))
    return lines


def senders():
    found = {}
    files = sorted((FIXTURES / "eest/state_tests").rglob("*.json"))
    for file in files:
        if len(found) == 5:
            break
        for name, test in json.loads(file.read_text()).items():
            transaction = test["transaction"]
            for posts in test["post"].values():
                for post in posts:
                    raw = bytes.fromhex(post.get("txbytes", "0x")[2:])
                    if not raw or len(raw) > 700 or post.get("expectException"):
                        continue
                    kind = 0 if raw[0] >= 0xC0 else raw[0]
                    if kind in found:
                        continue
                    signers = [a.get("signer") for a in transaction.get("authorizationList", [])]
                    if kind == 4 and (not signers or None in signers):
                        continue
                    result = transaction["sender"][2:] + keccak256(raw)
                    result += "".join("01" + signer[2:] for signer in signers)
                    found[kind] = (f"type-{kind}", raw.hex(), result)
    assert sorted(found) == [0, 1, 2, 3, 4], found.keys()
    lines = [found[kind] for kind in sorted(found)]
    # A transaction that ends too soon, and none.
    lines.append(("cut", lines[2][1][:-2], None))
    lines.append(("empty", "", None))
    return lines


EMPTY_ROOT = "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"


def trie_tests(names, key_field):
    """TrieTests as requests, with each key as `key_field` writes it."""
    lines = [("empty", "", EMPTY_ROOT)]

    def binary(text):
        return bytes.fromhex(text[2:]) if text.startswith("0x") else text.encode()

    for name in names:
        tests = json.loads((FIXTURES / f"ethereum-tests/TrieTests/{name}.json").read_text())
        for test, value in tests.items():
            pairs = value["in"].items() if isinstance(value["in"], dict) else value["in"]
            request = b""
            for key, entry in pairs:
                entry = binary(entry) if entry is not None else b""
                request += key_field(binary(key))
                request += len(entry).to_bytes(4, "big") + entry
            if len(request) < 2000:
                lines.append((f"{name}/{test}", request.hex(), value["root"][2:]))
    return lines


def state_root():
    return trie_tests(
        ["hex_encoded_securetrie_test", "trieanyorder_secureTrie", "trietest_secureTrie"],
        lambda key: bytes.fromhex(keccak256(key)))


def trie_root():
    lines = trie_tests(["trieanyorder", "trietest"], lambda key: bytes([len(key)]) + key)
    lines.append(("cut", "0161000000026f", None))
    return lines


def items(data):
    """The items of an RLP list's payload: pairs of whether it is a list, and its own payload."""
    found, position = [], 0
    while position < len(data):
        first = data[position]
        if first < 0x80:
            start, size = position, 1
        elif first < 0xB8 or 0xC0 <= first < 0xF8:
            start, size = position + 1, first - (0x80 if first < 0xC0 else 0xC0)
        else:
            width = first - (0xB7 if first < 0xC0 else 0xF7)
            start = position + 1 + width
            size = int.from_bytes(data[position + 1 : start], "big")
        found.append((first >= 0xC0, data[start : start + size], data[position : start + size]))
        position = start + size
    return found


def ordered_root():
    """Transactions and withdrawals of blocks, with the roots in their headers."""
    found = {}
    for file in sorted((FIXTURES / "eest/blockchain_tests").rglob("*.json")):
        if len(found) == 7:
            break
        for test in json.loads(file.read_text()).values():
            for block in test["blocks"]:
                if "expectException" in block:
                    continue
                parts = items(items(bytes.fromhex(block["rlp"][2:]))[0][1])
                header = items(parts[0][1])
                lists = [("transactions", parts[1][1], header[4][1])]
                if len(parts) > 3:
                    lists.append(("withdrawals", parts[3][1], header[16][1]))
                for kind, payload, root in lists:
                    rows = [row[2] if row[0] else row[1] for row in items(payload)]
                    name = f"{kind}-{len(rows)}"
                    wanted = {"transactions": (0, 1, 2, 5, 17), "withdrawals": (1, 16)}[kind]
                    if len(rows) not in wanted or name in found or len(payload) > 3000:
                        continue
                    request = b"".join(len(row).to_bytes(4, "big") + row for row in rows)
                    found[name] = (name, request.hex(), root.hex())
    lines = [found[name] for name in sorted(found)]
    lines.append(("cut", "0000000201", None))
    return lines


def main():
    answers = {
        "keccak256": hashes(keccak256),
        "sha256": hashes(lambda data: hashlib.sha256(data).hexdigest()),
        "recover": recover(),
        "recoverKey": recover_key(),
        "senders": senders(),
        "stateRoot": state_root(),
        "trieRoot": trie_root(),
        "orderedRoot": ordered_root(),
        "modexp": precompile("modexp_eip7883", count=6),
        # A point that is not on y^2 = x^3 + 3 (EIP-196).
        "bn254Add": refused(
            precompile("bn256Add"), {"not-on-curve": f"{1:064x}{1:064x}" + "00" * 64}),
        "bn254Multiply": refused(
            precompile("bn256ScalarMul"), {"not-on-curve": f"{1:064x}{1:064x}{1:064x}"}),
        "bn254Pairing": precompile("bn256Pairing", count=5),
        "pointEvaluation": point_evaluation(),
        "p256Verify": precompile("p256Verify", count=8),
        "bls12381G1Add": precompile("blsG1Add", "fail-blsG1Add"),
        "bls12381G1MSM": precompile("blsG1MultiExp", "fail-blsG1MultiExp"),
        "bls12381G2Add": precompile("blsG2Add", "fail-blsG2Add"),
        "bls12381G2MSM": precompile("blsG2MultiExp", "fail-blsG2MultiExp"),
        "bls12381Pairing": precompile("blsPairing", "fail-blsPairing"),
        "bls12381MapFpToG1": precompile("blsMapG1", "fail-blsMapG1"),
        "bls12381MapFp2ToG2": precompile("blsMapG2", "fail-blsMapG2"),
    }
    folder = ROOT / "Sources/Coprocessors/KnownAnswers"
    folder.mkdir(exist_ok=True)
    for name, lines in answers.items():
        text = "// Written by Tools/vectors/coprocessors.py, which tells the sources. Do not edit.\n\n"
        text += "extension KnownAnswers {\n"
        text += f"  static let {name} = parsed(\n    \"\"\"\n"
        for source, request, result in lines:
            fields = [source.replace(" ", "-"), request or ".", "-" if result is None else result or "."]
            row = " ".join(fields)
            # Lines are cut for readers; the parser knows no line ends, only blanks.
            while len(row) > 92:
                text += f"    {row[:92]}\\\n"
                row = row[92:]
            text += f"    {row}\n"
        text += "    \"\"\")\n}\n"
        (folder / f"KnownAnswers+{name[0].upper()}{name[1:]}.swift").write_text(text)


main()
