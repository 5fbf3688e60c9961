import EVM
import Ethereum

// Taking the list's values after the last transaction into the state's tables.
extension ListedBlock {
  /// Takes an account in; false when that needs a new row.
  @inline(__always)
  func applyInPlace(account: Int) -> Bool {
    let (balance, nonce, code) = lastChanges(of: account)
    if balance < 0 && nonce < 0 && code < 0 { return true }
    let number = accounts[account].row
    if number == IndexTable.none { return false }
    let row = tables.pointee.accounts + Int(number)
    if !row.pointee.exists { return false }
    apply(balance, nonce, code, to: row)
    return true
  }

  /// Takes an account in that has no row, or one of a deleted account.
  func apply(account: Int) {
    let (balance, nonce, code) = lastChanges(of: account)
    let number = tables.pointee.insert(columns.accounts[account].address)
    apply(balance, nonce, code, to: tables.pointee.accounts + Int(number))
  }

  /// The places of the last changes by transactions; -1 where there is none.
  @inline(__always)
  private func lastChanges(of account: Int) -> (balance: Int, nonce: Int, code: Int) {
    let entry = accounts + account
    return (
      entry.pointee.balances.last(before: lastIndex, in: columns.balances),
      entry.pointee.nonces.last(before: lastIndex, in: columns.nonces),
      entry.pointee.codes.last(before: lastIndex, in: columns.codes)
    )
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
  func applyInPlace(slot: Int) -> Bool {
    let change = slots[slot].changes.last(before: lastIndex, in: columns.slotChanges)
    if change < 0 { return true }
    let entry = slots + slot
    let value = columns.slotChanges[change].value
    if value.isZero || entry.pointee.value.isZero { return false }
    tables.pointee.replace(
      value, at: entry.pointee.row, of: accounts[Int(entry.pointee.account)].row)
    return true
  }

  /// Takes any slot in, when all accounts are in the tables.
  func apply(slot: Int) {
    let change = slots[slot].changes.last(before: lastIndex, in: columns.slotChanges)
    let entry = slots + slot
    let number = tables.pointee.find(accounts[Int(entry.pointee.account)].address)
    if change < 0 || number == IndexTable.none || !tables.pointee.accounts[Int(number)].exists {
      return
    }
    tables.pointee.set(
      entry.pointee.key, of: number, to: columns.slotChanges[change].value,
      hint: entry.pointee.row)
  }
}
