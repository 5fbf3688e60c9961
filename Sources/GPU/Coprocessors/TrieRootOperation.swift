import Coprocessors
import EVM

/// `trieRoot` on a machine of lanes.
final class TrieRootOperation: TrieOperation {
  init() {
    super.init(TrieRootCoprocessor(), isHashed: false) { request, start, row in
      let isRead = TrieRootCoprocessor.forEachEntry(request) { key, value in
        var word = UInt256.zero
        if let base = key.baseAddress, !key.isEmpty {
          word = UInt256(bigEndian: base, count: key.count) << UInt64((32 - key.count) * 8)
        }
        row.leaves.append(
          .init(key: word, length: key.count, value: value.place(in: request, from: start)))
      }
      if isRead { row.settle() }
      return isRead
    }
  }
}
