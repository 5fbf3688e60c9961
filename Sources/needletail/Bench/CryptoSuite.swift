import EVM
import Ethereum

/// The cases of `bench crypto`.
enum CryptoSuite {
  /// The other libraries, where they are installed.
  struct Peers {
    let secp256k1 = LibSecp256k1Peer()
    let openSSL = OpenSSLPeer()
    let gmp = GMPPeer()
  }

  /// All of them, in the table's order. Inputs are made here: points are multiplied, messages
  /// signed.
  static func cases() -> [CryptoCase] {
    let peers = Peers()
    return hashes(peers) + curves(peers) + modExp(peers) + otherPrecompiles()
  }

  // MARK: Hashes

  private static func hashes(_ peers: Peers) -> [CryptoCase] {
    let sizes = [32, 64, 136, 1024, 1 << 20]
    var cases: [CryptoCase] = []
    for size in sizes {
      let message = Message(CryptoInputs.message(size))
      cases.append(
        CryptoCase(
          group: .hash, name: "keccak256/\(size)", bytes: size, target: .ratio(1.1),
          answer: digest("keccak256/\(size)"),
          output: { Keccak256.hash(message.bytes).bytes },
          work: { repeated($0) { Keccak256.hash(message.bytes).word.limb0 } },
          // The same permutation and rate with another padding: it only keeps time.
          peer: openSSL(peers, "SHA3-256", message)))
    }
    let pair = CryptoInputs.message(64)
    let (first, second) = pair.withUnsafeBufferPointer {
      (UInt256(bigEndian: $0.baseAddress!), UInt256(bigEndian: $0.baseAddress! + 32))
    }
    cases.append(
      CryptoCase(
        group: .hash, name: "keccak256/two words", bytes: 64, target: .ratio(1.1),
        answer: digest("keccak256/64"),
        output: { Keccak256.hash(first, second).bytes },
        work: { repeated($0) { Keccak256.hash(first, second).word.limb0 } },
        peer: openSSL(peers, "SHA3-256", Message(pair))))
    for size in sizes {
      let message = Message(CryptoInputs.message(size))
      cases.append(
        CryptoCase(
          group: .hash, name: "sha256/\(size)", bytes: size, answer: digest("sha256/\(size)"),
          output: { SHA256.hash(message.bytes).bytes },
          work: { repeated($0) { SHA256.hash(message.bytes).word.limb0 } },
          peer: openSSL(peers, "SHA256", message)))
    }
    for size in sizes {
      let message = Message(CryptoInputs.message(size))
      cases.append(
        CryptoCase(
          group: .hash, name: "ripemd160/\(size)", bytes: size,
          answer: digest("ripemd160/\(size)"),
          output: { RIPEMD160.hash(message.bytes).bytes },
          work: { repeated($0) { RIPEMD160.hash(message.bytes).low } },
          peer: openSSL(peers, "RIPEMD160", message)))
    }
    return cases
  }

  private static func openSSL(_ peers: Peers, _ name: String, _ message: Message) -> CryptoPeer {
    peers.openSSL?.hash(name, of: Array(message.bytes))
      ?? .absent(library: "OpenSSL", install: "apt-get install libssl3")
  }

  // MARK: Curves

