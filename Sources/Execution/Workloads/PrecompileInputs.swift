import EVM
import Ethereum

/// For each precompile an input that it accepts: random bytes would never pass its first checks.
enum PrecompileInputs {
  /// The precompiles of all forks, by the number that is their address.
  static let numbers: [UInt64] = Array(1...0x11) + [0x100]

  /// An input that the precompile accepts.
  static func valid(_ number: UInt64, _ numbers: inout WorkloadNumbers) -> [UInt8] {
    switch number {
    case 0x01: return ecRecover
    case 0x05: return modularPower(&numbers)
    case 0x06: return bn254G1 + bn254G1
    case 0x07: return bn254G1 + scalar(&numbers)
    case 0x08:
      // One pair is not one; a pair and its negative are.
      return numbers.below(2) == 0
        ? bn254G1 + bn254G2 : bn254G1 + bn254G2 + bn254NegativeG1 + bn254G2
    case 0x09:
      let rounds = UInt8(numbers.below(24))
      let state = (0..<208).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
      return [0, 0, 0, rounds] + state + [UInt8(numbers.below(2))]
    case 0x0a: return pointEvaluation
    case 0x0b: return blsG1 + blsG1
    case 0x0c: return blsG1 + scalar(&numbers) + blsG1 + scalar(&numbers)
    case 0x0d: return blsG2 + blsG2
    case 0x0e: return blsG2 + scalar(&numbers)
    case 0x0f: return blsG1 + blsG2
    case 0x10: return field(blsG1.prefix(64))
    case 0x11: return field(blsG2.prefix(128))
    case 0x100: return p256Verify
    default:
      return (0..<numbers.below(150)).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
    }
  }

  /// An input of the usual size that takes the usual time: two pairs of bn254 whose product is one, three
  /// numbers of 64 bytes; else any that the precompile accepts.
  static func typical(_ number: UInt64, _ numbers: inout WorkloadNumbers) -> [UInt8] {
    switch number {
    case 0x05:
      var values = (0..<192).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
      values[64] |= 0x80
      values[191] |= 1
      return SolidityLayout.bytes(64) + SolidityLayout.bytes(64) + SolidityLayout.bytes(64) + values
    case 0x08:
      let factor = scalar(&numbers)
      return multiple(bn254G1, factor) + bn254G2 + multiple(bn254NegativeG1, factor) + bn254G2
    default: return valid(number, &numbers)
    }
  }

  /// A multiple of a point of alt_bn128's first group.
  private static func multiple(_ point: [UInt8], _ factor: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 64) { output, count in
      var scratch = Arena(base: UnsafeMutableRawPointer(output.baseAddress!), capacity: 0)
      (point + factor).withUnsafeBufferPointer {
        let outcome = BN254MultiplyPrecompile.run(
          input: $0, output: output.baseAddress!, fork: .osaka, scratch: &scratch)
        precondition(outcome == .success(count: 64), "a multiple of the generator is on the curve")
      }
      count = 64
    }
  }

  private static func scalar(_ numbers: inout WorkloadNumbers) -> [UInt8] {
    SolidityLayout.bytes(numbers.hash().word)
  }

  private static func field(_ bytes: ArraySlice<UInt8>) -> [UInt8] { [UInt8](bytes) }

  /// Three numbers of at most 40 bytes.
  private static func modularPower(_ numbers: inout WorkloadNumbers) -> [UInt8] {
    let counts = (0..<3).map { _ in numbers.below(41) }
    let lengths = counts.flatMap { SolidityLayout.bytes(UInt256(UInt64($0))) }
    let values = (0..<counts.reduce(0, +)).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
    return lengths + values
  }

  private static func bytes(_ digits: String) -> [UInt8] {
    guard let bytes = Hexadecimal.bytes(unprefixed: digits) else {
      preconditionFailure("a constant is hexadecimal")
    }
    return bytes
  }

  /// 48 bytes of a BLS12-381 coordinate, padded to 64 as EIP-2537 writes it.
  private static func coordinate(_ digits: String) -> [UInt8] {
    [UInt8](repeating: 0, count: 16) + bytes(digits)
  }

  /// The case `ValidKey` of go-ethereum's `ecRecover.json`.
  private static let ecRecover = bytes(
    "18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c"
      + "000000000000000000000000000000000000000000000000000000000000001c"
      + "73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f"
      + "eeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549")

  /// The case `CallP256Verify` of go-ethereum's `p256Verify.json`.
  private static let p256Verify = bytes(
    "4cee90eb86eaa050036147a12d49004b6b9c72bd725d39d4785011fe190f0b4d"
      + "a73bd4903f0ce3b639bbbf6e8e80d16931ff4bcf5993d58468e8fb19086e8cac"
      + "36dbcd03009df8c59286b162af3bd7fcc0450c9aa81be5d10d312af6c66b1d60"
      + "4aebd3099c618202fcfe16ae7770b0c49ab5eadf74b754204a3bb6060e44eff3"
      + "7618b065f9832de4ca6ca971a7a1adc826d0f7c00181a5fb2ddf79ae00b4e10e")

  /// The case `pointEvaluation1` of go-ethereum's `pointEvaluation.json`.
  private static let pointEvaluation = bytes(
    "01e798154708fe7789429634053cbf9f99b619f9f084048927333fce637f549b"
      + "564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306"
      + "24d25032e67a7e6a4910df5834b8fe70e6bcfeeac0352434196bdf4b2485d5a1"
      + "8f59a8d2a1a625a17f3fea0fe5eb8c896db3764f3185481bc22f91b4aaffcca2"
      + "5f26936857bc3a7c2539ea8ec3a952b7873033e038326e87ed3e1276fd140253"
      + "fa08e9fc25fb2d9a98527fc22a2c9612fbeafdad446cbc7bcdbdcd780af2c16a")

  /// The generator of alt_bn128's first group, and its negative (EIP-196).
  private static let bn254G1 = SolidityLayout.bytes(1) + SolidityLayout.bytes(2)
  private static let bn254NegativeG1 =
    SolidityLayout.bytes(1)
    + bytes("30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd45")

  /// The generator of the second group (EIP-197).
  private static let bn254G2 = bytes(
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
      + "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
      + "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
      + "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa")

  /// The generators of BLS12-381 (EIP-2537).
  private static let blsG1 =
    coordinate(
      "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac58"
        + "6c55e83ff97a1aeffb3af00adb22c6bb")
    + coordinate(
      "08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3ed"
        + "d03cc744a2888ae40caa232946c5e7e1")
  private static let blsG2 =
    coordinate(
      "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d177"
        + "0bac0326a805bbefd48056c8c121bdb8")
    + coordinate(
      "13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049"
        + "334cf11213945d57e5ac7d055d042b7e")
    + coordinate(
      "0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c"
        + "923ac9cc3baca289e193548608b82801")
    + coordinate(
      "0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab"
        + "3f370d275cec1da1aaa9075ff05f79be")
}
