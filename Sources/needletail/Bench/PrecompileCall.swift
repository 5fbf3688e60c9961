import EVM

/// A precompile with an input, ready to be run again and again.
final class PrecompileCall {
  let precompile: Precompile
  private let input: UnsafeMutableBufferPointer<UInt8>
  private let output: UnsafeMutablePointer<UInt8>
  private var scratch: Arena
  private static let fork = Fork.osaka

  init(_ precompile: Precompile, _ bytes: [UInt8]) {
    self.precompile = precompile
    input = .allocate(capacity: bytes.count)
    _ = input.initialize(fromContentsOf: bytes)
    output = .allocate(capacity: precompile.outputRoom(input: UnsafeBufferPointer(input)))
    let capacity = 1 << 22
    scratch = Arena(
      base: .allocate(byteCount: capacity, alignment: 16), capacity: capacity)
  }

  deinit {
    input.deallocate()
    output.deallocate()
    scratch.base.deallocate()
  }

  /// What a call costs.
  var gas: Int64 { precompile.gas(input: UnsafeBufferPointer(input), fork: Self.fork) }

  /// Runs it.
  @discardableResult
  func run() -> PrecompileOutcome {
    precompile.run(
      input: UnsafeBufferPointer(input), output: output, fork: Self.fork, scratch: &scratch)
  }

  /// Its output; empty where it fails.
  func result() -> [UInt8] {
    guard case .success(let count) = run() else { return [] }
    return Array(UnsafeBufferPointer(start: output, count: count))
  }
}