  private static func curves(_ peers: Peers) -> [CryptoCase] {
    // EIP-155's example key.
    let secret = [UInt8](repeating: 0x46, count: 32)
    let hash = Keccak256.hash(CryptoInputs.message(32))
    let key = number(secret)
    guard let signature = Secp256k1.sign(hash: hash, secret: key) else { return [] }
    let absent = CryptoPeer.absent(
      library: "libsecp256k1", install: "apt-get install libsecp256k1-1")
    let batch = RecoveryBatch(count: 256, hash: hash, signature: signature)
    let p256 = CryptoInputs.p256
    let (x, y) = (number(hexadecimal(p256.x)), number(hexadecimal(p256.y)))
    let (r, s) = (number(hexadecimal(p256.r)), number(hexadecimal(p256.s)))
    let p256Hash = Hash256(number(hexadecimal(p256.hash)))
    return [
      CryptoCase(
        group: .curve, name: "secp256k1/recover", target: .ratio(1.5),
        answer: hashed("secp256k1/recover"),
        output: {
          let key = Secp256k1.recoverPublicKey(
            hash: hash, r: signature.r, s: signature.s, yParity: signature.yParity)
          return (key?.x.bytes ?? []) + (key?.y.bytes ?? [])
        },
        work: {
          repeated($0) {
            Secp256k1.recoverPublicKey(
              hash: hash, r: signature.r, s: signature.s, yParity: signature.yParity)?.x.limb0 ?? 0
          }
        },
        peer: peers.secp256k1?.recovery(
          hash: hash.bytes, r: signature.r.bytes, s: signature.s.bytes, yParity: signature.yParity)
          ?? absent),
      CryptoCase(
        group: .curve, name: "secp256k1/recover batch of 256, each", target: .ratio(1.5),
        answer: .bytes(batch.expected),
        output: { batch.addresses() },
        work: { batch.recover(atLeast: $0) },
        peer: peers.secp256k1?.recovery(
          hash: hash.bytes, r: signature.r.bytes, s: signature.s.bytes, yParity: signature.yParity
        )
        .withoutOutput ?? absent),
      CryptoCase(
        group: .curve, name: "secp256k1/sign", answer: hashed("secp256k1/sign"),
        output: {
          guard let own = Secp256k1.sign(hash: hash, secret: key) else { return [] }
          return own.r.bytes + own.s.bytes + CryptoInputs.word(Int(own.yParity))
        },
        work: { repeated($0) { Secp256k1.sign(hash: hash, secret: key)?.r.limb0 ?? 0 } },
        peer: peers.secp256k1?.signature(hash: hash.bytes, secret: secret) ?? absent),
      CryptoCase(
        group: .curve, name: "p256/verify", target: .time(150_000),
        answer: .bytes(CryptoInputs.word(1)),
        output: {
          CryptoInputs.word(P256.verify(hash: p256Hash, r: r, s: s, x: x, y: y) ? 1 : 0)
        },
        work: { repeated($0) { P256.verify(hash: p256Hash, r: r, s: s, x: x, y: y) ? 1 : 0 } },
        peer: peers.openSSL?.verification(
          hash: p256Hash.bytes, r: r.bytes, s: s.bytes, x: x.bytes, y: y.bytes)
          ?? .absent(library: "OpenSSL", install: "apt-get install libssl3")),
    ]
  }

  // MARK: Precompiles

  private static func modExp(_ peers: Peers) -> [CryptoCase] {
    var cases: [CryptoCase] = []
    func add(_ name: String, target: CryptoCase.Target?, _ numbers: ([UInt8], [UInt8], [UInt8])) {
      let (base, exponent, modulus) = numbers
      var entry = precompile(
        .modExp, name, CryptoInputs.modExp(base, exponent, modulus), hashed(name), target: target)
      entry.peer =
        peers.gmp?.modularPower(base, exponent, modulus)
        ?? .absent(library: "GMP", install: "apt-get install libgmp10")
      cases.append(entry)
    }
    let sizes = [256, 512, 1024, 2048, 4096]
    for bits in sizes {
      add("modexp/\(bits)", target: .ratio(2), CryptoInputs.power(bits: bits))
    }
    for bits in sizes {
      let (base, _, modulus) = CryptoInputs.power(bits: bits)
      add("modexp/\(bits)/65537", target: .ratio(2), (base, [1, 0, 1], modulus))
    }
    for bits in sizes {
      add("modexp/\(bits)/even", target: .ratio(2), CryptoInputs.power(bits: bits, isEven: true))
    }
    return cases
  }

