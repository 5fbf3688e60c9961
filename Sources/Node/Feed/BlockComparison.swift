import EVM
import Ethereum
import Execution
import Storage

/// Finds in what a sequencer's block differs from what its transactions give, and which of them is the
/// first that does.
///
/// Receipts tell of gas, status and logs. A wrong value in the state shows in none: the sequencer's list
/// of what every transaction changed, where it sends one, or else what the block changed in all and our
/// own list of who wrote it last.
struct BlockComparison {
  let header: BlockHeader
  let received: FeedBlock
  let execution: Blockchain.Execution

  /// More differences than these tell nothing new.
  private static let limit = 32

  /// All that differs, the first transaction in front, at most `limit` of them.
  func differences() -> [BlockDifference] {
    let own = execution.outcome.accessList ?? BlockAccessList()
    var found = receiptDifferences()
    let lists = accessListDifferences(own)
    found += lists
    // What the list shows by transaction the state shows again, less exactly.
    if lists.isEmpty { found += changeDifferences(own) }
    // Without a transaction comes last; within one what was wrong in the state first.
    let order = found.enumerated().sorted { a, b in
      let first = a.element.transaction ?? .max
      let second = b.element.transaction ?? .max
      if first != second { return first < second }
      let isState = (a.element.address != nil, b.element.address != nil)
      return isState.0 != isState.1 ? isState.0 : a.offset < b.offset
    }
    return Array((order.map(\.element) + headerDifferences()).prefix(Self.limit))
  }

  // MARK: The header

  private func headerDifferences() -> [BlockDifference] {
    var list: [BlockDifference] = []
    func compare<Value: Equatable>(_ field: String, _ expected: Value, _ got: Value) {
      if expected == got { return }
      list.append(
        BlockDifference(field: "header.\(field)", expected: "\(expected)", got: "\(got)"))
    }
    let outcome = execution.outcome
    compare("gasUsed", outcome.gasUsed, header.gasUsed)
    compare("receiptsRoot", outcome.receiptsRoot, header.receiptsRoot)
    if outcome.logsBloom.bytes != header.logsBloom.bytes {
      list.append(
        BlockDifference(
          field: "header.logsBloom", expected: Hexadecimal.string(outcome.logsBloom.bytes),
          got: Hexadecimal.string(header.logsBloom.bytes)))
    }
    if let used = header.blobGasUsed { compare("blobGasUsed", outcome.blobGasUsed, used) }
    if let hash = header.requestsHash {
      compare("requestsHash", outcome.requestsHash ?? .zero, hash)
    }
    compare("stateRoot", execution.layer.root, header.stateRoot)
    return list
  }

  // MARK: Receipts

  private func receiptDifferences() -> [BlockDifference] {
    guard let theirs = try? FeedBlock.receipts(received.receipts) else { return [] }
    let ours = execution.outcome.receipts
    for index in 0..<min(ours.count, theirs.count) where ours[index] != theirs[index] {
      // Later ones differ for the same reason: the gas adds up.
      return Self.differences(index, ours[index], theirs[index])
    }
    if ours.count == theirs.count { return [] }
    return [
      BlockDifference(
        field: "receipts", transaction: min(ours.count, theirs.count), expected: "\(ours.count)",
        got: "\(theirs.count)")
    ]
  }

  private static func differences(_ index: Int, _ ours: Receipt, _ theirs: Receipt)
    -> [BlockDifference]
  {
    var list: [BlockDifference] = []
    func compare<Value: Equatable>(_ field: String, _ expected: Value, _ got: Value) {
      if expected == got { return }
      list.append(
        BlockDifference(
          field: "receipt.\(field)", transaction: index, expected: "\(expected)", got: "\(got)"))
    }
    compare("type", ours.type.rawValue, theirs.type.rawValue)
    switch (ours.outcome, theirs.outcome) {
    case (.status(let ours), .status(let theirs)):
      compare("status", ours ? "0x1" : "0x0", theirs ? "0x1" : "0x0")
    default: compare("root", "\(ours.outcome)", "\(theirs.outcome)")
    }
    compare("cumulativeGasUsed", ours.cumulativeGasUsed, theirs.cumulativeGasUsed)
    compare("logs.length", ours.logs.count, theirs.logs.count)
    for (place, (mine, other)) in zip(ours.logs, theirs.logs).enumerated() {
      compare("logs[\(place)].address", mine.address, other.address)
      compare("logs[\(place)].topics", mine.topics, other.topics)
      compare(
        "logs[\(place)].data", Hexadecimal.string(mine.data), Hexadecimal.string(other.data))
    }
    return list
  }

  // MARK: What transactions changed

  /// A value that a transaction left behind.
  private struct Cell: Hashable {
    var address: Address
    var field: String
    var slot: UInt256?
    var index: UInt32
  }

  private func cells(_ list: BlockAccessList) -> [Cell: String] {
    var cells: [Cell: String] = [:]
    for account in list.accounts.indices {
      let address = list.accounts[account].address
      func note(_ field: String, _ index: UInt32, _ value: String, slot: UInt256? = nil) {
        cells[Cell(address: address, field: field, slot: slot, index: index)] = value
      }
      for slot in list.slotRange(account) {
        for change in list.slotChanges[list.changeRange(slot)] {
          note("storage", change.index, "\(change.value)", slot: list.slots[slot].key)
        }
      }
      for change in list.balances[list.balanceRange(account)] {
        note("balance", change.index, "\(change.value)")
      }
      for change in list.nonces[list.nonceRange(account)] {
        note("nonce", change.index, "\(change.nonce)")
      }
      for change in list.codes[list.codeRange(account)] {
        note("code", change.index, Hexadecimal.string(change.code))
      }
    }
    return cells
  }

