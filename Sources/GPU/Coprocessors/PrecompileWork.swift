import EVM

/// What a request of a precompile takes of a lane.
struct PrecompileWork {
  /// The kernel.
  let kernel: CoprocessorKernel
  /// The most work of a lane's request; the host does larger ones. A lane takes some fifty times as long
  /// as a core, and the batch waits for its slowest.
  let laneLimit: Int
  private let precompile: Precompile
  /// Bytes of a pair or of a multiple; 0 where all requests have the same size.
  private let itemBytes: Int
  /// Scratch memory for each pair or multiple.
  private let scratchPerItem: Int
  /// Room for an output.
  let outputBytes: Int

  private init(
    _ precompile: Precompile, _ kernel: CoprocessorKernel, laneLimit: Int = 1, itemBytes: Int = 0,
    scratchPerItem: Int = 0, outputBytes: Int
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
    default: return nil
    }
  }

  /// The work of a request: pairs or multiples.
  func amount(_ request: UnsafeBufferPointer<UInt8>) -> Int {
    itemBytes == 0 ? 1 : request.count / itemBytes
  }

  /// Scratch memory of a lane whose requests are of so much work at most.
  func scratchBytes(_ amount: Int) -> Int {
    // Each of a few allocations begins at a multiple of 16.
    256 + max(1, amount) * scratchPerItem
  }
}
