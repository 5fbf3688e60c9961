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
      apply(
        slot.pointee.key, slot.pointee.current, place: slot.pointee.place,
        of: journal.accounts + Int(slot.pointee.account))
    }
  }

  /// Takes over a slot that has changed, after its account's entry.
  @inline(__always)
  mutating func apply(
    _ key: UInt256, _ value: UInt256, place: UInt32,
    of entry: UnsafePointer<AccountEntry>
  ) {
    if entry.pointee.isDestroyed { return }
    let account = find(entry.pointee.address, hint: entry.pointee.record.place)
    if account == IndexTable.none || !accounts[Int(account)].exists { return }
    set(key, of: account, to: value, hint: place)
  }

  /// Takes over an account's entry.
  @inline(__always)
  mutating func apply(
    _ entry: UnsafePointer<AccountEntry>, _ fork: Fork, _ codes: CodeStore
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
