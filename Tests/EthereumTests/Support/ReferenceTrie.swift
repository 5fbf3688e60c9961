import EVM
import Ethereum

/// The trie of the yellow paper, appendix D, written out as its formulas: slow and plain, to compare
/// with.
enum ReferenceTrie {
  static func root(_ entries: [[UInt8]: [UInt8]]) -> Hash256 {
    let items = entries.map { (key: nibbles($0.key), value: $0.value) }
    if items.isEmpty { return Keccak256.hash([0x80]) }
    return Keccak256.hash(node(items, depth: 0).encoded)
  }

  private static func nibbles(_ key: [UInt8]) -> [UInt8] { key.flatMap { [$0 >> 4, $0 & 15] } }

  private static func node(_ items: [(key: [UInt8], value: [UInt8])], depth: Int) -> RLP {
    if items.count == 1 {
      return .list([
        .string(hexPrefix(Array(items[0].key[depth...]), isLeaf: true)), .string(items[0].value),
      ])
    }
    let shortest = items.map(\.key.count).min()!
    var common = depth
    while common < shortest, items.allSatisfy({ $0.key[common] == items[0].key[common] }) {
      common += 1
    }
    if common > depth {
      return .list([
        .string(hexPrefix(Array(items[0].key[depth..<common]), isLeaf: false)),
        reference(node(items, depth: common)),
      ])
    }
    var children: [RLP] = []
    for digit in UInt8(0)..<16 {
      let below = items.filter { $0.key.count > depth && $0.key[depth] == digit }
      children.append(below.isEmpty ? .string([]) : reference(node(below, depth: depth + 1)))
    }
    children.append(.string(items.first { $0.key.count == depth }?.value ?? []))
    return .list(children)
  }

  private static func reference(_ node: RLP) -> RLP {
    let bytes = node.encoded
    return bytes.count < 32 ? node : .string(Keccak256.hash(bytes).bytes)
  }

  private static func hexPrefix(_ path: [UInt8], isLeaf: Bool) -> [UInt8] {
    let flag: UInt8 = isLeaf ? 2 : 0
    let padded = path.count % 2 == 1 ? [flag + 1] + path : [flag, 0] + path
    return stride(from: 0, to: padded.count, by: 2).map { padded[$0] << 4 | padded[$0 + 1] }
  }
}
