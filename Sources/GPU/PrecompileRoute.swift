import Coprocessors
import EVM

/// How the calls of a precompile get to a coprocessor and back.
struct PrecompileRoute: Sendable {
  let precompile: Precompile
  let coprocessor: any Coprocessor
  /// Rows from which on a device is faster, where nobody has calibrated; `nil` for never.
  let usualCrossover: Int?
  /// Calls of a transaction from which on a lane does one itself rather than wait for one more round. A
  /// lane takes 50 to 300 times as long as a core, and each round runs the transaction from its start.
  let callLimit: Int
  /// The bytes of a request, where they are not the call's input; and how it is written.
  let request: Request?
  /// The output of a call whose request was done, where it is not the coprocessor's; and what a refusal
  /// means.
  let answer: Answer

  /// A request of fixed size.
  struct Request: Sendable {
    let bytes: Int
    /// Writes it, all bytes, from a call's input.
    let write: @Sendable (UnsafeRawBufferPointer, UnsafeMutablePointer<UInt8>) -> Void
  }

  /// What results mean.
  enum Answer: Sendable {
    /// The result is the output; a refusal is a failure.
    case asItIs
    /// The result is the last bytes of a word; a refusal is success without output.
    case wordOrNothing
  }

  /// Whether a lane that has the precompile does it itself after a few calls: it takes less than a round
  /// there.
  var isSmall: Bool { callLimit <= Self.fewCalls }

  /// For what a lane does in less than some milliseconds, and gas limits do not: rounds go with the square
  /// of the calls.
  private static let fewCalls = 64
  /// For what takes a lane some tenths of a second.
  private static let manyCalls = 4096

  /// The route of a coprocessor that has a precompile; `nil` for the precompiles that each lane has.
  private init?(
    _ coprocessor: any Coprocessor, crossovers: [Precompile: Int], large: Set<Precompile>
  ) {
    guard let precompile = coprocessor.precompileAddress.flatMap({ Precompile(rawValue: $0) }),
      !precompile.isLight
    else { return nil }
    self.precompile = precompile
    self.coprocessor = coprocessor
    usualCrossover = crossovers[precompile]
    callLimit = large.contains(precompile) ? Self.manyCalls : Self.fewCalls
    request = nil
    answer = .asItIs
  }

  /// ECRECOVER by `recover`, whose requests are 97 bytes.
  private init(recover coprocessor: RecoverCoprocessor) {
    precompile = .ecRecover
    self.coprocessor = coprocessor
    usualCrossover = 256
    callLimit = Self.fewCalls
    request = Request(bytes: 97, write: Self.writeSignature)
    answer = .wordOrNothing
  }

  /// All of them: one for each precompile that a small kernel lacks.
  static let all: [PrecompileRoute] = {
    // Measured on an H100 against 16 cores: Benchmarks/README.md. Sums in G1 and short powers are
    // quicker on the CPU.
    let crossovers: [Precompile: Int] = [
      .bn254Pairing: 512, .blsG1MSM: 512, .blsG2Add: 512, .blsG2MSM: 512, .blsPairing: 512,
      .blsMapFpToG1: 512, .blsMapFp2ToG2: 512, .modExp: 4096,
    ]
    let large: Set<Precompile> = [
      .bn254Pairing, .pointEvaluation, .blsG1MSM, .blsG2MSM, .blsPairing, .blsMapFp2ToG2,
    ]
    return [PrecompileRoute(recover: RecoverCoprocessor())]
      + PrecompileCoprocessor.all.compactMap {
        PrecompileRoute($0, crossovers: crossovers, large: large)
      }
  }()

  /// Writes a request of `recover` from the input of a call: the hash, v, r and s in words, with zeros for
  /// missing bytes. A v that there is not becomes a parity that is refused.
  @Sendable
  private static func writeSignature(
    _ input: UnsafeRawBufferPointer, to request: UnsafeMutablePointer<UInt8>
  ) {
    request.update(repeating: 0, count: 97)
    var isParity = true
    var v: UInt8 = 0
    for (index, byte) in input.prefix(128).enumerated() {
      switch index {
      case ..<32: request[index] = byte
      case ..<63: isParity = isParity && byte == 0
      case 63: v = byte
      default: request[index - 32] = byte
      }
    }
    request[96] = isParity && (v == 27 || v == 28) ? v - 27 : 0xFF
  }
}
