package import EVM
import Ethereum

/// `stateRoot`: the entries of a trie in, its root of 32 bytes out.
///
/// A request is a row of entries: a key of 32 bytes, the number of the value's bytes in four
/// (big-endian), and the value. They are set in their order; an empty value removes its key. A
/// state that stays from block to block is `StateTrie`'s.
public struct StateRootCoprocessor: Coprocessor {
  public let name = "stateRoot"
  public let requestLimit = 1 << 32

  public init() {}

  public var knownAnswers: [KnownAnswer] { KnownAnswers.stateRoot }

  public func reference(_ request: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    var trie = MerklePatriciaTrie()
    guard Self.forEachEntry(request, { trie.insert(hash: $0, value: [UInt8]($1)) }) else {
      return nil
    }
    return trie.root.bytes
  }

  public func run(_ requests: ByteColumn, rows: Range<Int>) -> CoprocessorResults {
    var results = CoprocessorResults(rows: rows.count, bytes: rows.count * 32)
    for row in rows {
      var trie = PatriciaTrie()
      let isRead = requests.withRow(row) { request in
        Self.forEachEntry(request) { trie.set($0.word, $1) }
      }
      var writer = NodeWriter()
      results.append(isRead ? trie.root(&writer).bytes : nil)
    }
    return results
  }

  /// Reads the entries; false when the request does not end with one.
  package static func forEachEntry(
    _ request: UnsafeBufferPointer<UInt8>,
    _ body: (Hash256, UnsafeBufferPointer<UInt8>) -> Void
  ) -> Bool {
    var position = 0
    while position < request.count {
      guard let base = request.baseAddress, request.count - position >= 36 else { return false }
      let key = Hash256(UInt256(bigEndian: base + position))
      let length = (32..<36).reduce(0) { $0 << 8 | Int(request[position + $1]) }
      position += 36
      guard length <= request.count - position else { return false }
      body(key, UnsafeBufferPointer(start: base + position, count: length))
      position += length
    }
    return true
  }

  /// A request of entries.
  package static func request(_ entries: [(key: UInt256, value: [UInt8])]) -> [UInt8] {
    entries.flatMap { entry in
      entry.key.bytes
        + (0..<4).map { UInt8(truncatingIfNeeded: entry.value.count >> (24 - 8 * $0)) }
        + entry.value
    }
  }

  /// Tries of up to 64 entries, some of which are changed or removed again.
  public func typicalRequests(_ count: Int, seed: UInt64) -> ByteColumn {
    var random = RequestGenerator(seed: seed)
    var requests = ByteColumn(rows: count)
    for _ in 0..<count {
      var entries: [(key: UInt256, value: [UInt8])] = []
      for _ in 0..<(1 + random.next(below: 64)) {
        // Some keys share their first nibbles with the one before, up to all but the last.
        var key = random.word()
        if let last = entries.last, random.next(below: 2) == 0 {
          key = last.key ^ (key >> (4 * UInt64(1 + random.next(below: 63))))
        }
        if let known = entries.randomElement(using: &random), random.next(below: 5) == 0 {
          key = known.key
        }
        entries.append((key, random.bytes(random.next(below: 6) == 0 ? 0 : random.next(below: 80))))
      }
      requests.append(Self.request(entries))
    }
    return requests
  }

  /// No key, one, all removed, keys that share 63 nibbles, values around 32 and 56 bytes.
  public var edgeRequests: ByteColumn {
    let ones = UInt256.zero &- .one
    var requests = ByteColumn()
    requests.append([])
    for count in [1, 2, 31, 32, 33, 55, 56, 57, 255, 256, 1 << 17] {
      requests.append(Self.request([(.zero, [UInt8](repeating: 0x7F, count: count))]))
      requests.append(
        Self.request([(ones, [1]), (ones &- .one, [UInt8](repeating: 0x80, count: count))]))
    }
    let siblings = (0..<16).map { (key: UInt256(UInt64($0)), value: [UInt8($0 + 1)]) }
    requests.append(Self.request(siblings))
    requests.append(Self.request(siblings + siblings.map { ($0.key, []) }))
    requests.append(Self.request(siblings + siblings.dropFirst().map { ($0.key, []) }))
    // A branch for each nibble of a key, and their collapse.
    let ladder = (0..<64).map { (key: UInt256.one << UInt64(4 * $0), value: [UInt8(0x81), 1]) }
    requests.append(Self.request(ladder))
    requests.append(Self.request(ladder + ladder.dropLast().map { ($0.key, []) }))
    requests.append([UInt8](repeating: 0, count: 35))
    requests.append([UInt8](repeating: 0, count: 32) + [0, 0, 0, 2, 1])
    return requests
  }
}
