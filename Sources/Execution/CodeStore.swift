public import EVM
import Ethereum

/// Byte code by hash, padded and mapped once, kept for as long as the store lives.
///
/// The machine holds pointers into it, so nothing is ever moved or freed before the store is.
public final class CodeStore {
  private var codes: [Hash256: Code] = [:]
  /// Bytes of code held.
  public private(set) var byteCount = 0

  /// An empty store.
  public init() {}

  deinit {
    for code in codes.values { UnsafeMutablePointer(mutating: code.bytes).deallocate() }
  }

  /// The code with this hash.
  public subscript(hash: Hash256) -> Code? { codes[hash] }

  /// The bytes of the code with this hash; empty for the hash of no code.
  public func bytes(_ hash: Hash256) -> [UInt8] {
    guard let code = codes[hash] else { return [] }
    return [UInt8](UnsafeBufferPointer(start: code.bytes, count: code.count))
  }

  /// Adds code whose hash is known to be `hash`.
  public func insert(_ bytes: UnsafeBufferPointer<UInt8>, hash: Hash256) {
    if codes[hash] != nil || bytes.isEmpty { return }
    let count = bytes.count
    let memory = UnsafeMutablePointer<UInt8>.allocate(
      capacity: count + Code.padding + Code.mapBytes(count))
    memory.update(from: bytes.baseAddress!, count: count)
    (memory + count).update(repeating: 0, count: Code.padding)
    let map = memory + count + Code.padding
    Code.analyze(memory, count: count, into: map)
    codes[hash] = Code(bytes: memory, jumpDestinations: map, count: count)
    byteCount += count
  }

  /// Adds code; gives its hash.
  @discardableResult
  public func insert(_ bytes: [UInt8]) -> Hash256 {
    if bytes.isEmpty { return .emptyCode }
    return bytes.withUnsafeBufferPointer { buffer in
      let hash = Keccak256.hash(buffer)
      insert(buffer, hash: hash)
      return hash
    }
  }
}
