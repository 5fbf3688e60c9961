import EVM

extension StateTables {
  /// Takes over what a transaction changed.
  ///
  /// The places in the journal are hints, from these tables or from others.
  mutating func apply(_ journal: Journal, fork: Fork, codes: CodeStore) {
    var index = 0
    while index < journal.accountCount {
      apply(journal.accounts + index, fork, codes)
      index &+= 1
    }
    index = 0
    while index < journal.slotCount {
      let slot = journal.slots + index
      index &+= 1
      if slot.pointee.isTransient || !slot.pointee.isLoaded
        || slot.pointee.current == slot.pointee.original
      {
        continue
      }
      let entry = journal.accounts + Int(slot.pointee.account)
      if entry.pointee.isDestroyed { continue }
      let account = find(entry.pointee.address, hint: entry.pointee.record.place)
      if account == IndexTable.none || !accounts[Int(account)].exists { continue }
      set(
        slot.pointee.key, of: account, to: slot.pointee.current, hint: slot.pointee.place)
    }
  }

  @inline(__always)
  private mutating func apply(
    _ entry: UnsafeMutablePointer<AccountEntry>, _ fork: Fork, _ codes: CodeStore
  ) {
    if !entry.pointee.isLoaded { return }
    if !entry.pointee.isTouched && !entry.pointee.isDestroyed { return }
    var number = find(entry.pointee.address, hint: entry.pointee.record.place)
    if entry.pointee.isDestroyed || (entry.pointee.isEmpty && fork >= .spuriousDragon) {
      if number != IndexTable.none && accounts[Int(number)].exists {
        accounts[Int(number)].delete()
      }
      return
    }
    if !entry.pointee.exists { return }
    if number == IndexTable.none || !accounts[Int(number)].exists {
      number = insert(entry.pointee.address)
    }
    let row = accounts + Int(number)
    row.pointee.nonce = entry.pointee.nonce
    row.pointee.balance = entry.pointee.balance
    if entry.pointee.isCodeChanged {
      codes.insert(entry.pointee.changedCode, hash: entry.pointee.codeHash)
      row.pointee.codeHash = entry.pointee.codeHash
      row.pointee.code = codes.stored(entry.pointee.codeHash)
    }
    if entry.pointee.isCreated { row.pointee.wipeStorage() }
  }
}
