import EVM
import Ethereum

/// An account of an access list, with what the state has before the block: all that most questions
/// want, side by side.
struct ListedAccount: BitwiseCopyable {
  let address: Address
  let nonce: UInt64
  let balance: UInt256
  let codeHash: Hash256
  let hasStorage: Bool
  /// Its row in the state's tables; `IndexTable.none` when it has none.
  let row: UInt32
  /// Where its changes are in the list's columns.
  let balances: ListedChanges
  let nonces: ListedChanges
  let codes: ListedChanges
}

/// A slot of an access list, with its value before the block.
struct ListedSlot: BitwiseCopyable {
  let key: UInt256
  let value: UInt256
  /// Its account's number in the list.
  let account: UInt32
  /// Its row in the state's tables; `IndexTable.none` when it has none.
  let row: UInt32
  /// Where its changes are; none when it is only read.
  let changes: ListedChanges
}

/// The place of changes in a column.
struct ListedChanges: BitwiseCopyable {
  private let start: UInt32
  private let end: UInt32
  /// The index of the first one; the largest number when there is none.
  private let first: UInt32

  /// The changes at these places.
  @inline(__always)
  init<Change: AccessListChange>(_ range: Range<Int>, _ column: UnsafeBufferPointer<Change>) {
    start = UInt32(truncatingIfNeeded: range.lowerBound)
    end = UInt32(truncatingIfNeeded: range.upperBound)
    first = range.isEmpty ? UInt32.max : column[range.lowerBound].index
  }

  /// No changes.
  @inline(__always)
  init() {
    start = 0
    end = 0
    first = UInt32.max
  }

  @inline(__always)
  var isEmpty: Bool { start == end }

  /// Where they are.
  @inline(__always)
  var range: Range<Int> { Int(start)..<Int(end) }

  /// The place of the last change before an index; -1 when there is none.
  @inline(__always)
  func last<Change: AccessListChange>(
    before index: UInt32, in column: UnsafeBufferPointer<Change>
  ) -> Int {
    if index <= first { return -1 }
    return column.first(from: index, in: nearRange(index, column)) &- 1
  }

  /// The place of the change at an index; -1 when there is none.
  @inline(__always)
  func place<Change: AccessListChange>(
    at index: UInt32, in column: UnsafeBufferPointer<Change>
  ) -> Int {
    if index < first { return -1 }
    if index == first { return Int(start) }
    let place = column.first(from: index, in: nearRange(index, column))
    return place < Int(end) && column[place].index == index ? place : -1
  }

  /// Where the first change at an index or after it is, or would be: indices grow by one at least, often by
  /// no more, as the coinbase's do.
  @inline(__always)
  private func nearRange<Change: AccessListChange>(
    _ index: UInt32, _ column: UnsafeBufferPointer<Change>
  ) -> Range<Int> {
    let last = min(Int(end), Int(start) &+ Int(index &- first))
    return last > Int(start) && column[last &- 1].index < index ? last..<last : Int(start)..<last
  }
}