  private static func otherPrecompiles() -> [CryptoCase] {
    let scalars = (1...2).map { CryptoInputs.scalar($0) }
    let bn254Points = scalars.map { CryptoInputs.bn254Multiple($0) }
    let (g1, g2) = (CryptoInputs.blsG1Generator, CryptoInputs.blsG2Generator)
    let fields = CryptoAnswers.bls12381Fields.map { CryptoInputs.blsField($0) }
    let p256 = CryptoInputs.p256
    var cases = simplePrecompiles()
    cases.append(
      precompile(
        .bn254Add, "bn254/add", bn254Points[0] + bn254Points[1], hashed("bn254/add")))
    cases.append(
      precompile(.bn254Multiply, "bn254/mul", bn254Points[0] + scalars[1], hashed("bn254/mul")))
    for count in [1, 2, 4] {
      cases.append(
        precompile(
          .bn254Pairing, "bn254/pairing/\(count)", CryptoInputs.bn254Pairs(count),
          .bytes(CryptoInputs.word(count == 1 ? 0 : 1)),
          target: count <= 2 ? .time(1_500_000) : nil))
    }
    for (name, add, multiply, generator) in [
      ("g1", Precompile.blsG1Add, Precompile.blsG1MSM, g1),
      ("g2", Precompile.blsG2Add, Precompile.blsG2MSM, g2),
    ] {
      cases.append(
        precompile(
          add, "bls12381/\(name)add",
          scalars.flatMap { CryptoInputs.blsMultiple(multiply, generator, $0) },
          hashed("bls12381/\(name)add")))
      for count in [1, 2, 8, 32, 128] {
        cases.append(
          precompile(
            multiply, "bls12381/\(name)msm/\(count)",
            CryptoInputs.blsTerms(multiply, generator, count),
            hashed("bls12381/\(name)msm/\(count)")))
      }
    }
    for count in [1, 2, 4] {
      cases.append(
        precompile(
          .blsPairing, "bls12381/pairing/\(count)", CryptoInputs.blsPairs(count),
          .bytes(CryptoInputs.word(count == 1 ? 0 : 1)),
          target: count <= 2 ? .time(2_000_000) : nil))
    }
    cases.append(
      precompile(.blsMapFpToG1, "bls12381/map-g1", fields[0], hashed("bls12381/map-g1")))
    cases.append(
      precompile(
        .blsMapFp2ToG2, "bls12381/map-g2", fields[0] + fields[1], hashed("bls12381/map-g2")))
    cases.append(
      precompile(
        .pointEvaluation, "kzg/point evaluation", CryptoInputs.pointEvaluation,
        .bytes(CryptoInputs.pointEvaluationOutput), target: .time(3_000_000)))
    cases.append(
      precompile(
        .p256Verify, "p256verify",
        [p256.hash, p256.r, p256.s, p256.x, p256.y].flatMap { hexadecimal($0) },
        .bytes(CryptoInputs.word(1)), target: .time(150_000)))
    return cases
  }

  /// The precompiles of Frontier and Istanbul that are no curve's.
  private static func simplePrecompiles() -> [CryptoCase] {
    let hash = Keccak256.hash(CryptoInputs.message(32))
    let key = number([UInt8](repeating: 0x46, count: 32))
    guard let signature = Secp256k1.sign(hash: hash, secret: key),
      let address = Secp256k1.address(of: key)
    else { return [] }
    let signed =
      hash.bytes + CryptoInputs.word(27 + Int(signature.yParity)) + signature.r.bytes
      + signature.s.bytes
    var cases = [
      precompile(.ecRecover, "ecrecover", signed, .bytes(address.word.bytes))
    ]
    for size in [64, 1024] {
      let message = CryptoInputs.message(size)
      let hash = hexadecimal(CryptoAnswers.digests["ripemd160/\(size)"] ?? "")
      cases.append(
        precompile(
          .sha256, "sha256/\(size)", message, digest("sha256/\(size)"), bytes: size))
      cases.append(
        precompile(
          .ripemd160, "ripemd160/\(size)", message,
          .bytes([UInt8](repeating: 0, count: 12) + hash), bytes: size))
      cases.append(precompile(.identity, "identity/\(size)", message, .bytes(message), bytes: size))
    }
    for rounds in [12, 1200] {
      cases.append(
        precompile(
          .blake2F, "blake2f/\(rounds)", CryptoInputs.blake2F(rounds: UInt32(rounds)),
          hashed("blake2f/\(rounds)"), bytes: rounds == 12 ? 128 : nil))
    }
    return cases
  }

  // MARK: Parts

  private static func precompile(
    _ precompile: Precompile, _ name: String, _ input: [UInt8], _ answer: CryptoAnswer,
    bytes: Int? = nil, target: CryptoCase.Target? = nil
  ) -> CryptoCase {
    let call = PrecompileCall(precompile, input)
    return CryptoCase(
      group: .precompile, name: name, bytes: bytes, gas: call.gas, target: target, answer: answer,
      output: { call.result() },
      work: { for _ in 0..<$0 { call.run() } })
  }

  /// A digest as it is.
  private static func digest(_ name: String) -> CryptoAnswer {
    .bytes(hexadecimal(CryptoAnswers.digests[name] ?? ""))
  }

  /// The hash of an output.
  private static func hashed(_ name: String) -> CryptoAnswer {
    .hash(hexadecimal(CryptoAnswers.digests[name] ?? ""))
  }

  private static func hexadecimal(_ digits: String) -> [UInt8] {
    Hexadecimal.bytes(unprefixed: digits) ?? []
  }

  private static func number(_ bytes: [UInt8]) -> UInt256 {
    bytes.withUnsafeBufferPointer { UInt256(bigEndian: $0.baseAddress!) }
  }
}
