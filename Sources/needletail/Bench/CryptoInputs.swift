import EVM
import Ethereum

/// The inputs of `bench crypto`, by the rules of Tools/vectors/bench_crypto.py.
enum CryptoInputs {
  /// Bytes that look like nothing.
  static func message(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: 131 * $0 + 17 * ($0 >> 8) + 7) }
  }

  /// A number as 32 big-endian bytes.
  static func word(_ number: Int) -> [UInt8] {
    UInt256(UInt64(number)).bytes
  }

  /// A 256-bit number for each index.
  static func scalar(_ index: Int) -> [UInt8] { Keccak256.hash(word(index)).bytes }

  /// Bytes of the scalars from `1000 * seed` on.
  static func stream(_ seed: Int, _ count: Int) -> [UInt8] {
    Array((0..<(count + 31) / 32).flatMap { scalar(1000 * seed + $0) }.prefix(count))
  }

  /// Base, exponent and modulus of a power, all of so many bits.
  static func power(bits: Int, isEven: Bool = false)
    -> (base: [UInt8], exponent: [UInt8], modulus: [UInt8])
  {
    let size = bits / 8
    var modulus = stream(bits + 2, size)
    modulus[0] |= 0x80
    modulus[size - 1] |= 1
    if isEven {
      modulus[size - 1] = 0
      modulus[size - 2] = 0
    }
    return (stream(bits, size), stream(bits + 1, size), modulus)
  }

  /// The MODEXP precompile's input.
  static func modExp(_ base: [UInt8], _ exponent: [UInt8], _ modulus: [UInt8]) -> [UInt8] {
    word(base.count) + word(exponent.count) + word(modulus.count) + base + exponent + modulus
  }

  /// The BLAKE2F precompile's input: rounds, state, message, offset 128, not the last block.
  static func blake2F(rounds: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: rounds >> UInt32(24 - 8 * $0)) } + message(192)
      + [128] + [UInt8](repeating: 0, count: 16)
  }

  // MARK: Curves

  /// bn254's generator of G1.
  static let bn254Generator = word(1) + word(2)
  /// The order of bn254's groups.
  private static let bn254Order = UInt256(
    0x43e1_f593_f000_0001, 0x2833_e848_79b9_7091, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029)

  /// A multiple of bn254's generator.
  static func bn254Multiple(_ scalar: [UInt8]) -> [UInt8] {
    PrecompileCall(.bn254Multiply, bn254Generator + scalar).result()
  }

  /// Pairs whose pairings' product is one, for more than one: `e(a_i G1, b_i G2)` and the negated
  /// generator with the rest, each of G2's points with two partners of opposite sign.
  static func bn254Pairs(_ count: Int) -> [UInt8] {
    var input: [UInt8] = []
    for pair in 0..<max(count / 2, 1) {
      let scalar = Self.scalar(20 + pair)
      // The scalar's multiple, and that of the order less the scalar.
      let number = scalar.withUnsafeBufferPointer { UInt256(bigEndian: $0.baseAddress!) }
      let negated = bn254Order &- UInt256.remainder(number, bn254Order)
      let point = Hexadecimal.bytes(unprefixed: CryptoAnswers.bn254Points[pair])!
      input += bn254Multiple(scalar) + point
      if count > 1 { input += bn254Multiple(negated.bytes) + point }
    }
    return input
  }

  /// BLS12-381's generator of G1, each coordinate in 64 bytes.
  static let blsG1Generator = point([
    "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
    "08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1",
  ])

  /// BLS12-381's generator of G2.
  static let blsG2Generator = point([
    "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8",
    "13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e",
    "0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801",
    "0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be",
  ])

  /// The order of BLS12-381's groups.
  private static let blsOrder = UInt256(
    0xffff_ffff_0000_0001, 0x53bd_a402_fffe_5bfe, 0x3339_d808_09a1_d805, 0x73ed_a753_299d_7d48)

  /// Coordinates of 48 bytes as the precompiles want them, in 64.
  private static func point(_ coordinates: [String]) -> [UInt8] {
    coordinates.flatMap { blsField($0) }
  }

  /// An element of BLS12-381's field in 64 bytes.
  static func blsField(_ digits: String) -> [UInt8] {
    [UInt8](repeating: 0, count: 16) + Hexadecimal.bytes(unprefixed: digits)!
  }

  /// A multiple of a point of BLS12-381.
  static func blsMultiple(_ precompile: Precompile, _ point: [UInt8], _ scalar: [UInt8])
    -> [UInt8]
  {
    PrecompileCall(precompile, point + scalar).result()
  }

  /// Multiples of the generator from 1 on, each with its scalar.
  static func blsTerms(_ precompile: Precompile, _ generator: [UInt8], _ count: Int) -> [UInt8] {
    (0..<count).flatMap { blsMultiple(precompile, generator, word($0 + 1)) + scalar($0) }
  }

  /// Pairs whose pairings' product is one, for more than one pair.
  static func blsPairs(_ count: Int) -> [UInt8] {
    var input: [UInt8] = []
    for pair in 0..<max(count / 2, 1) {
      let scalar = Self.scalar(40 + pair)
      let number = scalar.withUnsafeBufferPointer { UInt256(bigEndian: $0.baseAddress!) }
      let negated = blsOrder &- UInt256.remainder(number, blsOrder)
      let multiple = blsMultiple(.blsG2MSM, blsG2Generator, scalar)
      // e(G1, s G2) and e(-s G1, G2).
      input += blsG1Generator + multiple
      if count > 1 {
        input += blsMultiple(.blsG1MSM, blsG1Generator, negated.bytes) + blsG2Generator
      }
    }
    return input
  }

  /// A proof of evaluation: the vector of go-ethereum's tests.
  static let pointEvaluation = Hexadecimal.bytes(
    unprefixed: "01e798154708fe7789429634053cbf9f99b619f9f084048927333fce637f549b"
      + "564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306"
      + "24d25032e67a7e6a4910df5834b8fe70e6bcfeeac0352434196bdf4b2485d5a1"
      + "8f59a8d2a1a625a17f3fea0fe5eb8c896db3764f3185481bc22f91b4aaffcca2"
      + "5f26936857bc3a7c2539ea8ec3a952b7873033e038326e87ed3e1276fd140253"
      + "fa08e9fc25fb2d9a98527fc22a2c9612fbeafdad446cbc7bcdbdcd780af2c16a")!

  /// What the precompile gives for a good proof: the elements of a blob, and the group's order.
  static let pointEvaluationOutput = word(4096) + blsOrder.bytes

  /// A signature over P-256 and its key: RFC 6979, section A.2.5, SHA-256 of "sample".
  static let p256 = (
    hash: "af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf",
    r: "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
    s: "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    x: "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
    y: "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
  )
}
