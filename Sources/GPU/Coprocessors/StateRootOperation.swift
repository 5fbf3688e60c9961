import Coprocessors

/// `stateRoot` on a machine of lanes.
final class StateRootOperation: TrieOperation {
  init() {
    super.init(StateRootCoprocessor(), isHashed: true) { request, start, row in
      let isRead = StateRootCoprocessor.forEachEntry(request) { key, value in
        row.leaves.append(.init(key: key.word, value: value.place(in: request, from: start)))
      }
      if isRead { row.settle() }
      return isRead
    }
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// Where a part of a request lies among the batch's bytes, in which the request begins at `start`.
  func place(in request: UnsafeBufferPointer<UInt8>, from start: Int) -> Range<Int> {
    guard let base = baseAddress, let whole = request.baseAddress else { return start..<start }
    let first = start + (base - whole)
    return first..<first + count
  }
}
