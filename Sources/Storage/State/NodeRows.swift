import EVM

/// What becomes of rows of the tries' upper nodes, in the order of their keys: flat, as the database
/// gets them.
struct NodeRows: Sendable {
  private struct Place: BitwiseCopyable {
    var offset: Int
    /// Bytes of the row; zero for one that is no more.
    var count: Int
  }

  private(set) var keys: [NodeKey] = []
  private var places: [Place] = []
  private var bytes: [UInt8] = []

  /// How many rows there are, and are no more.
  var count: Int { keys.count }

  /// Bytes of memory, about.
  var size: Int {
    bytes.count + keys.count * (MemoryLayout<NodeKey>.stride + MemoryLayout<Place>.stride + 16)
  }

  /// Makes room for the next row; its children's follow, then it is set.
  mutating func reserve(_ key: NodeKey) -> Int {
    keys.append(key)
    places.append(Place(offset: 0, count: 0))
    return keys.count - 1
  }

  /// Sets a row for which there is room; it is no more otherwise.
  mutating func set(_ index: Int, _ row: NodeRow) {
    let offset = bytes.count
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: NodeRow.storedBytes) { stored in
      let count = row.store(to: stored.baseAddress!)
      bytes.append(contentsOf: stored[..<count])
    }
    places[index] = Place(offset: offset, count: bytes.count - offset)
  }

  /// Adds rows whose keys come after all of these.
  mutating func append(_ other: NodeRows) {
    let offset = bytes.count
    keys += other.keys
    places.reserveCapacity(places.count + other.places.count)
    for place in other.places {
      places.append(Place(offset: place.offset + offset, count: place.count))
    }
    bytes += other.bytes
  }

  /// Makes room for rows of several lists.
  mutating func reserve(_ lists: [NodeRows]) {
    keys.reserveCapacity(keys.count + lists.reduce(0) { $0 + $1.keys.count })
    places.reserveCapacity(places.count + lists.reduce(0) { $0 + $1.places.count })
    bytes.reserveCapacity(bytes.count + lists.reduce(0) { $0 + $1.bytes.count })
  }

  /// Gives a row's bytes to `body`; `nil` for one that is no more.
  @inline(__always)
  func withBytes<Result>(_ index: Int, _ body: (UnsafeRawBufferPointer?) -> Result) -> Result {
    let place = places[index]
    if place.count == 0 { return body(nil) }
    return bytes.withUnsafeBytes { bytes in
      body(UnsafeRawBufferPointer(rebasing: bytes[place.offset..<place.offset + place.count]))
    }
  }

  /// These rows, and those of an earlier change of which these say nothing.
  func merged(after earlier: NodeRows) -> NodeRows {
    var all = NodeRows()
    all.reserve([self, earlier])
    var next = 0
    for (index, key) in keys.enumerated() {
      while next < earlier.count, earlier.keys[next] < key {
        all.append(next, of: earlier)
        next += 1
      }
      if next < earlier.count, earlier.keys[next] == key { next += 1 }
      all.append(index, of: self)
    }
    while next < earlier.count {
      all.append(next, of: earlier)
      next += 1
    }
    return all
  }

  private mutating func append(_ index: Int, of other: NodeRows) {
    let place = other.places[index]
    keys.append(other.keys[index])
    places.append(Place(offset: bytes.count, count: place.count))
    bytes += other.bytes[place.offset..<place.offset + place.count]
  }

  /// An index of the keys.
  func index() -> KeyIndex { KeyIndex(count) { keys[$0].indexWord } }
}

extension NodeKey {
  /// What tells keys apart, mostly.
  var indexWord: UInt64 {
    owner.word.limb3 ^ path.limb3 ^ (path.limb2 << 7 | path.limb2 >> 57) ^ UInt64(depth)
  }
}
