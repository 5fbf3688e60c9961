public import EVM
public import Ethereum

/// The accounts of a chain, in memory.
///
/// A value: a copy is a snapshot that costs nothing until one of the two changes, which then copies
/// all tables at once. Code is shared.
public struct WorldState {
  /// One account.
  public struct Account {
    /// Transactions sent, or contracts created.
    public var nonce: UInt64
    /// Wei.
    public var balance: UInt256
    /// Keccak-256 of the code, which lies in `codes`.
    public var codeHash: Hash256
    /// Slots whose value is not zero.
    public var storage: [UInt256: UInt256]
  }

  /// The code of all accounts.
  public let codes: CodeStore
  private var memory: StateMemory

  /// A state without accounts.
  public init(codes: CodeStore = CodeStore()) {
    self.codes = codes
    memory = StateMemory(StateTables())
  }

  /// The state of an allocation.
  public init(_ allocation: Allocation, codes: CodeStore = CodeStore()) {
    self.codes = codes
    var tables = StateTables(
      accounts: allocation.accounts.count,
      slots: allocation.accounts.values.reduce(0) { $0 + $1.storage.count })
    for (address, account) in allocation.accounts {
      let number = tables.insert(address)
      let row = tables.accounts + Int(number)
      row.pointee.nonce = account.nonce
      row.pointee.balance = account.balance
      row.pointee.codeHash = codes.insert(account.code)
      row.pointee.code = codes.stored(row.pointee.codeHash)
      for (slot, value) in account.storage { tables.set(slot, of: number, to: value) }
    }
    memory = StateMemory(tables)
  }

  /// A state whose accounts are read from `source` when they are asked for first. One thread at a
  /// time may use it, and executors that share it among threads run it one transaction after the
  /// other. `accounts` and `allocation` have only what was read.
  package init(source: any StateSource, codes: CodeStore) {
    self.codes = codes
    memory = StateMemory(
      StateTables(hash: .ofProcess, pages: StatePages(source: source, codes: codes)))
  }

  /// Whether accounts are read from a source when they are asked for first.
  package var hasSource: Bool { memory.tables.pointee.pages != nil }

  /// What has changed since the source was read.
  package var delta: StateDelta { memory.tables.pointee.delta() }

  /// The accounts by address.
  public var accounts: Accounts { Accounts(memory: memory) }

  /// The accounts as tests and genesis files write them.
  public var allocation: Allocation {
    var accounts: [Address: Allocation.Account] = [:]
    for address in self.accounts.addresses {
      guard let account = self.accounts[address] else { continue }
      accounts[address] = Allocation.Account(
        nonce: account.nonce, balance: account.balance, code: codes.bytes(account.codeHash),
        storage: account.storage)
    }
    return Allocation(accounts)
  }

  /// The account as the machine asks for it.
  public func record(_ address: Address) -> AccountRecord {
    var record = AccountRecord.absent
    memory.tables.pointee.page(missing: address)
    memory.tables.pointee.read(address, into: &record)
    return record
  }

  /// The value of a storage slot.
  public func storage(_ address: Address, slot: UInt256) -> UInt256 {
    memory.tables.pointee.page(missing: address)
    let number = memory.tables.pointee.find(address)
    if memory.tables.pointee.pages != nil { memory.tables.pointee.page(missing: slot, of: number) }
    return number == IndexTable.none ? .zero : memory.tables.pointee.value(slot, of: number)
  }

  /// The tables, to be changed by this state alone. They stay where they are until the state is
  /// copied and changed again.
  mutating func ownedTables() -> UnsafeMutablePointer<StateTables> {
    if !isKnownUniquelyReferenced(&memory) {
      memory = StateMemory(memory.tables.pointee.copy())
    }
    return memory.tables
  }

  /// The tables, to be read while the state lives and nobody changes it.
  var sharedTables: UnsafeMutablePointer<StateTables> { memory.tables }

  /// Makes the copy that the first change of a copied state makes otherwise.
  package mutating func detach() { _ = ownedTables() }

  /// Adds wei to an account, creating it if need be; an account left empty is deleted when
  /// `deletesEmpty` (EIP-161).
  public mutating func credit(_ address: Address, wei: UInt256, deletesEmpty: Bool) {
    let tables = ownedTables()
    let row = Int(tables.pointee.insert(address))
    let account = tables.pointee.accounts + row
    account.pointee.balance = account.pointee.balance &+ wei
    if deletesEmpty && account.pointee.isEmpty { account.pointee.delete() }
  }

  /// Moves all wei of an account to another.
  mutating func moveBalance(from source: Address, to target: Address) {
    ownedTables().pointee.page(missing: source)
    guard let account = ownedTables().pointee.account(source),
      !account.pointee.balance.isZero
    else { return }
    let balance = account.pointee.balance
    account.pointee.balance = .zero
    credit(target, wei: balance, deletesEmpty: false)
  }

  /// Takes over what a transaction changed.
  public mutating func apply(_ journal: Journal, fork: Fork) {
    ownedTables().pointee.apply(journal, fork: fork, codes: codes)
  }

  /// Takes over what a transaction changed, from entries of its accounts and the slots that changed,
  /// each with the number of its account among the entries.
  package mutating func apply(
    _ entries: UnsafeBufferPointer<AccountEntry>,
    slots: some Sequence<(account: Int, key: UInt256, value: UInt256)>, fork: Fork
  ) {
    guard let first = entries.baseAddress else { return }
    let tables = ownedTables()
    for index in entries.indices { tables.pointee.apply(first + index, fork, codes) }
    for slot in slots {
      precondition(entries.indices.contains(slot.account), "a slot belongs to one of the accounts")
      tables.pointee.apply(
        slot.key, slot.value, place: AccountRecord.noPlace, of: first + slot.account)
    }
  }

  /// Sets a storage slot of an account that exists.
  mutating func setStorage(_ address: Address, slot: UInt256, value: UInt256) {
    let tables = ownedTables()
    tables.pointee.page(missing: address)
    let number = tables.pointee.find(address)
    if number == IndexTable.none || !tables.pointee.accounts[Int(number)].exists { return }
    tables.pointee.set(slot, of: number, to: value)
  }

  /// The root of the state trie. Storage roots are kept until the storage changes.
  public mutating func stateRoot() -> Hash256 {
    // What is only remembered is no change: states that share the tables share it.
    memory.tables.pointee.stateRoot()
  }
}

extension WorldState {
  /// The accounts of a state, looked up one at a time.
  public struct Accounts {
    let memory: StateMemory

    /// An account and all of its storage; `nil` when the state does not have it.
    public subscript(address: Address) -> Account? {
      let tables = memory.tables
      guard let row = tables.pointee.account(address) else { return nil }
      var storage: [UInt256: UInt256] = [:]
      // A storage of which a part was read has more slots than there are here.
      storage.reserveCapacity(min(Int(row.pointee.slotCount), tables.pointee.slotCount))
      tables.pointee.forEachSlot(of: UInt32(row - tables.pointee.accounts)) { storage[$0] = $1 }
      return Account(
        nonce: row.pointee.nonce, balance: row.pointee.balance, codeHash: row.pointee.codeHash,
        storage: storage)
    }

    /// The addresses of all accounts, in no order.
    public var addresses: [Address] {
      let tables = memory.tables
      return (0..<tables.pointee.accountCount).compactMap {
        let row = tables.pointee.accounts[$0]
        return row.exists ? row.address : nil
      }
    }

    /// How many accounts there are.
    public var count: Int { addresses.count }
  }
}
