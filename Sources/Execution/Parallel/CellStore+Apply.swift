import EVM

extension CellStore {
  /// Takes the final values of the cells that a worker added into the tables: first the accounts.
  borrowing func applyAccounts(_ share: Share, coinbaseBalance: UInt256) {
    var next = share.lastAccount
    while let cell = next {
      next = cell.pointee.sibling
      apply(cell, coinbaseBalance)
    }
  }

  private borrowing func apply(
    _ cell: UnsafeMutablePointer<AccountCell>, _ coinbaseBalance: UInt256
  ) {
    let lifecycle = cell.pointee.lifecycle(before: Int32.max)
    let isFirst = lifecycle.pointee.transaction < 0
    if isFirst && cell.pointee.nonce.pointee.isUnchanged
      && cell.pointee.balance.pointee.isUnchanged && !cell.pointee.isCoinbase
    {
      return
    }
    let nonce = cell.pointee.nonce.pointee.finalValue().limb0
    let balance =
      cell.pointee.isCoinbase ? coinbaseBalance : cell.pointee.balance.pointee.finalValue()
    let isEmpty =
      nonce == 0 && balance.isZero && lifecycle.pointee.codeHash == .emptyCode
    var number = cell.pointee.number
    if isEmpty && !lifecycle.pointee.existsEmpty {
      if number != IndexTable.none && tables.pointee.accounts[Int(number)].exists {
        tables.pointee.accounts[Int(number)].delete()
      }
      return
    }
    if number == IndexTable.none || !tables.pointee.accounts[Int(number)].exists {
      number = tables.pointee.insert(cell.pointee.address)
    }
    let row = tables.pointee.accounts + Int(number)
    row.pointee.nonce = nonce
    row.pointee.balance = balance
    if isFirst { return }
    row.pointee.codeHash = lifecycle.pointee.codeHash
    row.pointee.code = lifecycle.pointee.code
    if lifecycle.pointee.epoch != 0 { row.pointee.wipeStorage() }
  }

  /// Then the slots, when all accounts are done.
  borrowing func applySlots(_ share: Share) {
    var next = share.lastSlot
    while let cell = next {
      next = cell.pointee.sibling
      if cell.pointee.timeline.isUnchanged { continue }
      let account = cell.pointee.account
      if account.pointee.lifecycle(before: Int32.max).pointee.epoch != cell.pointee.epoch {
        continue
      }
      var number = account.pointee.number
      if number == IndexTable.none { number = tables.pointee.find(account.pointee.address) }
      if number == IndexTable.none || !tables.pointee.accounts[Int(number)].exists { continue }
      tables.pointee.set(
        cell.pointee.key, of: number, to: cell.pointee.timeline.finalValue(),
        hint: cell.pointee.number)
    }
  }
}
