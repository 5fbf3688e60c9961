import EVM
import Ethereum
import Synchronization

/// A block whose transactions run independently: each on the state before the block and the values
/// that the block's access list has before it.
///
/// What a transaction reads and changes is compared with the list; when everything in the list has
/// been read or changed, and nothing else, every transaction has seen what it sees in order. Nothing
/// is decided here but that: where anything differs, the block is executed in another way, which tells
/// what is wrong.
///
/// One struct at one place, which workers read through a pointer: nobody counts references to it.
struct ListedBlock: ~Copyable {
  let fork: Fork
  let environment: BlockEnvironment
  let maxBlobs: Int
  let transactionCount: Int
  let columns: ListedColumns
  /// The state's tables.
  let tables: UnsafeMutablePointer<StateTables>
  /// The list's own tables: the numbers of its accounts, and of their slots.
  let accountTable: SharedIndexTable
  let slotTable: SharedIndexTable
  /// The rows of the accounts in the state's tables.
  let accountRows: UnsafeMutablePointer<UInt32>
  /// The rows of the slots that change, then of those that are only read.
  let slotRows: UnsafeMutablePointer<UInt32>
  /// Which accounts, and which of the slots that are only read, the block has read.
  let accountMarks: UnsafeMutablePointer<Atomic<Bool>>
  let readMarks: UnsafeMutablePointer<Atomic<Bool>>
  /// The state's, which outlives the block. Counting references would be done by all workers at once.
  unowned(unsafe) let codes: CodeStore
  /// Answers BLOCKHASH; called by one worker at a time.
  let blockHash: (UInt64) -> Hash256?
  let blockHashLock = SpinLock()
  /// The hashes of the list's codes.
  let codeHashes: UnsafeMutablePointer<Hash256>

  /// Whether something differs, or can not be done in this way.
  let differs = Atomic<Bool>(false)
  /// Changes of the list that came before the transactions, that come after them, and that the
  /// transactions have made.
  let changesBefore = Atomic<Int>(0)
  let changesAfter = Atomic<Int>(0)
  let changesMade = Atomic<Int>(0)
  // What is handed out to workers next.
  let nextAccount = Atomic<Int>(0)
  let nextSlot = Atomic<Int>(0)
  let nextRead = Atomic<Int>(0)
  let nextTransaction = Atomic<Int>(0)

  init(
    _ block: PreparedBlock, _ columns: ListedColumns, _ memory: ListedMemory,
    runner: TransactionRunner
  ) {
    fork = block.fork
    environment = block.environment
    maxBlobs = block.maxBlobs
    transactionCount = block.transactions.count
    self.columns = columns
    tables = runner.sharedTables
    codes = runner.state.codes
    blockHash = { runner.blockHashes[$0] ?? runner.fallbackBlockHash?($0) }
    memory.begin(columns)
    accountTable = memory.accountTable
    slotTable = memory.slotTable
    accountRows = memory.accountRows
    slotRows = memory.slotRows
    accountMarks = memory.accountMarks
    readMarks = memory.readMarks
    codeHashes = .allocate(capacity: columns.codes.count)
    for (place, change) in columns.codes.enumerated() {
      change.code.withUnsafeBufferPointer { code in
        let hash = Keccak256.hash(code)
        runner.state.codes.insert(code, hash: hash)
        (codeHashes + place).initialize(to: hash)
      }
    }
  }

  deinit { codeHashes.deallocate() }

  /// The index of what comes after the transactions.
  var lastIndex: UInt32 { UInt32(transactionCount + 1) }

  // MARK: Lookups

  /// The number of an account in the list; `IndexTable.none` when it is not there.
  @inline(__always)
  func account(_ address: Address) -> UInt32 {
    accountTable.find(tables.pointee.hash(address)) {
      columns.accounts[Int($0)].address == address
    }
  }

  /// The number of an account's slot in the list, those that are only read after those that change;
  /// `IndexTable.none` when it is not there.
  @inline(__always)
  func slot(_ key: UInt256, of account: UInt32) -> UInt32 {
    let changing = columns.slots.count
    return slotTable.find(tables.pointee.hash(account, 0, key)) {
      let number = Int($0)
      let found =
        number < changing ? columns.slots[number].key : columns.reads[number &- changing]
      guard found == key else { return false }
      return columns.has(number, changing, Int(account))
    }
  }

