package import EVM
package import Execution

extension TransactionRecords {
  /// Takes over into a state what the transaction changed, as `WorldState.apply` does for a journal.
  ///
  /// The records were selected with `changes` or `reads`; the state is the one on which the
  /// transaction ran, so that what the records do not name is as the state has it.
  package func apply(to state: inout WorldState, fork: Fork) {
    // All codes in one block, which the entries point into.
    let codes = UnsafeMutableBufferPointer<UInt8>.allocate(
      capacity: accounts.reduce(0) { $0 + ($1.code?.count ?? 0) } + 1)
    defer { codes.deallocate() }
    var position = codes.baseAddress!
    var entries: [AccountEntry] = []
    entries.reserveCapacity(accounts.count)
    for account in accounts {
      // What was not asked of the state has no values, and none are taken from the entry.
      var record =
        account.flags.contains(.loaded) ? state.record(account.address) : AccountRecord.absent
      record.nonce = account.nonce ?? record.nonce
      record.balance = account.balance ?? record.balance
      record.codeHash = account.codeHash ?? record.codeHash
      var flags = account.flags
      let code = account.code ?? []
      // Code that was set but is the same as before is not among the records.
      if account.code == nil { flags.remove(.codeChanged) }
      position.update(from: code, count: code.count)
      entries.append(
        AccountEntry(
          address: account.address, flags: flags, record: record,
          code: Code(bytes: position, jumpDestinations: position, count: code.count)))
      position += code.count
    }
    entries.withUnsafeBufferPointer { entries in
      state.apply(
        entries,
        slots: slots.lazy.compactMap { slot in
          slot.value.map { (slot.account, slot.key, $0) }
        }, fork: fork)
    }
  }
}
