import EVM

// Taking the final values of the cells into the tables. Cells of different accounts and slots may be
// taken in at once, but for those that need a new row.

extension CellStore {
  /// Whether the account has a row in the tables, which nothing but itself is in.
  @inline(__always)
  borrowing func hasRow(_ cell: UnsafeMutablePointer<AccountCell>) -> Bool {
    cell.pointee.number != IndexTable.none
      && tables.pointee.accounts[Int(cell.pointee.number)].exists
  }

  /// Takes an account in.
  borrowing func apply(
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
    let isEmpty = nonce == 0 && balance.isZero && lifecycle.pointee.codeHash == .emptyCode
    var number = cell.pointee.number
    let hasRow = hasRow(cell)
    if isEmpty && !lifecycle.pointee.existsEmpty {
      if hasRow { tables.pointee.accounts[Int(number)].delete() }
      return
    }
    if !hasRow { number = tables.pointee.insert(cell.pointee.address) }
    let row = tables.pointee.accounts + Int(number)
    row.pointee.nonce = nonce
    row.pointee.balance = balance
    if isFirst { return }
    row.pointee.codeHash = lifecycle.pointee.codeHash
    row.pointee.code = lifecycle.pointee.code
    if lifecycle.pointee.epoch != 0 { row.pointee.wipeStorage() }
  }

  /// Takes a slot in whose row changes nothing but its value, from one that is not zero to another;
  /// false when it is not like that.
  @inline(__always)
  borrowing func replace(_ cell: UnsafeMutablePointer<SlotCell>) -> Bool {
    if cell.pointee.number == IndexTable.none || cell.pointee.timeline.base.isZero { return false }
    let value = cell.pointee.timeline.finalValue()
    if value.isZero
      || cell.pointee.account.pointee.lifecycle(before: Int32.max).pointee.epoch != 0
    {
      return false
    }
    tables.pointee.replace(
      value, at: cell.pointee.number, of: cell.pointee.account.pointee.number)
    return true
  }

  /// Takes any slot in, when all accounts are in the tables.
  borrowing func apply(_ cell: UnsafeMutablePointer<SlotCell>) {
    let account = cell.pointee.account
    if account.pointee.lifecycle(before: Int32.max).pointee.epoch != cell.pointee.epoch { return }
    var number = account.pointee.number
    if number == IndexTable.none { number = tables.pointee.find(account.pointee.address) }
    if number == IndexTable.none || !tables.pointee.accounts[Int(number)].exists { return }
    tables.pointee.set(
      cell.pointee.key, of: number, to: cell.pointee.timeline.finalValue(),
      hint: cell.pointee.number)
  }
}
