import EVM
import Ethereum

/// A blob transaction as it is sent: with its blobs, commitments and proofs, which no block holds
/// (EIP-4844, EIP-7594).
enum BlobSidecar {
  /// What comes with a transaction.
  struct Contents {
    /// 131,072 bytes each.
    var blobs: [[UInt8]] = []
    /// 48 bytes each, as many as blobs.
    var commitments: [[UInt8]] = []
    /// For each blob 48 bytes, or as much for each of its cells.
    var proofs: [[UInt8]] = []
    /// Whether each cell has a proof, as since Osaka, or each blob.
    var hasCells = false
  }

  /// Takes the transaction out of what was sent, with what came beside it; gives other transactions as they
  /// are. Proofs are not checked here.
  static func transaction(_ bytes: [UInt8]) throws(FormatError) -> (
    Transaction, envelope: [UInt8], sidecar: Contents?
  ) {
    guard bytes.first == TransactionType.blob.rawValue else {
      return (try Transaction(decoding: bytes), bytes, nil)
    }
    let split = try withBytes(bytes) {
      (buffer) throws(FormatError) -> (body: [UInt8], contents: Contents)? in
      var fields = try RLPItem(UnsafeBufferPointer(rebasing: buffer[1...])).list("transaction")
      let first = try fields.next("transaction")
      guard first.isList else { return nil }
      let contents = try read(&fields)
      try fields.finish()
      return ([UInt8](first.encoding), contents)
    }
    guard let split else {
      throw FormatError(.tooFewItems, "missing sidecar in blob transaction", field: "blobs")
    }
    let envelope = [TransactionType.blob.rawValue] + split.body
    let transaction = try Transaction(decoding: envelope)
    let contents = split.contents
    guard contents.commitments.count == transaction.blobVersionedHashes.count else {
      throw FormatError(
        .valueOutOfRange, "as many commitments as blob hashes belong to it", field: "commitments")
    }
    for (commitment, hash) in zip(contents.commitments, transaction.blobVersionedHashes) {
      var expected = commitment.withUnsafeBufferPointer { SHA256.hash($0) }.bytes
      expected[0] = 1
      guard expected == hash.bytes else {
        throw FormatError(
          .valueOutOfRange, "a commitment does not give its blob hash", field: "commitments")
      }
    }
    return (transaction, envelope, contents)
  }

  /// Blobs, commitments and proofs; since Osaka a version stands in front of them.
  private static func read(_ fields: inout RLPReader) throws(FormatError) -> Contents {
    var contents = Contents()
    var item = try fields.next("blobs")
    if !item.isList {
      let version = try item.uint64("version")
      guard version == 1 else {
        throw FormatError(.valueOutOfRange, "version \(version) is not 1", field: "version")
      }
      contents.hasCells = true
      item = try fields.next("blobs")
    }
    contents.blobs = try strings(item, BlobProof.blobBytes, "blobs")
    contents.commitments = try strings(
      fields.next("commitments"), BlobProof.pointBytes, "commitments")
    let proofs = try strings(fields.next("proofs"), BlobProof.pointBytes, "proofs")
    guard contents.blobs.count == contents.commitments.count else {
      throw FormatError(
        .valueOutOfRange, "as many commitments as blobs belong to it", field: "commitments")
    }
    let each = contents.hasCells ? BlobProof.cells : 1
    guard proofs.count == contents.blobs.count * each else {
      throw FormatError(
        .valueOutOfRange,
        "\(proofs.count) proofs for \(contents.blobs.count) blobs; each has \(each)",
        field: "proofs")
    }
    contents.proofs = contents.blobs.indices.map {
      Array(proofs[$0 * each..<($0 + 1) * each].joined())
    }
    return contents
  }

  private static func strings(
    _ item: RLPItem, _ size: Int, _ field: String
  ) throws(FormatError) -> [[UInt8]] {
    var list = try item.list(field)
    var strings: [[UInt8]] = []
    while !list.isAtEnd {
      let string = try list.next(field).string(field)
      guard string.count == size else {
        throw FormatError(
          .valueOutOfRange, "\(string.count) bytes in place of \(size)", field: field)
      }
      strings.append([UInt8](string))
    }
    return strings
  }
}
