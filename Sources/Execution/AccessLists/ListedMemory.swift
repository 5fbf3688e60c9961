import EVM
import Ethereum
import Synchronization

/// The memory that access lists are looked up in, kept from block to block.
final class ListedMemory {
  private(set) var accountTable = SharedIndexTable(rows: 0)
  private(set) var slotTable = SharedIndexTable(rows: 0)
  /// The accounts.
  private(set) var accounts: UnsafeMutablePointer<ListedAccount>
  /// The slots that change, then those that are only read.
  private(set) var slots: UnsafeMutablePointer<ListedSlot>
  /// Which accounts, and which of the slots that are only read, the block has read.
  private(set) var accountMarks: UnsafeMutablePointer<Atomic<Bool>>
  private(set) var readMarks: UnsafeMutablePointer<Atomic<Bool>>
  private var accountCapacity = 0
  private var slotCapacity = 0
  /// Whether the tables are empty.
  var isClean = true

  init() {
    accounts = .allocate(capacity: 0)
    slots = .allocate(capacity: 0)
    accountMarks = .allocate(capacity: 0)
    readMarks = .allocate(capacity: 0)
  }

  deinit {
    deallocate()
    accountTable.deallocate()
    slotTable.deallocate()
  }

  private func deallocate() {
    accounts.deallocate()
    slots.deallocate()
    accountMarks.deallocate()
    readMarks.deallocate()
  }

  /// Makes room for a list; the tables are empty then.
  func begin(_ columns: ListedColumns) {
    let slots = columns.slots.count + columns.reads.count
    if accountTable.capacity < columns.accounts.count || !isClean {
      accountTable.deallocate()
      accountTable = SharedIndexTable(rows: columns.accounts.count)
    }
    if slotTable.capacity < slots || !isClean {
      slotTable.deallocate()
      slotTable = SharedIndexTable(rows: slots)
    }
    isClean = false
    if accountCapacity < columns.accounts.count || slotCapacity < slots {
      deallocate()
      accountCapacity = columns.accounts.count * 2
      slotCapacity = slots * 2
      self.accounts = .allocate(capacity: accountCapacity)
      self.slots = .allocate(capacity: slotCapacity)
      accountMarks = .allocate(capacity: accountCapacity)
      readMarks = .allocate(capacity: slotCapacity)
    }
  }
}