  // MARK: Preparing

  /// Looks a part of the list up in the state's tables, and enters it into the list's own.
  func prepare() {
    var before = 0
    var after = 0
    while let range = Self.take(nextAccount, columns.accounts.count) {
      for account in range { prepare(account: account, &before, &after) }
    }
    while let range = Self.take(nextSlot, columns.slots.count) {
      var account = columns.account(ofSlot: range.lowerBound)
      var row = tables.pointee.find(columns.accounts[account].address)
      for slot in range {
        while slot >= Int(columns.accounts[account].slotEnd) {
          account += 1
          row = tables.pointee.find(columns.accounts[account].address)
        }
        enter(columns.slots[slot].key, slot, account, row)
        count(columns.slotChanges, columns.changeRange(slot), &before, &after)
      }
    }
    while let range = Self.take(nextRead, columns.reads.count) {
      var account = columns.account(ofRead: range.lowerBound)
      var row = tables.pointee.find(columns.accounts[account].address)
      for read in range {
        while read >= Int(columns.accounts[account].readEnd) {
          account += 1
          row = tables.pointee.find(columns.accounts[account].address)
        }
        enter(columns.reads[read], columns.slots.count + read, account, row)
        (readMarks + read).initialize(to: Atomic(false))
      }
    }
    changesBefore.add(before, ordering: .relaxed)
    changesAfter.add(after, ordering: .relaxed)
  }

  private func prepare(account: Int, _ before: inout Int, _ after: inout Int) {
    let address = columns.accounts[account].address
    let row = tables.pointee.find(address)
    accountRows[account] = row
    (accountMarks + account).initialize(to: Atomic(false))
    accountTable.insert(tables.pointee.hash(address), UInt32(account))
    count(columns.balances, columns.balanceRange(account), &before, &after)
    count(columns.nonces, columns.nonceRange(account), &before, &after)
    count(columns.codes, columns.codeRange(account), &before, &after)
    if row == IndexTable.none { return }
    // From before EIP-161 and EIP-7610: whether such an account was touched is not in the list.
    let found = tables.pointee.accounts + Int(row)
    if found.pointee.exists && found.pointee.nonce == 0 && found.pointee.codeHash == .emptyCode
      && (found.pointee.balance.isZero || found.pointee.slotCount != 0)
    {
      differs.store(true, ordering: .relaxed)
    }
  }

  @inline(__always)
  private func enter(_ key: UInt256, _ slot: Int, _ account: Int, _ row: UInt32) {
    slotRows[slot] =
      row == IndexTable.none ? IndexTable.none : tables.pointee.find(key, of: row)
    slotTable.insert(tables.pointee.hash(UInt32(account), 0, key), UInt32(slot))
  }

  /// Counts the changes that come before and after the transactions.
  @inline(__always)
  private func count<Change: AccessListChange>(
    _ changes: UnsafeBufferPointer<Change>, _ range: Range<Int>, _ before: inout Int,
    _ after: inout Int
  ) {
    if range.isEmpty { return }
    if changes[range.lowerBound].index == 0 { before += 1 }
    let last = changes[range.upperBound - 1].index
    if last == lastIndex { after += 1 }
    if last > lastIndex { differs.store(true, ordering: .relaxed) }
  }

  /// The next part of so many things; `nil` when all are handed out.
  static func take(
    _ next: borrowing Atomic<Int>, _ count: Int, atOnce: Int = 256
  ) -> Range<Int>? {
    if next.load(ordering: .relaxed) >= count { return nil }
    let first = next.add(atOnce, ordering: .relaxed).oldValue
    return first >= count ? nil : first..<min(first + atOnce, count)
  }
}

extension ListedColumns {
  /// Whether an account has the slot with this number, of which the first `changing` change.
  @inline(__always)
  fileprivate func has(_ slot: Int, _ changing: Int, _ account: Int) -> Bool {
    if slot < changing {
      return slot < Int(accounts[account].slotEnd)
        && (account == 0 || slot >= Int(accounts[account - 1].slotEnd))
    }
    let read = slot &- changing
    return read < Int(accounts[account].readEnd)
      && (account == 0 || read >= Int(accounts[account - 1].readEnd))
  }
}