  private func accessListDifferences(_ own: BlockAccessList) -> [BlockDifference] {
    guard !received.accessList.isEmpty,
      let theirs = try? BlockAccessList(decoding: received.accessList), theirs != own
    else { return [] }
    let ours = cells(own)
    let others = cells(theirs)
    var list: [BlockDifference] = []
    for cell in Set(ours.keys).union(others.keys) where ours[cell] != others[cell] {
      list.append(
        BlockDifference(
          field: cell.field, transaction: transaction(cell.index), address: cell.address,
          slot: cell.slot, expected: ours[cell] ?? "no change", got: others[cell] ?? "no change"))
    }
    return list.sorted {
      ($0.transaction ?? .max, $0.address?.word ?? .zero, $0.slot ?? .zero)
        < ($1.transaction ?? .max, $1.address?.word ?? .zero, $1.slot ?? .zero)
    }
  }

  /// The place of a transaction by its index in an access list; `nil` for what comes before the first
  /// or after the last.
  private func transaction(_ index: UInt32) -> Int? {
    index == 0 || Int(index) > execution.prepared.transactions.count ? nil : Int(index) - 1
  }

  // MARK: What the block changed

  private func changeDifferences(_ own: BlockAccessList) -> [BlockDifference] {
    guard !received.changes.isEmpty,
      let theirs = try? withBytes(
        received.changes, { (buffer) throws(FormatError) in try StateChanges(RLPItem(buffer)) })
    else { return [] }
    let ours = StateChanges(execution.layer)
    let names = Names(own)
    return slotDifferences(ours, theirs, names) + accountDifferences(ours, theirs, names)
  }

  private func slotDifferences(
    _ ours: StateChanges, _ theirs: StateChanges, _ names: Names
  ) -> [BlockDifference] {
    struct Place: Hashable {
      var account: Hash256
      var slot: Hash256
    }
    func table(_ changes: StateChanges) -> [Place: UInt256] {
      var table: [Place: UInt256] = [:]
      for slot in changes.slots {
        table[Place(account: slot.account, slot: slot.slot)] = slot.value
      }
      return table
    }
    let mine = table(ours)
    let other = table(theirs)
    var list: [BlockDifference] = []
    for place in Set(mine.keys).union(other.keys) where mine[place] != other[place] {
      let account = names.accounts[place.account]
      let slot = account.flatMap { names.slots($0, place.slot) }
      list.append(
        BlockDifference(
          field: "storage", transaction: slot?.writer.flatMap(transaction),
          address: account.map { names.list.accounts[$0].address }, slot: slot?.key,
          key: account == nil ? place.account : slot == nil ? place.slot : nil,
          expected: mine[place].map { "\($0)" } ?? "no change",
          got: other[place].map { "\($0)" } ?? "no change"))
    }
    return list
  }

  private func accountDifferences(
    _ ours: StateChanges, _ theirs: StateChanges, _ names: Names
  ) -> [BlockDifference] {
    func table(_ changes: StateChanges) -> [Hash256: StateChanges.AccountValue] {
      var table: [Hash256: StateChanges.AccountValue] = [:]
      for account in changes.accounts { table[account.key] = account.value }
      return table
    }
    let mine = table(ours)
    let other = table(theirs)
    var list: [BlockDifference] = []
    for key in Set(mine.keys).union(other.keys) where mine[key] != other[key] {
      let account = names.accounts[key]
      func compare<Value: Equatable>(
        _ field: String, _ writer: UInt32?, _ value: (StateChanges.AccountValue) -> Value
      ) {
        let expected = mine[key].map(value)
        let got = other[key].map(value)
        if expected == got { return }
        list.append(
          BlockDifference(
            field: field, transaction: writer.flatMap(transaction),
            address: account.map { names.list.accounts[$0].address },
            key: account == nil ? key : nil, expected: expected.map { "\($0)" } ?? "no account",
            got: got.map { "\($0)" } ?? "no account"))
      }
      compare("balance", account.flatMap(names.balanceWriter)) { $0.balance }
      compare("nonce", account.flatMap(names.nonceWriter)) { $0.nonce }
      compare("codeHash", account.flatMap(names.codeWriter)) { $0.codeHash }
    }
    return list
  }

  /// The names behind the hashes of keys, and who wrote last, by our own access list.
  private struct Names {
    let list: BlockAccessList
    /// The places in the list of accounts, by the hashes of their addresses.
    let accounts: [Hash256: Int]

    init(_ list: BlockAccessList) {
      self.list = list
      var accounts: [Hash256: Int] = [:]
      for (place, account) in list.accounts.enumerated() {
        accounts[Keccak256.hash(account.address)] = place
      }
      self.accounts = accounts
    }

    /// A slot of an account by its key's hash, with the index of who wrote it last.
    func slots(_ account: Int, _ hash: Hash256) -> (key: UInt256, writer: UInt32?)? {
      for slot in list.slotRange(account) where Keccak256.hash(list.slots[slot].key) == hash {
        return (list.slots[slot].key, list.slotChanges[list.changeRange(slot)].last?.index)
      }
      for key in list.reads[list.readRange(account)] where Keccak256.hash(key) == hash {
        return (key, nil)
      }
      return nil
    }

    func balanceWriter(_ account: Int) -> UInt32? {
      list.balances[list.balanceRange(account)].last?.index
    }
    func nonceWriter(_ account: Int) -> UInt32? {
      list.nonces[list.nonceRange(account)].last?.index
    }
    func codeWriter(_ account: Int) -> UInt32? {
      list.codes[list.codeRange(account)].last?.index
    }
  }
}
