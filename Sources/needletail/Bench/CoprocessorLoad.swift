import Coprocessors
import EVM

/// A coprocessor with requests of one size, over and over, in place of the known answers' requests.
struct CoprocessorLoad: CoprocessorStandIn {
  let name: String
  /// The coprocessor.
  let operation: any Coprocessor
  private let requests: [[UInt8]]

  func typicalRequests(_ count: Int, seed: UInt64) -> ByteColumn {
    ByteColumn((0..<count).map { requests[(Int(seed) + $0) % requests.count] })
  }

  /// The sizes that are timed of a coprocessor beside its typical requests.
  static func all(of operation: any Coprocessor) -> [CoprocessorLoad] {
    func load(_ size: String, _ requests: [[UInt8]]) -> CoprocessorLoad {
      CoprocessorLoad(name: "\(operation.name), \(size)", operation: operation, requests: requests)
    }
    switch operation.name {
    case "modexp":
      return [256, 512, 1024].map { load("\($0) bits", powers($0, nil)) }
        + [load("2048 bits, exponent 65537", powers(2048, [1, 0, 1]))]
    case "bn254Pairing": return [load("2 pairs", [CryptoInputs.bn254Pairs(2)])]
    case "bls12381Pairing": return [load("2 pairs", [CryptoInputs.blsPairs(2)])]
    case "bls12381G1MSM":
      return [1, 8].map { load("\($0)", sums(.blsG1MSM, CryptoInputs.blsG1Generator, $0)) }
    case "bls12381G2MSM":
      return [1, 8].map { load("\($0)", sums(.blsG2MSM, CryptoInputs.blsG2Generator, $0)) }
    default: return []
    }
  }

  /// Powers of 16 bases; without an exponent one of as many bits as the modulus.
  private static func powers(_ bits: Int, _ exponent: [UInt8]?) -> [[UInt8]] {
    let power = CryptoInputs.power(bits: bits)
    return (0..<16).map { index in
      CryptoInputs.modExp(
        CryptoInputs.stream(index, bits / 8), exponent ?? power.exponent, power.modulus)
    }
  }

  /// Sums of so many multiples of points by scalars of 256 bits, 16 of them.
  private static func sums(_ precompile: Precompile, _ generator: [UInt8], _ count: Int)
    -> [[UInt8]]
  {
    let terms = CryptoInputs.blsTerms(precompile, generator, 16 * count)
    let size = terms.count / 16
    return (0..<16).map { [UInt8](terms[$0 * size..<($0 + 1) * size]) }
  }
}
