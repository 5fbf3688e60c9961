import Ethereum

/// Reading a log that another process may be writing: nothing is repaired.
extension BlockLog {
  /// What a log has.
  package struct Contents: Sendable {
    /// The number of the first entry; zero without one.
    package var first: UInt64 = 0
    /// The number of the last entry that is whole.
    package var last: UInt64 = 0
    /// How many entries are whole.
    package var count = 0
    /// The files, the oldest first.
    package var files: [String] = []
    /// The first damage; an unfinished end of the newest file is none.
    package var fault: String?
    /// Bytes at the end of the newest file that are no whole entry.
    package var tornBytes = 0
    /// The number of the last entry that was whole once; zero where that is not known.
    package var lastWhole: UInt64 = 0
    /// Whether entries are missing that were whole once, and come after one that is stored.
    package func lacksEntries(after stored: UInt64) -> Bool {
      lastWhole > last && lastWhole > stored
    }
  }

  /// Reads a log whole, and calls `body` with its entries.
  package static func inspect(
    folder: String, _ body: (Entry) throws -> Void = { _ in }
  ) throws -> Contents {
    var contents = Contents()
    // Before the entries: a node may be adding some.
    contents.lastWhole = LastWholeEntry.read(folder: folder)
    let segments = try list(folder)
    for (index, segment) in segments.enumerated() {
      contents.files.append(segment.1)
      let bytes = try read(segment.1)
      if contents.first == 0 {
        contents.first = segment.0
        contents.last = segment.0 - 1
      }
      var position = min(headerSize, bytes.count)
      if bytes.count < headerSize || Array(bytes[..<8]) != magic {
        position = 0
      } else if segment.0 != contents.last + 1 {
        contents.fault =
          "\(segment.1) begins with entry \(segment.0), but \(contents.last + 1) is the next"
        return contents
      }
      while position > 0, position < bytes.count, let entry = entry(bytes, at: position),
        entry.sequence == contents.last + 1
      {
        try body(entry)
        position += entryHeaderSize + entry.payload.count
        contents.last = entry.sequence
        contents.count += 1
      }
      if position == bytes.count && position > 0 { continue }
      guard index == segments.count - 1 else {
        contents.fault = "\(segment.1), byte \(position): entry \(contents.last + 1) is damaged"
        return contents
      }
      contents.tornBytes = bytes.count - position
      let behind = lastWhole(in: bytes, behind: position, above: contents.last + 1)
      contents.lastWhole = max(contents.lastWhole, behind)
    }
    return contents
  }
}
