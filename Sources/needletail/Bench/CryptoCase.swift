import EVM
import Ethereum

/// One operation that `bench crypto` checks and then times.
struct CryptoCase {
  /// What the table sorts cases into.
  enum Group: String {
    case hash, curve, precompile
  }

  /// What an operation should keep to.
  enum Target {
    /// Nanoseconds an operation.
    case time(Double)
    /// Times the other library's time.
    case ratio(Double)
  }

  let group: Group
  let name: String
  /// Bytes taken in by an operation, where a rate of bytes says something.
  var bytes: Int?
  /// Gas of an operation under Osaka's rules; for precompiles.
  var gas: Int64?
  var target: Target?
  /// What `output` must give.
  let answer: CryptoAnswer
  /// The operation's result.
  let output: () -> [UInt8]
  /// Repeats the operation.
  let work: (Int) -> Void
  /// The same operation in another library.
  var peer: CryptoPeer?
}

/// What a case must compute.
enum CryptoAnswer {
  /// These bytes.
  case bytes([UInt8])
  /// Bytes with this Keccak-256 hash.
  case hash([UInt8])

  /// Whether an output is the answer.
  func matches(_ output: [UInt8]) -> Bool {
    switch self {
    case .bytes(let bytes): output == bytes
    case .hash(let hash): Keccak256.hash(output).bytes == hash
    }
  }
}

/// An operation of another library, opened at run time.
enum CryptoPeer {
  /// The library has it; `output` must give what the case's own does.
  case present(library: String, output: () -> [UInt8], work: (Int) -> Void)
  /// The library is not on this machine; `install` says how to get it.
  case absent(library: String, install: String)

  /// The same for its time alone: it gives no output to compare.
  var withoutOutput: CryptoPeer {
    guard case .present(let library, _, let work) = self else { return self }
    return .present(library: library, output: { [] }, work: work)
  }
}

/// Repeats an operation; the sum of what it gives keeps the compiler from dropping it.
@inline(__always)
func repeated(_ count: Int, _ operation: () -> UInt64) {
  var sum: UInt64 = 0
  for _ in 0..<count { sum &+= operation() }
  keep(sum)
}

@inline(never)
@_optimize(none)
private func keep(_ value: UInt64) {}
