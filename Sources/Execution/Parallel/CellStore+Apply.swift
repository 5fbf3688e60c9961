import CMachineForms
import EVM

// Taking the final values of the cells into the tables. Cells of different accounts and slots may be
// taken in at once, but for those that need a new row.

/// A slot that the tables have no row for, or whose account they had none for, with its value after the block.
struct LateSlot {
  let key: UInt256
  let value: UInt256
  let account: UnsafeMutablePointer<AccountCell>
  /// The hash by which the tables look for it, where the account had a row before the block.
  let hash: UInt64
}

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

  /// Takes a slot in whose account has kept its storage and that has a row; gives what is to be taken in when all
  /// accounts are in the tables.
  @inline(__always)
  borrowing func apply(_ cell: UnsafeMutablePointer<SlotCell>) -> LateSlot? {
    let account = cell.pointee.account
    // What belongs to a storage that was wiped is gone.
    let epoch = account.pointee.lifecycle(before: Int32.max).pointee.epoch
    if epoch != cell.pointee.epoch { return nil }
    let value = cell.pointee.timeline.finalValue()
    if epoch != 0 || cell.pointee.number == IndexTable.none {
      return LateSlot(
        key: cell.pointee.key, value: value, account: account,
        hash: hash(cell.pointee.key, account, epoch))
    }
    tables.pointee.replace(value, at: cell.pointee.number, of: account.pointee.number)
    return nil
  }

  /// Begins to load what taking a slot in touches.
  @inline(__always)
  borrowing func prefetch(_ slot: borrowing LateSlot) {
    tables.pointee.prefetchSlot(slot.hash)
    machine_prefetch(slot.account)
  }

  /// Takes a slot in, when all accounts are in the tables.
  borrowing func apply(_ slot: borrowing LateSlot) {
    var number = slot.account.pointee.number
    if number == IndexTable.none { number = tables.pointee.find(slot.account.pointee.address) }
    if number == IndexTable.none || !tables.pointee.accounts[Int(number)].exists { return }
    tables.pointee.set(slot.key, of: number, to: slot.value)
  }
}
