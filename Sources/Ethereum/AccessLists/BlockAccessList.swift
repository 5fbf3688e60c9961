public import EVM

/// The accounts and slots that a block reads or changes, with every value that a transaction leaves
/// behind (EIP-7928).
///
/// Index 0 stands for what comes before the transactions, 1 for the first of them, and so on; the
/// number behind the last one stands for what comes after them. A list has columns, so that one of a
/// hundred thousand accounts is a few arrays: an account's part of a column ends where the next one's
/// begins.
public struct BlockAccessList: Hashable, Sendable {
  /// An account, and where its part of each column ends.
  public struct Account: Hashable, Sendable {
    /// The account.
    public var address: Address
    package var slotEnd: UInt32 = 0
    package var readEnd: UInt32 = 0
    package var balanceEnd: UInt32 = 0
    package var nonceEnd: UInt32 = 0
    package var codeEnd: UInt32 = 0

    package init(address: Address) { self.address = address }
  }

  /// A slot that changes, and where its changes end.
  public struct Slot: Hashable, Sendable {
    /// The slot's number.
    public var key: UInt256
    package var changeEnd: UInt32
  }

  /// A slot's value, or a balance in wei, after a transaction.
  public struct WordChange: Hashable, Sendable {
    /// Which transaction.
    public var index: UInt32
    /// The value after it.
    public var value: UInt256

    /// A change of these values.
    public init(index: UInt32, value: UInt256) {
      self.index = index
      self.value = value
    }
  }

  /// A nonce after a transaction.
  public struct NonceChange: Hashable, Sendable {
    /// Which transaction.
    public var index: UInt32
    /// The nonce after it.
    public var nonce: UInt64

    /// A change of these values.
    public init(index: UInt32, nonce: UInt64) {
      self.index = index
      self.nonce = nonce
    }
  }

  /// Code after a transaction.
  public struct CodeChange: Hashable, Sendable {
    /// Which transaction.
    public var index: UInt32
    /// The code after it.
    public var code: [UInt8]

    /// A change of these values.
    public init(index: UInt32, code: [UInt8]) {
      self.index = index
      self.code = code
    }
  }

  /// The accounts, by address.
  public package(set) var accounts: [Account] = []
  /// The slots that change, by account and number.
  public package(set) var slots: [Slot] = []
  /// Their values, by slot and index.
  public package(set) var slotChanges: [WordChange] = []
  /// The slots that are only read, by account and number.
  public package(set) var reads: [UInt256] = []
  /// The balances, by account and index.
  public package(set) var balances: [WordChange] = []
  /// The nonces, by account and index.
  public package(set) var nonces: [NonceChange] = []
  /// The codes, by account and index.
  public package(set) var codes: [CodeChange] = []

  /// A list of no accounts.
  public init() {}

  /// Where an account's slots are.
  package func slotRange(_ account: Int) -> Range<Int> { range(account) { $0.slotEnd } }
  /// Where an account's slots that are only read are.
  package func readRange(_ account: Int) -> Range<Int> { range(account) { $0.readEnd } }
  /// Where an account's balances are.
  package func balanceRange(_ account: Int) -> Range<Int> { range(account) { $0.balanceEnd } }
  /// Where an account's nonces are.
  package func nonceRange(_ account: Int) -> Range<Int> { range(account) { $0.nonceEnd } }
  /// Where an account's codes are.
  package func codeRange(_ account: Int) -> Range<Int> { range(account) { $0.codeEnd } }

  /// Where a slot's changes are.
  package func changeRange(_ slot: Int) -> Range<Int> {
    (slot == 0 ? 0 : Int(slots[slot - 1].changeEnd))..<Int(slots[slot].changeEnd)
  }

  @inline(__always)
  private func range(_ account: Int, _ end: (Account) -> UInt32) -> Range<Int> {
    (account == 0 ? 0 : Int(end(accounts[account - 1])))..<Int(end(accounts[account]))
  }

  /// What a block's gas has to pay for: accounts and slots.
  public var itemCount: Int { accounts.count + slots.count + reads.count }

  /// Gas of the block's limit for each item.
  public static var itemGas: UInt64 { 2000 }
}

// MARK: Building

extension BlockAccessList {
  /// Begins an account, whose columns follow; accounts come by address.
  package mutating func begin(_ address: Address) { accounts.append(Account(address: address)) }

  /// Adds a slot that changes to the account begun last.
  package mutating func append(slot key: UInt256, changes: some Sequence<WordChange>) {
    slotChanges.append(contentsOf: changes)
    slots.append(Slot(key: key, changeEnd: UInt32(slotChanges.count)))
  }

  /// Ends the account begun last.
  package mutating func end() {
    let last = accounts.count - 1
    accounts[last].slotEnd = UInt32(slots.count)
    accounts[last].readEnd = UInt32(reads.count)
    accounts[last].balanceEnd = UInt32(balances.count)
    accounts[last].nonceEnd = UInt32(nonces.count)
    accounts[last].codeEnd = UInt32(codes.count)
  }
}

// MARK: Accounts one by one

extension BlockAccessList {
  /// An account with all that the list says of it.
  public struct AccountChanges: Hashable, Sendable {
    /// The account.
    public var address: Address
    /// The slots that change, by number, each with its values.
    public var storageChanges: [(slot: UInt256, changes: [WordChange])] = []
    /// The slots that are only read, by number.
    public var storageReads: [UInt256] = []
    /// The balances, in wei.
    public var balanceChanges: [WordChange] = []
    /// The nonces.
    public var nonceChanges: [NonceChange] = []
    /// The codes.
    public var codeChanges: [CodeChange] = []

    /// An account of which nothing changes.
    public init(_ address: Address) { self.address = address }

    /// Whether both say the same.
    public static func == (a: AccountChanges, b: AccountChanges) -> Bool {
      a.address == b.address && a.storageChanges.elementsEqual(b.storageChanges, by: ==)
        && a.storageReads == b.storageReads && a.balanceChanges == b.balanceChanges
        && a.nonceChanges == b.nonceChanges && a.codeChanges == b.codeChanges
    }

    /// Feeds the address.
    public func hash(into hasher: inout Hasher) { hasher.combine(address) }
  }

  /// A list of accounts as they are given, in whatever order.
  public init(_ accounts: [AccountChanges]) {
    for account in accounts {
      begin(account.address)
      for slot in account.storageChanges { append(slot: slot.slot, changes: slot.changes) }
      reads += account.storageReads
      balances += account.balanceChanges
      nonces += account.nonceChanges
      codes += account.codeChanges
      end()
    }
  }

  /// The accounts one by one.
  public var accountChanges: [AccountChanges] {
    accounts.indices.map { account in
      var changes = AccountChanges(accounts[account].address)
      changes.storageChanges = slotRange(account).map {
        (slots[$0].key, Array(slotChanges[changeRange($0)]))
      }
      changes.storageReads = Array(reads[readRange(account)])
      changes.balanceChanges = Array(balances[balanceRange(account)])
      changes.nonceChanges = Array(nonces[nonceRange(account)])
      changes.codeChanges = Array(codes[codeRange(account)])
      return changes
    }
  }
}
