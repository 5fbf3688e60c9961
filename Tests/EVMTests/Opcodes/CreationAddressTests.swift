import Testing

@testable import EVM

/// The addresses of new contracts.
@Suite struct CreationAddressTests {
  private func address(_ hexadecimal: String) -> Address {
    let bytes = bytes(hexadecimal: hexadecimal)!
    return bytes.withUnsafeBufferPointer { Address(bytes: $0.baseAddress!) }
  }

  /// Hashes of RLP made in Python; the first four are a well-known example.
  @Test func createHashesTheNonceInRLP() {
    let creator = address("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0")
    let expected: [(nonce: UInt64, address: String)] = [
      (0, "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"),
      (1, "343c43a37d37dff08ae8c4a11544c718abb4fcf8"),
      (2, "f778b86fa74e846c4f0a1fbd1335fe81c00a0c91"),
      (3, "fffd933a0bc612844eaf0c6fe3e5b8e9b6c1d19c"),
      // The last nonce that is its own encoding, and the first with a prefix.
      (0x7f, "06d9a77f5e4b311bae8d559db9cdb4df94104aa0"),
      (0x80, "08e190dcb7b73f5fcdabb43e102215c83659a76d"),
      (0xff, "3ef7c1a519e4b4431e317d7839340e3139b03c65"),
      (0x100, "3837c1ae70354f670550c746580199ac6a73cb0a"),
      (0x102, "85dd13baf81a1ccbcdf915b7966f35e86eb818b9"),
      (0xffff, "65260eecff4edebabe134f76f1f39a91defde56c"),
      (0x10000, "f666a819b370d38f44f2573464da3fba8479b917"),
      (0xffff_ffff, "4c9958390a81acc68a5f19aa8e6188bebbbeefd7"),
      (0x1_0000_0000, "f4bf328880432064068338f915c49f817dc4ce18"),
      (0x0102_0304_0506_0708, "cce8001f528ccb2ca4b6f184c56151d01fcd58fa"),
      (.max - 1, "9ab3917bcc9efbcf7de35bced143ed95c3b3cbf5"),
    ]
    for (nonce, result) in expected {
      #expect(Address.created(by: creator, nonce: nonce) == address(result), "nonce \(nonce)")
    }
  }

  /// The examples of EIP-1014.
  @Test func create2HashesSaltAndCode() {
    let zero = "0000000000000000000000000000000000000000"
    let beef = "deadbeef"
    let last = "00000000000000000000000000000000deadbeef"
    let babe: UInt256 = 0xcafe_babe
    let expected: [(creator: String, salt: UInt256, code: String, address: String)] = [
      (zero, 0, "00", "4d1a2e2bb4f88f0250f26ffff098b0b30b26bf38"),
      (
        "deadbeef00000000000000000000000000000000", 0, "00",
        "b928f69bb1d91cd65274e3c79d8986362984fda3"
      ),
      (
        "deadbeef00000000000000000000000000000000", UInt256(0xfeed) << 144, "00",
        "d04116cdd17bebe565eb2422f2497e06cc1c9833"
      ),
      (zero, 0, beef, "70f2b2914a2a4b783faefb75f459a580616fcb5e"),
      (last, babe, beef, "60f3f640a8508fc6a86d45df051962668e1e8ac7"),
      (
        last, babe, String(repeating: beef, count: 11), "1d8bfdc5d46dc4f61d6b6115972536ebe6a8854c"
      ),
      (zero, 0, "", "e33c0c7f7df4809055c3eba6c09cfe4baf1bd9e0"),
    ]
    for (creator, salt, code, result) in expected {
      let made = bytes(hexadecimal: code)!.withUnsafeBufferPointer {
        Address.created(by: address(creator), salt: salt, initCode: $0)
      }
      #expect(made == address(result))
    }
  }

  /// A contract at the nonce creates at the address of that nonce, and has the next one after.
  @Test func creationsUseTheCreatorsNonce() {
    for nonce: UInt64 in [1, 0x7f, 0x80, 0xff, 0x100, 0xffff_ffff, .max - 1] {
      let world = TestWorld(.osaka, code: .call(Opcode.create, 0, 0, 0) + .returnTop)
      world.accounts[TestWorld.contract]?.nonce = nonce
      let outcome = world.run()
      let created = Address.created(by: TestWorld.contract, nonce: nonce)
      #expect(outcome.word == created.word)
      #expect(outcome.accounts[created]?.nonce == 1)
      #expect(outcome.accounts[TestWorld.contract]?.nonce == nonce + 1)
    }
  }
}
