import EVM
import Ethereum

/// `trieRoot`: the entries of a trie under keys of any lengths in, its root of 32 bytes out.
///
/// A request is a row of entries: the number of the key's bytes in one, at most 32, the key, the number
/// of the value's bytes in four (big-endian), and the value. They are set in their order; an empty
/// value removes its key. `stateRoot` is for keys that are hashes.
public struct TrieRootCoprocessor: Coprocessor {
  public let name = "trieRoot"
  public let requestLimit = 1 << 32

  public init() {}

  public var knownAnswers: [KnownAnswer] { KnownAnswers.trieRoot }

  public func reference(_ request: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    var trie = MerklePatriciaTrie()
    guard Self.forEachEntry(request, { trie.insert(key: $0, value: $1) }) else { return nil }
    return trie.root.bytes
  }

  /// Reads the entries; false when the request does not end with one, or a key is too long.
  package static func forEachEntry(
    _ request: UnsafeBufferPointer<UInt8>,
    _ body: (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>) -> Void
  ) -> Bool {
    var position = 0
    while position < request.count {
      let keyLength = Int(request[position])
      guard keyLength <= 32, request.count - position >= 5 + keyLength else { return false }
      let key = UnsafeBufferPointer(rebasing: request[position + 1..<position + 1 + keyLength])
      position += 1 + keyLength
      let length = (0..<4).reduce(0) { $0 << 8 | Int(request[position + $1]) }
      position += 4
      guard length <= request.count - position else { return false }
      body(key, UnsafeBufferPointer(rebasing: request[position..<position + length]))
      position += length
    }
    return true
  }

  /// A request of entries.
  package static func request(_ entries: [(key: [UInt8], value: [UInt8])]) -> [UInt8] {
    var request: [UInt8] = []
    for (key, value) in entries {
      request.append(UInt8(key.count))
      request += key
      for shift in [24, 16, 8, 0] {
        request.append(UInt8(truncatingIfNeeded: value.count >> shift))
      }
      request += value
    }
    return request
  }

  /// Tries of up to 64 entries, of whose keys some begin with others, and some entries are changed or
  /// removed again.
  public func typicalRequests(_ count: Int, seed: UInt64) -> ByteColumn {
    var random = RequestGenerator(seed: seed)
    var requests = ByteColumn(rows: count)
    for _ in 0..<count {
      var entries: [(key: [UInt8], value: [UInt8])] = []
      for _ in 0..<(1 + random.next(below: 64)) {
        var key = random.bytes(random.next(below: 33))
        if let known = entries.randomElement(using: &random) {
          switch random.next(below: 4) {
          case 0: key = known.key
          case 1: key = [UInt8](known.key.prefix(random.next(below: 33)))
          case 2: key = [UInt8]((known.key + random.bytes(1 + random.next(below: 3))).prefix(32))
          default: break
          }
          // Zeros behind a key are not the key.
          if random.next(below: 8) == 0, key.count < 32 { key.append(0) }
        }
        entries.append((key, random.bytes(random.next(below: 6) == 0 ? 0 : random.next(below: 80))))
      }
      requests.append(Self.request(entries))
    }
    return requests
  }

  /// No key, the empty one, all beginnings of a key, and all of them but some removed.
  public var edgeRequests: ByteColumn {
    let zeros = [UInt8](repeating: 0, count: 32)
    let beginnings = (0...32).map { count -> (key: [UInt8], value: [UInt8]) in
      ([UInt8](zeros.prefix(count)), [UInt8(count + 1)])
    }
    var requests = ByteColumn()
    requests.append([])
    requests.append(Self.request([([], [1])]))
    requests.append(Self.request([([], []), ([1], [])]))
    for count in [1, 2, 31, 32, 33, 55, 56, 57, 255, 256, 1 << 17] {
      let long = [UInt8](repeating: 0x80, count: count)
      requests.append(Self.request([([0x12], long)]))
      requests.append(Self.request([([0x12], long), ([0x12, 0x34], [1])]))
      requests.append(Self.request([([], long), ([0x12], [1]), ([0x13], long)]))
    }
    requests.append(Self.request(beginnings))
    requests.append(Self.request(beginnings.reversed()))
    requests.append(Self.request(beginnings + beginnings.dropLast().map { ($0.key, []) }))
    requests.append(Self.request(beginnings + beginnings.dropFirst().map { ($0.key, []) }))
    requests.append(Self.request(beginnings + beginnings.map { ($0.key, []) }))
    let siblings = (0..<256).map { last -> (key: [UInt8], value: [UInt8]) in
      ([7, UInt8(last)], [UInt8](zeros.prefix(1 + last % 40)))
    }
    requests.append(Self.request(siblings))
    requests.append(Self.request([([7], [9])] + siblings))
    requests.append([33] + [UInt8](repeating: 0, count: 37))
    requests.append([32] + [UInt8](repeating: 0, count: 35))
    requests.append([1, 0, 0, 0, 0, 2, 1])
    return requests
  }
}
