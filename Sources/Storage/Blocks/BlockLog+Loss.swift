import Ethereum

/// Damage that would lose entries of which somebody was told.
extension BlockLog {
  /// The highest number of the whole entries behind a damaged one; zero without any.
  ///
  /// Wherever one may begin: the damage may be in the length of an entry.
  static func lastWhole(in bytes: [UInt8], behind position: Int, above sequence: UInt64) -> UInt64 {
    var last: UInt64 = 0
    var place = position + 1
    // What may be summed up: payloads can be made to look like many long entries.
    var budget = 1 << 30
    while place + entryHeaderSize <= bytes.count, budget > 0 {
      let (count, found) = bytes.withUnsafeBytes {
        (Int($0.uint32(at: place)), $0.uint64(at: place + 8))
      }
      // No segment has so many entries; most places are passed by without a checksum.
      let isLikely =
        found > sequence && found - sequence < 1 << 32 && Kind(rawValue: bytes[place + 16]) != nil
        && count <= bytes.count - place - entryHeaderSize
      if isLikely { budget -= count }
      if isLikely, let entry = entry(bytes, at: place) {
        last = max(last, entry.sequence)
        place += entryHeaderSize + entry.payload.count
      } else {
        place += 1
      }
    }
    return last
  }

  /// The number of the block that the entry at a place had, as the ones before it tell; `nil` where
  /// they do not.
  static func blockNumber(in bytes: [UInt8], at position: Int) -> UInt64? {
    var place = headerSize
    var number: UInt64?
    while place < position, let entry = entry(bytes, at: place) {
      switch entry.kind {
      case .block: number = (try? Block(decoding: entry.payload)).map { $0.header.number + 1 }
      case .rewind: number = entry.payload.withUnsafeBytes { $0.uint64(at: 0) } + 1
      case .amendment: break
      }
      place += entryHeaderSize + entry.payload.count
    }
    return number
  }

  /// Why a log is refused whose entries from one to another are lost.
  static func loss(_ place: String, _ fault: String, from first: UInt64, to last: UInt64)
    -> StorageError
  {
    StorageError(
      .corrupt,
      "block log: \(place): \(fault); entries \(first) to \(last) were written whole and are not in "
        + "the database: blocks that were acknowledged would be lost. Bring the folder's files back "
        + "from where they are whole; --accept-lost-blocks goes on without them, and keeps what is "
        + "left of them in a file that ends with .damaged")
  }
}
