#!/usr/bin/env python3
"""Blobs with their commitments and proofs, and the points that check them, by c-kzg-4844.

    .venv-rpc/bin/python Tools/vectors/blobs.py          # needs PyPI's ckzg, and eth-account's ceremony

Writes Tests/EVMTests/Vectors/blobs.txt and Sources/Node/Intake/Blobs/BlobCeremonyPoints.swift. A line of
the first is a blob's name, commitment, proof (EIP-4844) and the proofs of its 128 cells (EIP-7594). A
number N names the blob whose value i is Keccak-256 of N and i, four bytes each, without its two highest
bits; `zero` and `ones` have one value throughout. The last line has the ceremony's points.
"""

import pathlib

import ckzg
import eth_account.typed_transactions.blob_transactions as package
from eth_utils import keccak

from fp2 import Fp2

P = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
FIELD = Fp2(P)
SETUP = pathlib.Path(package.__file__).parent / "kzg_trusted_setup.txt"
ROOT = pathlib.Path(__file__).parents[2]
GENERATOR = ("97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac58"
             "6c55e83ff97a1aeffb3af00adb22c6bb")


def blob(name):
    if name in ("zero", "ones"):
        return (0 if name == "zero" else 1).to_bytes(32, "big") * 4096
    values = []
    for index in range(4096):
        word = bytearray(keccak(int(name).to_bytes(4, "big") + index.to_bytes(4, "big")))
        word[0] &= 0x3F
        values.append(bytes(word))
    return b"".join(values)


def uncompressed(point):
    """A compressed point of G2 as EIP-2537 has it."""
    is_larger = bool(point[0] >> 5 & 1)
    x = (int.from_bytes(point[48:], "big"),
         int.from_bytes(bytes([point[0] & 0x1F]) + point[1:48], "big"))
    y = FIELD.root(FIELD.add(FIELD.power(x, 3), (4, 4)))
    if (y[1] > (P - 1) // 2) != is_larger:
        y = FIELD.negate(y)
    return b"".join(part.to_bytes(64, "big") for part in (*x, *y))


def ceremony():
    """`[tau^i] G1` for i below 64, in hexadecimal, and `[tau^64] G2`."""
    words = SETUP.read_text().split()
    assert words[:2] == ["4096", "65"]
    # 4,096 points of G1 in the Lagrange basis, 65 of G2, then the powers in G1.
    powers = words[2 + 4096 + 65:][:64]
    assert powers[0] == GENERATOR
    return powers, uncompressed(bytes.fromhex(words[2 + 4096 + 64])).hex()


def vectors(powers, last):
    setup = ckzg.load_trusted_setup(str(SETUP), 0)
    lines = []
    for name in ["zero", "ones", "1", "2"]:
        data = blob(name)
        commitment = ckzg.blob_to_kzg_commitment(data, setup)
        proof = ckzg.compute_blob_kzg_proof(data, commitment, setup)
        assert ckzg.verify_blob_kzg_proof(data, commitment, proof, setup)
        _, proofs = ckzg.compute_cells_and_kzg_proofs(data, setup)
        lines.append(f"{name} {commitment.hex()} {proof.hex()} {b''.join(proofs).hex()}")
    lines.append(f"ceremony {''.join(powers)}{last}")
    return "\n".join(lines) + "\n"


def source(powers, last):
    text = '''/// The points of the ceremony of EIP-4844 that proofs of cells are checked with.
///
/// Written by `Tools/vectors/blobs.py`. Source: the consensus specifications' `trusted_setup_4096.json`, as
/// eth-account 0.13 has it for c-kzg-4844.
enum BlobCeremonyPoints {
  /// `[tau^i] G1` for i below 64, compressed.
  static let powers = """
'''
    text += "".join(f"    {power}\n" for power in powers)
    text += '    """\n\n  /// `[tau^64] G2` as EIP-2537 has it.\n  static let last = """\n'
    text += "".join(f"    {last[i:i + 64]}\n" for i in range(0, 512, 64))
    return text + '    """\n}\n'


def main():
    points = ceremony()
    (ROOT / "Tests/EVMTests/Vectors/blobs.txt").write_text(vectors(*points))
    (ROOT / "Sources/Node/Intake/Blobs/BlobCeremonyPoints.swift").write_text(source(*points))


if __name__ == "__main__":
    main()
