import EVM
import Ethereum

// What a transaction sees: the state before the block, and the list's values before the transaction.
extension ListedBlock {
  /// Answers for an account; false when the list has not got it.
  @inline(__always)
  func read(_ address: Address, before index: UInt32, into record: inout AccountRecord) -> Bool {
    let account = account(address)
    if account == IndexTable.none { return false }
    let number = Int(account)
    let row = accountRows[number]
    record = .absent
    if row != IndexTable.none {
      let found = tables.pointee.accounts + Int(row)
      record.nonce = found.pointee.nonce
      record.balance = found.pointee.balance
      record.codeHash = found.pointee.codeHash
      record.hasStorage = found.pointee.slotCount != 0
    }
    let balance = last(columns.balances, columns.balanceRange(number), before: index)
    if balance >= 0 { record.balance = columns.balances[balance].value }
    let nonce = last(columns.nonces, columns.nonceRange(number), before: index)
    if nonce >= 0 { record.nonce = columns.nonces[nonce].nonce }
    let code = last(columns.codes, columns.codeRange(number), before: index)
    if code >= 0 { record.codeHash = codeHashes[code] }
    // There are no empty accounts in blocks that run in this way.
    record.exists = record.nonce != 0 || !record.balance.isZero || record.codeHash != .emptyCode
    record.place = account
    return true
  }

  /// Answers for a slot; false when the list has not got it.
  @inline(__always)
  func read(
    _ key: UInt256, of account: UInt32, before index: UInt32, into record: inout StorageRecord
  ) -> Bool {
    let slot = slot(key, of: account)
    if slot == IndexTable.none { return false }
    let number = Int(slot)
    record.place = slot
    if number < columns.slots.count {
      let change = last(columns.slotChanges, columns.changeRange(number), before: index)
      if change >= 0 {
        record.value = columns.slotChanges[change].value
        return true
      }
    }
    let row = slotRows[number]
    record.value = row == IndexTable.none ? .zero : tables.pointee.slots[Int(row)].value
    return true
  }

  /// Where code is kept, of an account in the list.
  func code(_ hash: Hash256, of account: UInt32) -> UnsafeMutablePointer<StoredCode>? {
    let row = accountRows[Int(account)]
    if row != IndexTable.none, tables.pointee.accounts[Int(row)].codeHash == hash {
      return tables.pointee.accounts[Int(row)].code
    }
    return codes.shared(hash)
  }

  /// The last change before an index; -1 when there is none.
  @inline(__always)
  func last<Change: AccessListChange>(
    _ changes: UnsafeBufferPointer<Change>, _ range: Range<Int>, before index: UInt32
  ) -> Int {
    let place = changes.first(from: index, in: range) &- 1
    return place < range.lowerBound ? -1 : place
  }
}

// What a transaction did, against the list.
extension ListedBlock {
  /// How many of the list's changes a transaction makes; `nil` when it makes another, or lacks one.
  func changes(of journal: UnsafePointer<Journal>, at index: UInt32) -> Int? {
    var made = 0
    for number in 0..<journal.pointee.accountCount {
      let entry = journal.pointee.accounts + number
      if entry.pointee.isLoaded && !agrees(entry, index, &made) { return nil }
    }
    for number in 0..<journal.pointee.slotCount {
      let slot = journal.pointee.slots + number
      if slot.pointee.isTransient || !slot.pointee.isLoaded { continue }
      let entry = journal.pointee.accounts + Int(slot.pointee.account)
      if !agrees(slot, entry, index, &made) { return nil }
    }
    return made
  }

  @inline(__always)
  private func agrees(
    _ entry: UnsafeMutablePointer<AccountEntry>, _ index: UInt32, _ made: inout Int
  ) -> Bool {
    let account = Int(entry.pointee.record.place)
    if !accountMarks[account].load(ordering: .relaxed) {
      accountMarks[account].store(true, ordering: .relaxed)
    }
    let isDestroyed = entry.pointee.isDestroyed
    let balance = isDestroyed ? .zero : entry.pointee.balance
    let nonce = isDestroyed ? 0 : entry.pointee.nonce
    let balances = columns.balanceRange(account)
    let isBalanceRight = agrees(
      columns.balances, balances, index, changes: balance != entry.pointee.balanceBefore, &made
    ) { $0.value == balance }
    if !isBalanceRight { return false }
    let isNonceRight = agrees(
      columns.nonces, columns.nonceRange(account), index,
      changes: nonce != entry.pointee.nonceBefore, &made
    ) { $0.nonce == nonce }
    if !isNonceRight { return false }
    return agreesOnCode(entry, account, index, &made)
  }

  @inline(__always)
  private func agreesOnCode(
    _ entry: UnsafeMutablePointer<AccountEntry>, _ account: Int, _ index: UInt32,
    _ made: inout Int
  ) -> Bool {
    let range = columns.codeRange(account)
    if range.isEmpty && !entry.pointee.isCodeChanged { return true }
    var changes = false
    if entry.pointee.isCodeChanged && !entry.pointee.isDestroyed {
      let before = last(columns.codes, range, before: index)
      let row = accountRows[account]
      var hash = Hash256.emptyCode
      if before >= 0 {
        hash = codeHashes[before]
      } else if row != IndexTable.none {
        hash = tables.pointee.accounts[Int(row)].codeHash
      }
      changes = hash != entry.pointee.codeHash
    }
    // Their hashes tell codes apart.
    let place = columns.codes.first(from: index, in: range)
    let isListed = place < range.upperBound && columns.codes[place].index == index
    if isListed != changes { return false }
    if changes {
      if codeHashes[place] != entry.pointee.codeHash { return false }
      made &+= 1
    }
    return true
  }

  @inline(__always)
  private func agrees(
    _ slot: UnsafeMutablePointer<SlotEntry>, _ entry: UnsafeMutablePointer<AccountEntry>,
    _ index: UInt32, _ made: inout Int
  ) -> Bool {
    let changes = slot.pointee.current != slot.pointee.original && !entry.pointee.isDestroyed
    var number = slot.pointee.place
    // The storage of a created account is not asked for.
    if number == AccountRecord.noPlace {
      number = self.slot(slot.pointee.key, of: entry.pointee.record.place)
      if number == IndexTable.none { return false }
    }
    let found = Int(number)
    if found >= columns.slots.count {
      let read = found &- columns.slots.count
      if !readMarks[read].load(ordering: .relaxed) {
        readMarks[read].store(true, ordering: .relaxed)
      }
      return !changes
    }
    return agrees(
      columns.slotChanges, columns.changeRange(found), index, changes: changes, &made
    ) { $0.value == slot.pointee.current }
  }

  /// Whether there is a change at an index just when there should be one, and the right one.
  @inline(__always)
  private func agrees<Change: AccessListChange>(
    _ listed: UnsafeBufferPointer<Change>, _ range: Range<Int>, _ index: UInt32, changes: Bool,
    _ made: inout Int, _ isRight: (Change) -> Bool
  ) -> Bool {
    let place = listed.first(from: index, in: range)
    let isListed = place < range.upperBound && listed[place].index == index
    if isListed != changes { return false }
    if !changes { return true }
    made &+= 1
    return isRight(listed[place])
  }
}
