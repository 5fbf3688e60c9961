import Coprocessors
import EVM

/// `orderedRoot` on a machine of lanes.
final class OrderedRootOperation: TrieOperation {
  init() {
    super.init(OrderedRootCoprocessor(), isHashed: false) { request, start, row in
      let isRead = OrderedRootCoprocessor.forEachItem(request) { item in
        let (key, length) = Self.key(row.leaves.count)
        row.leaves.append(
          .init(key: key, length: length, value: item.place(in: request, from: start)))
      }
      // In the order of keys: 0 is 0x80, behind 1 to 0x7F, and all others are in their order.
      if isRead, row.leaves.count > 1 {
        let last = min(row.leaves.count, 0x80)
        let first = row.leaves[0]
        row.leaves.replaceSubrange(0..<last, with: Array(row.leaves[1..<last]) + [first])
      }
      return isRead
    }
  }

  /// The RLP of an index, with zeros behind it, and its bytes (yellow paper, appendix B).
  private static func key(_ index: Int) -> (key: UInt256, length: Int) {
    let number = UInt64(index)
    if index == 0 { return (UInt256(0x80) << 248, 1) }
    if index < 0x80 { return (UInt256(number) << 248, 1) }
    let bytes = (71 - number.leadingZeroBitCount) / 8
    return (
      (UInt256(UInt64(0x80 + bytes)) << 248) | (UInt256(number) << UInt64(248 - 8 * bytes)),
      bytes + 1
    )
  }
}
