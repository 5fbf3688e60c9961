import EVM
import Ethereum

/// Bytes at a fixed place, so that nothing is copied while they are hashed.
final class Message {
  let bytes: UnsafeBufferPointer<UInt8>

  init(_ array: [UInt8]) {
    let room = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: array.count)
    _ = room.initialize(fromContentsOf: array)
    bytes = UnsafeBufferPointer(room)
  }

  deinit { bytes.deallocate() }
}

/// Columns of one signature many times, for the recovery of many at once.
final class RecoveryBatch {
  private let count: Int
  private let hashes: [Hash256]
  private let r: [UInt256]
  private let s: [UInt256]
  private let parities: [UInt8]
  private var signers: [Address]
  private var isSigned: [Bool]
  /// The addresses, as one recovery gives them.
  let expected: [UInt8]

  init(count: Int, hash: Hash256, signature: (r: UInt256, s: UInt256, yParity: UInt8)) {
    self.count = count
    hashes = Array(repeating: hash, count: count)
    r = Array(repeating: signature.r, count: count)
    s = Array(repeating: signature.s, count: count)
    parities = Array(repeating: signature.yParity, count: count)
    signers = Array(repeating: .zero, count: count)
    isSigned = Array(repeating: false, count: count)
    let signer = Secp256k1.recover(
      hash: hash, r: signature.r, s: signature.s, yParity: signature.yParity)
    expected = Array(repeating: signer?.bytes ?? [], count: count).flatMap { $0 }
  }

  /// Recovers whole batches until so many rows are done; at least one row is asked for.
  func recover(atLeast rows: Int) {
    var done = 0
    while done < rows {
      Secp256k1.recoverBatch(
        count: min(count, rows - done), hashes: hashes, r: r, s: s, yParities: parities,
        signers: &signers, isSigned: &isSigned)
      done += count
    }
  }

  /// The addresses of a whole batch.
  func addresses() -> [UInt8] {
    recover(atLeast: count)
    return isSigned.contains(false) ? [] : signers.flatMap(\.bytes)
  }
}
