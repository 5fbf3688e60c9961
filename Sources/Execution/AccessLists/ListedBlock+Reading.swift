import EVM
import Ethereum

// What a transaction sees: the state before the block, and the list's values before the transaction.
extension ListedBlock {
  /// Answers for an account; false when the list has not got it.
  @inline(__always)
  func read(_ address: Address, before index: UInt32, into record: inout AccountRecord) -> Bool {
    let account = account(address)
    if account == IndexTable.none { return false }
    let entry = accounts + Int(account)
    record.nonce = entry.pointee.nonce
    record.balance = entry.pointee.balance
    record.codeHash = entry.pointee.codeHash
    record.hasStorage = entry.pointee.hasStorage
    let balance = entry.pointee.balances.last(before: index, in: columns.balances)
    if balance >= 0 { record.balance = columns.balances[balance].value }
    let nonce = entry.pointee.nonces.last(before: index, in: columns.nonces)
    if nonce >= 0 { record.nonce = columns.nonces[nonce].nonce }
    let code = entry.pointee.codes.last(before: index, in: columns.codes)
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
    let entry = slots + Int(slot)
    record.place = slot
    let change = entry.pointee.changes.last(before: index, in: columns.slotChanges)
    record.value = change >= 0 ? columns.slotChanges[change].value : entry.pointee.value
    return true
  }

  /// Where code is kept, of an account in the list.
  func code(_ hash: Hash256, of account: UInt32) -> UnsafeMutablePointer<StoredCode>? {
    let row = accounts[Int(account)].row
    if row != IndexTable.none, tables.pointee.accounts[Int(row)].codeHash == hash {
      return tables.pointee.accounts[Int(row)].code
    }
    return codes.shared(hash)
  }
}

extension ListedBlock {
  /// Brings what transactions ask for first near: their senders and recipients, by loads that do not
  /// wait for each other.
  /// Gives something of all that was loaded.
  func look(ahead range: Range<Int>, _ transactions: UnsafePointer<PreparedTransaction>) -> UInt64 {
    var seen: UInt64 = 0
    for place in range {
      seen ^= look(at: transactions[place].sender)
      if let recipient = transactions[place].transaction.to { seen ^= look(at: recipient) }
    }
    return seen
  }

  @inline(__always)
  private func look(at address: Address) -> UInt64 {
    let account = account(address)
    if account == IndexTable.none { return 0 }
    let entry = accounts + Int(account)
    return entry.pointee.balance.limb0 ^ entry.pointee.codeHash.word.limb0
      ^ UInt64(entry.pointee.row)
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
    let listed = accounts + account
    let isDestroyed = entry.pointee.isDestroyed
    let balance = isDestroyed ? .zero : entry.pointee.balance
    let nonce = isDestroyed ? 0 : entry.pointee.nonce
    let balancePlace = listed.pointee.balances.place(at: index, in: columns.balances)
    if (balancePlace >= 0) != (balance != entry.pointee.balanceBefore) { return false }
    if balancePlace >= 0 {
      if columns.balances[balancePlace].value != balance { return false }
      made &+= 1
    }
    let noncePlace = listed.pointee.nonces.place(at: index, in: columns.nonces)
    if (noncePlace >= 0) != (nonce != entry.pointee.nonceBefore) { return false }
    if noncePlace >= 0 {
      if columns.nonces[noncePlace].nonce != nonce { return false }
      made &+= 1
    }
    if listed.pointee.codes.isEmpty && !entry.pointee.isCodeChanged { return true }
    return agreesOnCode(entry, listed, index, &made)
  }

  @inline(never)
  private func agreesOnCode(
    _ entry: UnsafeMutablePointer<AccountEntry>, _ listed: UnsafeMutablePointer<ListedAccount>,
    _ index: UInt32, _ made: inout Int
  ) -> Bool {
    var changes = false
    if entry.pointee.isCodeChanged && !entry.pointee.isDestroyed {
      let before = listed.pointee.codes.last(before: index, in: columns.codes)
      let hash = before >= 0 ? codeHashes[before] : listed.pointee.codeHash
      changes = hash != entry.pointee.codeHash
    }
    // Their hashes tell codes apart.
    let place = listed.pointee.codes.place(at: index, in: columns.codes)
    if (place >= 0) != changes { return false }
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
    let read = Int(number) &- columns.slots.count
    if read >= 0 && !readMarks[read].load(ordering: .relaxed) {
      readMarks[read].store(true, ordering: .relaxed)
    }
    let place = slots[Int(number)].changes.place(at: index, in: columns.slotChanges)
    if (place >= 0) != changes { return false }
    if changes {
      if columns.slotChanges[place].value != slot.pointee.current { return false }
      made &+= 1
    }
    return true
  }
}
