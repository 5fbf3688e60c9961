import EVM

/// What one transaction or system call read and changed, as the access list of its block wants to
/// know it. The memory is a slab's.
struct AccessNotes {
  /// An account that was read.
  struct Account {
    let address: Address
    /// What the balance changed by, modulo 2^256: what it is after depends on all before.
    var balanceChange: UInt256
    /// The nonce after, where it changed.
    var nonce: UInt64?
    /// The code after, where it changed.
    var code: UnsafeBufferPointer<UInt8>?
  }

  /// A slot that was read.
  struct Slot {
    /// Its account's place among the notes.
    let account: UInt32
    let key: UInt256
    let before: UInt256
    let after: UInt256
  }

  let accounts: UnsafeBufferPointer<Account>
  let slots: UnsafeBufferPointer<Slot>

  /// Takes notes of a journal. `codeHash` says which code an account had before.
  init(
    _ journal: UnsafePointer<Journal>, _ slab: inout Slab,
    codeHash: (UnsafePointer<AccountEntry>) -> Hash256
  ) {
    let accountCount = journal.pointee.accountCount
    let places = slab.allocate(UInt32.self, count: accountCount)
    let accounts = slab.allocate(Account.self, count: accountCount)
    var count = 0
    for index in 0..<accountCount where journal.pointee.accounts[index].isLoaded {
      let entry = journal.pointee.accounts + index
      (accounts + count).initialize(to: Self.note(entry, &slab, codeHash))
      places[index] = UInt32(count)
      count += 1
    }
    self.accounts = UnsafeBufferPointer(start: accounts, count: count)
    let slots = slab.allocate(Slot.self, count: journal.pointee.slotCount)
    count = 0
    for index in 0..<journal.pointee.slotCount {
      let slot = journal.pointee.slots + index
      if slot.pointee.isTransient || !slot.pointee.isLoaded { continue }
      // What a destroyed account wrote is gone with it: its slots were zero before.
      let isDestroyed = journal.pointee.accounts[Int(slot.pointee.account)].isDestroyed
      (slots + count).initialize(
        to: Slot(
          account: places[Int(slot.pointee.account)], key: slot.pointee.key,
          before: slot.pointee.original,
          after: isDestroyed ? slot.pointee.original : slot.pointee.current))
      count += 1
    }
    self.slots = UnsafeBufferPointer(start: slots, count: count)
  }

  private static func note(
    _ entry: UnsafeMutablePointer<AccountEntry>, _ slab: inout Slab,
    _ codeHash: (UnsafePointer<AccountEntry>) -> Hash256
  ) -> Account {
    let isDestroyed = entry.pointee.isDestroyed
    let nonce = isDestroyed ? 0 : entry.pointee.nonce
    let balance = isDestroyed ? .zero : entry.pointee.balance
    var account = Account(
      address: entry.pointee.address, balanceChange: balance &- entry.pointee.balanceBefore,
      nonce: nonce == entry.pointee.nonceBefore ? nil : nonce)
    if entry.pointee.isCodeChanged && !isDestroyed
      && codeHash(entry) != entry.pointee.codeHash
    {
      let code = entry.pointee.changedCode
      let copy = slab.allocate(UInt8.self, count: code.count)
      if let start = code.baseAddress { copy.update(from: start, count: code.count) }
      account.code = UnsafeBufferPointer(start: copy, count: code.count)
    }
    return account
  }
}
