package import EVM

/// Where a state that is read account by account comes from: a database, or a part of one.
///
/// Answers never change while a state reads from it.
package protocol StateSource: AnyObject {
  /// An account; `nil` when there is none.
  func account(_ address: Address) -> SourceAccount?
  /// A slot of an account; zero when it was never set.
  func slot(_ key: UInt256, of address: Address) -> UInt256
  /// The code with this hash, which some account has.
  func code(_ hash: Hash256) -> [UInt8]
  /// The state root after changes (receipts before Byzantium hold one).
  func stateRoot(after delta: StateDelta) -> Hash256
}

/// An account as a source has it.
package struct SourceAccount: BitwiseCopyable, Sendable, Equatable {
  /// Transactions sent, or contracts created.
  package var nonce: UInt64
  /// Wei.
  package var balance: UInt256
  /// Keccak-256 of the code.
  package var codeHash: Hash256
  /// Whether any slot is not zero.
  package var hasStorage: Bool

  /// An account of these values.
  package init(nonce: UInt64, balance: UInt256, codeHash: Hash256, hasStorage: Bool) {
    self.nonce = nonce
    self.balance = balance
    self.codeHash = codeHash
    self.hasStorage = hasStorage
  }
}

/// What a block changed, by addresses, with what was there before.
package struct StateDelta: Sendable {
  /// One account.
  package struct Account: Sendable {
    /// Whose it is.
    package var address: Address
    /// What it was.
    package var before: SourceAccount?
    /// What it is; `hasStorage` means nothing.
    package var after: SourceAccount?
    /// Whether its storage was emptied before the slots were set.
    package var wipesStorage: Bool
    /// Its slots in `slots`.
    package var slots: Range<Int>

    /// The change of an account.
    package init(
      address: Address, before: SourceAccount?, after: SourceAccount?, wipesStorage: Bool = false,
      slots: Range<Int> = 0..<0
    ) {
      self.address = address
      self.before = before
      self.after = after
      self.wipesStorage = wipesStorage
      self.slots = slots
    }
  }

  /// The accounts that changed, or whose slots did; none twice.
  package var accounts: [Account] = []
  /// Slots, grouped by account: `before` is zero in a storage that was emptied.
  package var slots: [(key: UInt256, before: UInt256, after: UInt256)] = []
  /// Code that came to be.
  package var codes: [(hash: Hash256, bytes: [UInt8])] = []

  /// Nothing.
  package init() {}
}

/// What was read from a source, by the numbers of the rows.
final class StatePages {
  let source: any StateSource
  let codes: CodeStore
  /// Held by whoever reads from the source while several machines run.
  let sharing = SpinLock()
  /// The accounts as they were; `nil` where there was none.
  var accounts: [SourceAccount?] = []
  /// The slots as they were; those of an emptied storage are zero.
  var slots: [UInt256] = []

  init(source: any StateSource, codes: CodeStore) {
    self.source = source
    self.codes = codes
  }

  func copy() -> StatePages {
    let copy = StatePages(source: source, codes: codes)
    copy.accounts = accounts
    copy.slots = slots
    return copy
  }
}

extension StateTables {
  /// How many slots a storage is taken to have that was not counted: never reached by clearing
  /// those that are known.
  private static var uncounted: UInt32 { 1 << 30 }

  /// Reads an account that has no row, if there is a source.
  mutating func page(missing address: Address) {
    if pages != nil, find(address) == IndexTable.none { _ = page(address) }
  }

  /// Reads an account that has no row; gives its number.
  @inline(never)
  mutating func page(_ address: Address) -> UInt32 {
    guard let pages else { preconditionFailure("a state without a source has all of its rows") }
    var row = AccountRow(address)
    let found = pages.source.account(address)
    if let found {
      row.nonce = found.nonce
      row.balance = found.balance
      row.codeHash = found.codeHash
      row.slotCount = found.hasStorage ? Self.uncounted : 0
      if found.codeHash != .emptyCode {
        row.code = pages.codes.shared(found.codeHash)
        if row.code == nil {
          row.code = pages.source.code(found.codeHash).withUnsafeBufferPointer {
            pages.codes.insertShared($0, hash: found.codeHash)
          }
        }
      }
    } else {
      row.exists = false
    }
    pages.accounts.append(found)
    return append(row)
  }

