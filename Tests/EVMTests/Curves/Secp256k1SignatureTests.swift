import Testing

@testable import EVM

@Suite struct Secp256k1SignatureTests {
  /// Deterministic signatures over SHA-256 of a text as the Bitcoin community publishes them since
  /// the thread "Deterministic ECDSA (RFC 6979) test vectors" of bitcointalk.org (2013); Trezor's
  /// and bitcoinj's tests have the same. The nonce of the first is
  /// 8f8a276c19f4149656b280621e358cce24f5f52542772691ee69063b74f15d15.
  @Test(arguments: [
    (
      "1", "Satoshi Nakamoto",
      "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8",
      "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"
    ),
    (
      "1", "All those moments will be lost in time, like tears in rain. Time to die...",
      "8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b",
      "547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21"
    ),
    (
      "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140", "Satoshi Nakamoto",
      "fd567d121db66e382991534ada77a6bd3106f0a1098c231e47993447cd6af2d0",
      "6b39cd0eb1bc8603e159ef5c20a5c8ad685a45b06ce9bebed3f153d10d93bed5"
    ),
    (
      "f8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181", "Alan Turing",
      "7063ae83e7f62bbb171798131b4a0564b956930092b33b07b395615d9ec7e15c",
      "58dfcc1e00a35e1572f366ffe34ba0fc47db1e7189759b9fb233c5b05ab388ea"
    ),
  ])
  func signsAsPublished(secret: String, text: String, r: String, s: String) throws {
    let bytes = Array(text.utf8)
    let hash = bytes.withUnsafeBufferPointer { SHA256.hash($0) }
    let secret = try #require(word(Substring(secret)))
    let signature = try #require(Secp256k1.sign(hash: hash, secret: secret))
    #expect(signature.r == word(Substring(r)))
    #expect(signature.s == word(Substring(s)))
  }

  @Test func recoversTheSignerOfRandomHashes() throws {
    var generator = SplitMix(seed: 0x6e65_6564_6c65)
    for index in 0..<80 {
      let secret = Secp256k1Scalar(reducing: generator.word()).value
      let hash = Hash256(generator.word())
      let key = try #require(Secp256k1.publicKey(of: secret))
      let address = try #require(Secp256k1.address(of: secret))
      let (r, s, parity) = try #require(Secp256k1.sign(hash: hash, secret: secret))
      #expect(s <= Secp256k1.halfOrder)
      #expect(Secp256k1.recover(hash: hash, r: r, s: s, yParity: parity) == address, "\(index)")
      #expect(Secp256k1.recover(hash: hash, r: r, s: s, yParity: parity ^ 1) != address)
      // The high twin goes with the other parity.
      let high = Secp256k1.order &- s
      #expect(Secp256k1.recover(hash: hash, r: r, s: high, yParity: parity ^ 1) == address)
      #expect(Secp256k1.verify(hash: hash, r: r, s: s, x: key.x, y: key.y))
      #expect(!Secp256k1.verify(hash: Hash256(hash.word ^ 1), r: r, s: s, x: key.x, y: key.y))
    }
  }

  /// The addresses of the secret keys 1 and 2, which many tools show.
  @Test func knowsTheAddressesOfSmallKeys() throws {
    let expected = [
      (1, "7e5f4552091a69125d5dfcb7b8c2659029395bdf"),
      (2, "2b5ad5c4795c026514f8317c7a215e218dccd6cf"),
    ]
    for (secret, address) in expected {
      #expect(
        Secp256k1.address(of: UInt256(UInt64(secret)))?.word == word(Substring(address)))
    }
  }

  @Test func refusesSecretsOutOfRange() {
    for secret in [.zero, Secp256k1.order, Secp256k1.order &+ .one, .max] {
      #expect(Secp256k1.publicKey(of: secret) == nil)
      #expect(Secp256k1.address(of: secret) == nil)
      #expect(Secp256k1.sign(hash: .zero, secret: secret) == nil)
    }
  }
}

/// SplitMix64 (Steele, Lea, Flood 2014), for reproducible test inputs.
private struct SplitMix {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func word() -> UInt256 { UInt256(next(), next(), next(), next()) }
}
