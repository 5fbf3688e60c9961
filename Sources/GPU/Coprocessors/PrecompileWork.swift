import EVM

/// What calls of a precompile take of lanes.
struct PrecompileWork {
  /// What one call takes.
  struct Cost {
    /// The work: pairs, multiples, or the gas of a modular power.
    var amount: Int
    /// Scratch memory.
    var scratchBytes: Int
    /// Room for the output.
    var outputBytes: Int
  }

  /// The kernel.
  let kernel: CoprocessorKernel
  /// The most work of a lane's call; the host does larger ones. A lane takes 50 to 300 times as long as a
  /// core, and the batch waits for its slowest.
  let laneLimit: Int
  /// Room for an output, where all have the same size.
  let outputBytes: Int?
  private let precompile: Precompile
  /// Bytes of a pair or of a multiple; 0 where all calls take as much.
  private let itemBytes: Int
  /// Scratch memory for each pair or multiple.
  private let scratchPerItem: Int

  private init(
    _ precompile: Precompile, _ kernel: CoprocessorKernel, laneLimit: Int = 1, itemBytes: Int = 0,
    scratchPerItem: Int = 0, outputBytes: Int?
  ) {
    self.precompile = precompile
    self.kernel = kernel
    self.laneLimit = laneLimit
    self.itemBytes = itemBytes
    self.scratchPerItem = scratchPerItem
    self.outputBytes = outputBytes
  }

  /// The work of a precompile; `nil` where no kernel does it.
  init?(_ precompile: Precompile) {
    switch precompile {
    case .bn254Pairing:
      // Two points and a running one: 384 bytes.
      self.init(
        precompile, .bn254Pairing, laneLimit: 16, itemBytes: 192, scratchPerItem: 384,
        outputBytes: 32)
    case .blsPairing:
      self.init(
        precompile, .bls12381, laneLimit: 16, itemBytes: 384, scratchPerItem: 576, outputBytes: 32)
    case .blsG1MSM:
      // Tables of eight points for two parts, what they are made of, and the digits.
      self.init(
        precompile, .bls12381, laneLimit: 16, itemBytes: 160, scratchPerItem: 4_352,
        outputBytes: 128)
    case .blsG2MSM:
      // The same for four parts, with coordinates of twice the size.
      self.init(
        precompile, .bls12381, laneLimit: 16, itemBytes: 288, scratchPerItem: 12_288,
        outputBytes: 256)
    case .blsG1Add, .blsMapFpToG1:
      self.init(precompile, .bls12381, outputBytes: 128)
    case .blsG2Add, .blsMapFp2ToG2:
      self.init(precompile, .bls12381, outputBytes: 256)
    case .modExp:
      // A power of 1,024 bits has 0.9 million gas and takes a lane an eighth of a second.
      self.init(precompile, .modExp, laneLimit: 1_000_000, outputBytes: nil)
    default: return nil
    }
  }

  /// What a request takes.
  func cost(_ request: UnsafeBufferPointer<UInt8>) -> Cost {
    if let outputBytes {
      let amount = itemBytes == 0 ? 1 : request.count / itemBytes
      // Each of a few allocations begins at a multiple of 16.
      return Cost(
        amount: amount, scratchBytes: 256 + max(1, amount) * scratchPerItem,
        outputBytes: outputBytes)
    }
    // The gas is the square of the length times the exponent's bits, as the work is.
    let gas = precompile.gas(input: request, fork: .osaka)
    // What is longer is refused before anything is written.
    let length = min(1024, precompile.outputRoom(input: request) - 256)
    return Cost(
      amount: Int(gas), scratchBytes: 8192 + 160 * ((length + 15) & ~15), outputBytes: length)
  }
}