  /// Reads a slot that has no row, unless the storage was emptied.
  mutating func page(missing key: UInt256, of account: UInt32) {
    guard account != IndexTable.none, accounts[Int(account)].epoch == 0,
      find(key, of: account) == IndexTable.none
    else { return }
    _ = page(key, of: account)
  }

  /// Reads a slot that has no row; gives the row's number.
  @inline(never)
  mutating func page(_ key: UInt256, of account: UInt32) -> UInt32 {
    guard let pages else { preconditionFailure("a state without a source has all of its rows") }
    let owner = accounts + Int(account)
    let value =
      owner.pointee.slotCount == 0 || pages.accounts[Int(account)]?.hasStorage != true
      ? .zero : pages.source.slot(key, of: owner.pointee.address)
    append(key, value, of: account, before: value)
    return UInt32(slotCount - 1)
  }

  /// `page` while several machines run, which look accounts up meanwhile; `IndexTable.none` when there
  /// is no room: `reserve` makes it.
  mutating func pageShared(_ address: Address) -> UInt32 {
    guard let pages else { return IndexTable.none }
    pages.sharing.lock()
    defer { pages.sharing.unlock() }
    let known = find(address)
    return known == IndexTable.none && hasRoomForAccount ? page(address) : known
  }

  /// The same of a slot.
  mutating func pageShared(_ key: UInt256, of account: UInt32) -> UInt32 {
    guard let pages else { return IndexTable.none }
    pages.sharing.lock()
    defer { pages.sharing.unlock() }
    let known = find(key, of: account)
    return known == IndexTable.none && hasRoomForSlot ? page(key, of: account) : known
  }

  /// `read` while several machines run: from the source what was not read before. What finds no room is
  /// taken for absent.
  mutating func readShared(_ address: Address, into record: inout AccountRecord) {
    read(address, into: &record)
    if record.place != IndexTable.none || pages == nil { return }
    if pageShared(address) != IndexTable.none { read(address, into: &record) }
  }

  /// The same of a slot.
  mutating func readShared(
    _ key: UInt256, of account: UInt32, into record: inout StorageRecord
  ) {
    read(key, of: account, into: &record)
    if record.place != IndexTable.none || pages == nil || account == IndexTable.none
      || accounts[Int(account)].epoch != 0
    {
      return
    }
    if pageShared(key, of: account) != IndexTable.none { read(key, of: account, into: &record) }
  }

  /// What differs from the source.
  func delta() -> StateDelta {
    guard let pages else { preconditionFailure("a state without a source has no origin") }
    var delta = StateDelta()
    // Rows of slots by account: numbers of changed ones.
    var changed: [UInt32: [Int]] = [:]
    for number in 0..<slotCount {
      let row = slots[number]
      if row.epoch != accounts[Int(row.account)].epoch { continue }
      if row.value != pages.slots[number] { changed[row.account, default: []].append(number) }
    }
    var isKnown: Set<Hash256> = []
    for number in 0..<accountCount {
      let row = accounts[number]
      let before = pages.accounts[number]
      let wipes = row.epoch != 0 && before?.hasStorage == true
      let rows = row.exists ? changed[UInt32(number)] ?? [] : []
      var after: SourceAccount?
      if row.exists {
        after = SourceAccount(
          nonce: row.nonce, balance: row.balance, codeHash: row.codeHash,
          hasStorage: before?.hasStorage ?? false)
      }
      if after == before && rows.isEmpty && !wipes { continue }
      let first = delta.slots.count
      for index in rows {
        delta.slots.append((slots[index].key, pages.slots[index], slots[index].value))
      }
      delta.accounts.append(
        StateDelta.Account(
          address: row.address, before: before, after: after, wipesStorage: wipes,
          slots: first..<delta.slots.count))
      if let after, after.codeHash != before?.codeHash, after.codeHash != .emptyCode,
        isKnown.insert(after.codeHash).inserted, let code = pages.codes[after.codeHash]
      {
        delta.codes.append(
          (after.codeHash, [UInt8](UnsafeBufferPointer(start: code.bytes, count: code.count))))
      }
    }
    return delta
  }
}
