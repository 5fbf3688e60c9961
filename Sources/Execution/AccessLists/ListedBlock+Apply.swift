import EVM
import Ethereum

// Taking the list's values after the last transaction into the state's tables.
extension ListedBlock {
  /// Takes an account in; false when that needs a new row.
  @inline(__always)
  func applyInPlace(account: Int) -> Bool {
    let balance = last(columns.balances, columns.balanceRange(account), before: lastIndex)
    let nonce = last(columns.nonces, columns.nonceRange(account), before: lastIndex)
    let code = last(columns.codes, columns.codeRange(account), before: lastIndex)
    if balance < 0 && nonce < 0 && code < 0 { return true }
    let number = accountRows[account]
    if number == IndexTable.none { return false }
    let row = tables.pointee.accounts + Int(number)
    if !row.pointee.exists { return false }
    apply(balance, nonce, code, to: row)
    return true
  }

  /// Takes an account in that has no row, or one of a deleted account.
  func apply(account: Int) {
    let balance = last(columns.balances, columns.balanceRange(account), before: lastIndex)
    let nonce = last(columns.nonces, columns.nonceRange(account), before: lastIndex)
    let code = last(columns.codes, columns.codeRange(account), before: lastIndex)
    let number = tables.pointee.insert(columns.accounts[account].address)
    apply(balance, nonce, code, to: tables.pointee.accounts + Int(number))
  }

  private func apply(
    _ balance: Int, _ nonce: Int, _ code: Int, to row: UnsafeMutablePointer<AccountRow>
  ) {
    if balance >= 0 { row.pointee.balance = columns.balances[balance].value }
    if nonce >= 0 { row.pointee.nonce = columns.nonces[nonce].nonce }
    if code >= 0 {
      row.pointee.codeHash = codeHashes[code]
      row.pointee.code = codes.shared(codeHashes[code])
    }
    // An account that is left empty is deleted (EIP-161).
    if row.pointee.isEmpty { row.pointee.delete() }
  }

  /// Takes a slot in whose row changes nothing but its value, from one that is not zero to another;
  /// false when it is not like that.
  @inline(__always)
  func applyInPlace(slot: Int, of account: Int) -> Bool {
    let change = last(columns.slotChanges, columns.changeRange(slot), before: lastIndex)
    if change < 0 { return true }
    let row = slotRows[slot]
    let value = columns.slotChanges[change].value
    if row == IndexTable.none || value.isZero || tables.pointee.slots[Int(row)].value.isZero {
      return false
    }
    tables.pointee.replace(value, at: row, of: accountRows[account])
    return true
  }

  /// Takes any slot in, when all accounts are in the tables.
  func apply(slot: Int) {
    let change = last(columns.slotChanges, columns.changeRange(slot), before: lastIndex)
    let account = columns.accounts[columns.account(ofSlot: slot)]
    let number = tables.pointee.find(account.address)
    if change < 0 || number == IndexTable.none || !tables.pointee.accounts[Int(number)].exists {
      return
    }
    tables.pointee.set(
      columns.slots[slot].key, of: number, to: columns.slotChanges[change].value,
      hint: slotRows[slot])
  }
}
