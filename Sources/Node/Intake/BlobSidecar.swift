import EVM
import Ethereum

/// A blob transaction as it is sent: with its blobs, commitments and proofs, which no block holds
/// (EIP-4844, EIP-7594).
enum BlobSidecar {
  /// Takes the transaction out of what was sent; gives other transactions as they are.
  static func transaction(_ bytes: [UInt8]) throws(FormatError) -> (Transaction, envelope: [UInt8])
  {
    guard bytes.first == TransactionType.blob.rawValue else {
      return (try Transaction(decoding: bytes), bytes)
    }
    let split = try withBytes(bytes) {
      (buffer) throws(FormatError) -> (body: [UInt8], commitments: [[UInt8]])? in
      var fields = try RLPItem(UnsafeBufferPointer(rebasing: buffer[1...])).list("transaction")
      let first = try fields.next("transaction")
      guard first.isList else { return nil }
      var item = try fields.next("blobs")
      // Since Osaka a version stands in front of the blobs.
      if !item.isList { item = try fields.next("blobs") }
      _ = try item.list("blobs")
      var list = try fields.next("commitments").list("commitments")
      var commitments: [[UInt8]] = []
      while !list.isAtEnd {
        commitments.append([UInt8](try list.next("commitments").string("commitments")))
      }
      return ([UInt8](first.encoding), commitments)
    }
    guard let split else {
      throw FormatError(.tooFewItems, "missing sidecar in blob transaction", field: "blobs")
    }
    let envelope = [TransactionType.blob.rawValue] + split.body
    let transaction = try Transaction(decoding: envelope)
    guard split.commitments.count == transaction.blobVersionedHashes.count else {
      throw FormatError(
        .valueOutOfRange, "as many commitments as blob hashes belong to it", field: "commitments")
    }
    for (commitment, hash) in zip(split.commitments, transaction.blobVersionedHashes) {
      var expected = commitment.withUnsafeBufferPointer { SHA256.hash($0) }.bytes
      expected[0] = 1
      guard expected == hash.bytes else {
        throw FormatError(
          .valueOutOfRange, "a commitment does not give its blob hash", field: "commitments")
      }
    }
    return (transaction, envelope)
  }
}
