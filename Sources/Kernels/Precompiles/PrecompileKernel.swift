package import EVM

/// Calls of precompiles of curves and big integers, many at once: a lane does one call after the other
/// by the core's own function.
///
/// A lane owns a part of the scratch memory, in which points and tables lie; the tower's elements are in
/// its local memory, which the hardware interleaves by lane. Requests of about the same size should be
/// neighbours, as a warp's lanes wait for each other.
package enum PrecompileKernel {
  /// What the lanes of a launch have in common.
  package struct Arguments: BitwiseCopyable {
    /// All requests, one behind the other, and where each ends.
    let bytes: UnsafePointer<UInt8>
    let ends: UnsafePointer<Int>
    /// The rows in the order in which lanes take them; `nil` for all as they are.
    let order: UnsafePointer<UInt32>?
    /// How many rows lanes do.
    let count: Int
    /// Lanes that do them: a lane takes every `lanes`-th row.
    let lanes: Int
    /// The precompile, as in `Precompile`.
    let precompile: Precompile
    /// `scratchBytes` for each lane, a multiple of 16.
    let scratch: UnsafeMutableRawPointer
    let scratchBytes: Int
    /// `outputBytes` for each row, or each row's output from where `starts` says.
    let outputs: UnsafeMutablePointer<UInt8>
    let outputBytes: Int
    let starts: UnsafePointer<Int>?
    /// Bytes of each row's output, or what else came of it: `refused`, `undecided`.
    let counts: UnsafeMutablePointer<Int32>

    package init(
      bytes: UnsafePointer<UInt8>, ends: UnsafePointer<Int>, order: UnsafePointer<UInt32>?,
      count: Int, lanes: Int, precompile: Precompile, scratch: UnsafeMutableRawPointer,
      scratchBytes: Int, outputs: UnsafeMutablePointer<UInt8>, outputBytes: Int,
      starts: UnsafePointer<Int>?, counts: UnsafeMutablePointer<Int32>
    ) {
      self.bytes = bytes
      self.ends = ends
      self.order = order
      self.count = count
      self.lanes = lanes
      self.precompile = precompile
      self.scratch = scratch
      self.scratchBytes = scratchBytes
      self.outputs = outputs
      self.outputBytes = outputBytes
      self.starts = starts
      self.counts = counts
    }
  }

  /// The count of a call that fails.
  package static var refused: Int32 { -1 }
  /// The count of a call for which the scratch memory is too small.
  package static var undecided: Int32 { -2 }

  /// The rules: those of the latest fork.
  private static var fork: Fork { .osaka }

  /// Calls of `bn254Pairing`.
  package static func bn254Pairing(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    lane(index, arguments) { input, output, scratch in
      BN254PairingPrecompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    }
  }

  /// Calls of the precompiles of BLS12-381.
  package static func bls12381(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    lane(index, arguments) { input, output, scratch in
      arguments.pointee.precompile.runBLS12381(
        input: input, output: output, fork: fork, scratch: &scratch) ?? .workspaceExhausted
    }
  }

  /// Calls of `modExp`.
  package static func modExp(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    lane(index, arguments) { input, output, scratch in
      ModExpPrecompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    }
  }

  /// A lane's rows.
  @inline(__always)
  private static func lane(
    _ index: Int, _ arguments: UnsafePointer<Arguments>,
    _ run: (UnsafeBufferPointer<UInt8>, UnsafeMutablePointer<UInt8>, inout Arena)
      -> PrecompileOutcome
  ) {
    let arguments = arguments.pointee
    if index >= arguments.lanes { return }
    var place = index
    while place < arguments.count {
      var row = place
      if let order = arguments.order { row = Int(order[place]) }
      let start = row == 0 ? 0 : arguments.ends[row &- 1]
      let input = UnsafeBufferPointer(
        start: arguments.bytes + start, count: arguments.ends[row] &- start)
      var scratch = Arena(
        base: arguments.scratch + index &* arguments.scratchBytes,
        capacity: arguments.scratchBytes)
      var output = row &* arguments.outputBytes
      if let starts = arguments.starts { output = starts[row] }
      switch run(input, arguments.outputs + output, &scratch) {
      case .success(let count): arguments.counts[row] = Int32(truncatingIfNeeded: count)
      case .failure: arguments.counts[row] = refused
      case .workspaceExhausted: arguments.counts[row] = undecided
      }
      place &+= arguments.lanes
    }
  }
}
