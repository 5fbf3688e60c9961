public import EVM

/// What a transaction uses of the state: which cells (an account's nonce, balance, code and existence;
/// a storage slot) and how.
///
/// Cells are kept as hashes with a secret: two different cells are taken for one less than once in
/// 2^40 transactions, and that only makes a conflict where there is none.
public struct AccessSet: Sendable, Equatable {
  /// How a cell is used.
  public struct Use: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Its value decided something.
    public static let read = Use(rawValue: 1)
    /// That its value is large enough decided something.
    public static let atLeast = Use(rawValue: 2)
    /// It gets a value.
    public static let write = Use(rawValue: 4)
    /// Something is added to it, or taken from it, whatever it is.
    public static let change = Use(rawValue: 8)

    /// Whether two transactions that use a cell so need an order.
    @inline(__always)
    func conflicts(with other: Use) -> Bool {
      let both = union(other)
      if both.contains(.write) { return true }
      return both.contains(.change)
        && (contains(.change) && !other.intersection([.read, .atLeast]).isEmpty
          || other.contains(.change) && !intersection([.read, .atLeast]).isEmpty)
    }
  }

  /// A part of the state.
  public enum Cell: Hashable, Sendable {
    /// The number of transactions sent, or of contracts created.
    case nonce
    /// Wei.
    case balance
    /// Code, existence and which storage is the account's.
    case lifecycle
    /// A storage slot.
    case slot(UInt256)
  }

  /// The use of one cell.
  public struct Access: Hashable, Sendable {
    /// Whose.
    public var address: Address
    /// Which part.
    public var cell: Cell
    /// How.
    public var use: Use

    /// A use of a cell.
    public init(_ address: Address, _ cell: Cell, _ use: Use) {
      self.address = address
      self.cell = cell
      self.use = use
    }

    public func hash(into hasher: inout Hasher) {
      hasher.combine(address)
      hasher.combine(cell)
      hasher.combine(use.rawValue)
    }
  }

  /// Cells in ascending order of their hashes, each once.
  private(set) var entries: [Entry]

  struct Entry: Sendable, Equatable {
    var cell: UInt64
    var use: Use
  }

  /// The set of some accesses; several of one cell are taken together.
  public init(_ accesses: some Sequence<Access>) {
    entries = []
    for access in accesses {
      entries.append(Entry(cell: Self.hash(access.address, access.cell), use: access.use))
    }
    entries.sort { $0.cell < $1.cell }
    var kept = 0
    for index in entries.indices {
      if kept > 0 && entries[kept - 1].cell == entries[index].cell {
        entries[kept - 1].use.formUnion(entries[index].use)
      } else {
        entries[kept] = entries[index]
        kept += 1
      }
    }
    entries.removeSubrange(kept...)
  }

  /// How many cells there are.
  public var count: Int { entries.count }

  /// Whether two transactions need an order.
  public func conflicts(with other: AccessSet) -> Bool {
    var (a, b) = (0, 0)
    while a < entries.count && b < other.entries.count {
      if entries[a].cell < other.entries[b].cell {
        a += 1
      } else if entries[a].cell > other.entries[b].cell {
        b += 1
      } else {
        if entries[a].use.conflicts(with: other.entries[b].use) { return true }
        a += 1
        b += 1
      }
    }
    return false
  }

  private static let secret = StateHash()

  private static func hash(_ address: Address, _ cell: Cell) -> UInt64 {
    let account = secret(address)
    let (key, side): (UInt256, UInt64) =
      switch cell {
      case .nonce: (0, 1)
      case .balance: (1, 1)
      case .lifecycle: (2, 1)
      case .slot(let key): (key, 0)
      }
    return secret(
      UInt32(truncatingIfNeeded: account), UInt32(truncatingIfNeeded: account >> 32), key)
      ^ side &* 0x9e37_79b9_7f4a_7c15
  }
}

extension AccessSet.Access {
  /// What a transaction did, from its journal.
  static func accesses(_ journal: borrowing Journal) -> [AccessSet.Access] {
    var list: [AccessSet.Access] = []
    for index in 0..<journal.accountCount where journal.accounts[index].isLoaded {
      append(journal.accounts + index, to: &list)
    }
    for index in 0..<journal.slotCount {
      let slot = journal.slots + index
      if slot.pointee.isTransient || !slot.pointee.isLoaded { continue }
      let isChanged = slot.pointee.current != slot.pointee.original
      list.append(
        AccessSet.Access(
          journal.accounts[Int(slot.pointee.account)].address, .slot(slot.pointee.key),
          isChanged ? [.read, .write] : .read))
    }
    return list
  }

  private static func append(
    _ entry: UnsafePointer<AccountEntry>, to list: inout [AccessSet.Access]
  ) {
    let address = entry.pointee.address
    let endsLife =
      entry.pointee.isDestroyed || entry.pointee.isCreated || entry.pointee.isCodeChanged
      || entry.pointee.isTouched && entry.pointee.isEmpty
    list.append(AccessSet.Access(address, .lifecycle, endsLife ? [.read, .write] : .read))
    var nonce: AccessSet.Use = entry.pointee.observed.contains(.nonce) ? .read : []
    var balance: AccessSet.Use = entry.pointee.observed.contains(.balance) ? .read : []
    if !entry.pointee.balanceFloor.isZero { balance.insert(.atLeast) }
    if endsLife || entry.pointee.observed.contains(.emptiness) {
      nonce.insert(.read)
      if entry.pointee.nonceBefore == 0 || endsLife { balance.insert(.read) }
    }
    if entry.pointee.record.hasStorage && entry.pointee.nonceBefore == 0
      && entry.pointee.codeHash == .emptyCode && entry.pointee.isTouched
    {
      // Storage and nothing else: a touch deletes it, unless there is a nonce or a balance.
      nonce.insert(.read)
      balance.insert(.read)
    }
    if entry.pointee.nonce != entry.pointee.nonceBefore { nonce.insert(.write) }
    if entry.pointee.balance != entry.pointee.balanceBefore { balance.insert(.change) }
    if entry.pointee.isDestroyed {
      nonce.insert(.write)
      balance.insert(.write)
    }
    if !nonce.isEmpty { list.append(AccessSet.Access(address, .nonce, nonce)) }
    if !balance.isEmpty { list.append(AccessSet.Access(address, .balance, balance)) }
  }
}
