import EVM
import Ethereum

/// `orderedRoot`: the transactions, receipts or withdrawals of a block in, the root of 32 bytes out of
/// the trie that holds them under the RLP of their indexes.
///
/// A request is a row of items: the number of an item's bytes in four (big-endian), at least one,
/// and the item as the trie holds it. On the CPU one trie is one thread's work; a batch is many
/// blocks', or a block's three.
public struct OrderedRootCoprocessor: Coprocessor {
  public let name = "orderedRoot"
  public let requestLimit = 1 << 32

  public init() {}

  public var knownAnswers: [KnownAnswer] { KnownAnswers.orderedRoot }

  public func reference(_ request: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    var items: [[UInt8]] = []
    guard Self.forEachItem(request, { items.append([UInt8]($0)) }) else { return nil }
    return MerklePatriciaTrie.orderedRoot(items).bytes
  }

  /// Reads the items; false when the request does not end with one, or one is empty.
  package static func forEachItem(
    _ request: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void
  ) -> Bool {
    var position = 0
    while position < request.count {
      guard request.count - position >= 4 else { return false }
      let length = (0..<4).reduce(0) { $0 << 8 | Int(request[position + $1]) }
      position += 4
      guard length > 0, length <= request.count - position else { return false }
      body(UnsafeBufferPointer(rebasing: request[position..<position + length]))
      position += length
    }
    return true
  }

  /// A request of items.
  package static func request(_ items: [[UInt8]]) -> [UInt8] {
    items.flatMap { item in
      (0..<4).map { UInt8(truncatingIfNeeded: item.count >> (24 - 8 * $0)) } + item
    }
  }

  /// Blocks of 100 to 200 items of the size of transfers.
  public func typicalRequests(_ count: Int, seed: UInt64) -> ByteColumn {
    var random = RequestGenerator(seed: seed)
    var requests = ByteColumn(rows: count)
    for _ in 0..<count {
      let items = 100 + random.next(below: 101)
      requests.append(
        Self.request((0..<items).map { _ in random.bytes(100 + random.next(below: 100)) }))
    }
    return requests
  }

  /// Counts of items where the indexes' RLP grows, and short items, which stand in their parents.
  public var edgeRequests: ByteColumn {
    var requests = ByteColumn()
    for count in [0, 1, 2, 15, 16, 17, 127, 128, 129, 130, 255, 256, 257, 1000] {
      requests.append(Self.request((0..<count).map { [UInt8](repeating: 7, count: 1 + $0 % 40) }))
    }
    for bytes in [[0], [0, 0, 0, 0], [0, 0, 0, 2, 1], [255, 255, 255, 255, 1]] as [[UInt8]] {
      requests.append(bytes)
    }
    return requests
  }
}
