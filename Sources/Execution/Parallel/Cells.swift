import EVM
import Synchronization

/// An account as far as it rarely changes: its code, and which storage is its own.
///
/// The first one of an account is the state's from before the block; a transaction that creates,
/// deletes or delegates an account adds another. Never changed once others can see it, but for the
/// link.
struct Lifecycle: ~Copyable {
  let account: UnsafeMutablePointer<AccountCell>
  /// Who made it; -1 for the state before the block.
  let transaction: Int32
  let incarnation: UInt32
  /// Which storage is the account's: 0 for the one from before the block, else this lifecycle's own
  /// number or that of the one that it follows.
  let epoch: UInt32
  /// Whether the account exists although it is empty.
  let existsEmpty: Bool
  /// Whether slots from before the block are not zero.
  let hasStorage: Bool
  let codeHash: Hash256
  let code: UnsafeMutablePointer<StoredCode>?
  let next: Atomic<UnsafeMutablePointer<Lifecycle>?>

  /// Whether a transaction that saw one of them would have done the same with the other.
  func isSame(as other: borrowing Lifecycle) -> Bool {
    epoch == other.epoch && existsEmpty == other.existsEmpty && hasStorage == other.hasStorage
      && codeHash == other.codeHash
  }
}

/// An account that the block asks for.
struct AccountCell: ~Copyable {
  let address: Address
  /// Its row in the state's tables; `IndexTable.none` when it has none.
  let number: UInt32
  /// Its number among the cells: that of its first lifecycle.
  let id: UInt32
  /// Which storage the state's tables have of it.
  let tableEpoch: UInt32
  /// Whether it is the block's coinbase, whose balance the committer keeps.
  let isCoinbase: Bool
  /// The next cell with the same place in the directory.
  var next: UnsafeMutablePointer<AccountCell>?
  /// Whether a worker has it in its list of what changes.
  let isListed = Atomic<Bool>(false)
  /// Latest transaction first.
  let lifecycles: Atomic<UnsafeMutablePointer<Lifecycle>?>
  let lifecycleLock = SpinLock()
  /// The nonce, then the balance.
  let timelines: UnsafeMutablePointer<Timeline>

  @inline(__always)
  var nonce: UnsafeMutablePointer<Timeline> { timelines }
  @inline(__always)
  var balance: UnsafeMutablePointer<Timeline> { timelines + 1 }

  /// The lifecycle that a transaction finds.
  @inline(__always)
  borrowing func lifecycle(before transaction: Int32) -> UnsafeMutablePointer<Lifecycle> {
    var next = lifecycles.load(ordering: .acquiring)
    while let node = next {
      if node.pointee.transaction < transaction { return node }
      next = node.pointee.next.load(ordering: .acquiring)
    }
    preconditionFailure("the first lifecycle is from before the block")
  }

  /// Adds a lifecycle, instead of its transaction's earlier one.
  borrowing func insert(_ node: UnsafeMutablePointer<Lifecycle>) {
    lifecycleLock.lock()
    defer { lifecycleLock.unlock() }
    let (previous, next) = find(node.pointee.transaction)
    if let old = next, old.pointee.transaction == node.pointee.transaction {
      node.pointee.next.store(old.pointee.next.load(ordering: .relaxed), ordering: .relaxed)
    } else {
      node.pointee.next.store(next, ordering: .relaxed)
    }
    link(previous, to: node)
  }

  /// Takes back what an earlier incarnation of a transaction added; false when there is nothing.
  borrowing func retract(_ transaction: Int32, before incarnation: UInt32) -> Bool {
    lifecycleLock.lock()
    defer { lifecycleLock.unlock() }
    let (previous, next) = find(transaction)
    guard let node = next, node.pointee.transaction == transaction,
      node.pointee.incarnation != incarnation
    else { return false }
    link(previous, to: node.pointee.next.load(ordering: .relaxed))
    return true
  }

  private borrowing func find(_ transaction: Int32) -> (
    previous: UnsafeMutablePointer<Lifecycle>?, next: UnsafeMutablePointer<Lifecycle>?
  ) {
    var previous: UnsafeMutablePointer<Lifecycle>?
    var next = lifecycles.load(ordering: .relaxed)
    while let node = next, node.pointee.transaction > transaction {
      previous = node
      next = node.pointee.next.load(ordering: .relaxed)
    }
    return (previous, next)
  }

  private borrowing func link(
    _ previous: UnsafeMutablePointer<Lifecycle>?, to node: UnsafeMutablePointer<Lifecycle>?
  ) {
    if let previous {
      previous.pointee.next.store(node, ordering: .releasing)
    } else {
      lifecycles.store(node, ordering: .releasing)
    }
  }
}

/// A slot that the block asks for, of an account in one epoch of its storage.
struct SlotCell: ~Copyable {
  /// The value. First, so that a pointer to the cell is one to the value.
  var timeline: Timeline
  let key: UInt256
  let account: UnsafeMutablePointer<AccountCell>
  let epoch: UInt32
  /// Its row in the state's tables; `IndexTable.none` when it has none.
  let number: UInt32
  /// The next cell with the same place in the directory.
  var next: UnsafeMutablePointer<SlotCell>?
  /// Whether a worker has it in its list of what changes.
  let isListed = Atomic<Bool>(false)
}
