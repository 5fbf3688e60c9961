import EVM
import Ethereum

/// Puts the access list of a block together from what its transactions and system calls read and
/// changed, given in their order (EIP-7928).
///
/// Balances come as changes, and the list is made when the block is over: each balance then follows
/// from the last one.
final class AccessListRecorder {
  private struct AccountRow {
    let address: Address
    var balances = Chain()
    var nonces = Chain()
    var codes = Chain()
    var firstSlot = AccessListRecorder.none
  }

  private struct SlotRow {
    let account: UInt32
    let key: UInt256
    /// The next slot of the same account.
    let next: UInt32
    var changes = Chain()
  }

  /// The first and the last of the changes of one thing.
  private struct Chain {
    var first = AccessListRecorder.none
    var last = AccessListRecorder.none
  }

  /// What something is after a transaction; a balance: what it changed by.
  private struct Change {
    let index: UInt32
    var next = AccessListRecorder.none
    var value: UInt256
    /// A slot's value before the transaction.
    let before: UInt256
  }

  private static let none = UInt32.max

  private let hash = StateHash()
  private var accounts: [AccountRow] = []
  private var slots: [SlotRow] = []
  private var changes: [Change] = []
  private var codes: [[UInt8]] = []
  private var accountTable = IndexTable(rows: 1024)
  private var slotTable = IndexTable(rows: 1024)
  private var places: [UInt32] = []
  private var slab = Slab()

  /// Notes what a journal says of the transaction or call with this index. `codeHash` says which code
  /// an account had before.
  func record(
    _ journal: UnsafePointer<Journal>, index: UInt32,
    codeHash: (UnsafePointer<AccountEntry>) -> Hash256
  ) {
    slab.reset()
    record(AccessNotes(journal, &slab, codeHash: codeHash), index: index)
  }

  /// Takes notes of the transaction or call with this index over.
  func record(_ notes: AccessNotes, index: UInt32) {
    places.removeAll(keepingCapacity: true)
    for account in notes.accounts {
      let place = place(of: account.address)
      places.append(place)
      if !account.balanceChange.isZero {
        add(account.balanceChange, to: &accounts[Int(place)].balances, index)
      }
      if let nonce = account.nonce {
        set(UInt256(nonce), before: .zero, in: &accounts[Int(place)].nonces, index)
      }
      if let code = account.code {
        codes.append([UInt8](code))
        set(
          UInt256(UInt64(codes.count - 1)), before: .zero, in: &accounts[Int(place)].codes, index)
      }
    }
    for slot in notes.slots {
      let place = self.place(of: slot.key, account: places[Int(slot.account)])
      if slot.before != slot.after {
        set(slot.after, before: slot.before, in: &slots[Int(place)].changes, index)
      }
    }
  }

  /// Notes that an account gets wei, or none.
  func credit(_ address: Address, wei: UInt256, index: UInt32) {
    let place = place(of: address)
    if !wei.isZero { add(wei, to: &accounts[Int(place)].balances, index) }
  }

  private func place(of address: Address) -> UInt32 {
    let place = accountTable.find(hash(address)) { accounts[Int($0)].address == address }
    if place != IndexTable.none { return place }
    if accounts.count == accountTable.capacity {
      accountTable = IndexTable(rows: accounts.count * 4)
      for (place, row) in accounts.enumerated() {
        accountTable.insert(hash(row.address), UInt32(place))
      }
    }
    accounts.append(AccountRow(address: address))
    accountTable.insert(hash(address), UInt32(accounts.count - 1))
    return UInt32(accounts.count - 1)
  }

  private func place(of key: UInt256, account: UInt32) -> UInt32 {
    let place = slotTable.find(hash(account, 0, key)) {
      slots[Int($0)].key == key && slots[Int($0)].account == account
    }
    if place != IndexTable.none { return place }
    if slots.count == slotTable.capacity {
      slotTable = IndexTable(rows: slots.count * 4)
      for (place, row) in slots.enumerated() {
        slotTable.insert(hash(row.account, 0, row.key), UInt32(place))
      }
    }
    slots.append(SlotRow(account: account, key: key, next: accounts[Int(account)].firstSlot))
    let added = UInt32(slots.count - 1)
    accounts[Int(account)].firstSlot = added
    slotTable.insert(hash(account, 0, key), added)
    return added
  }

  /// Adds to what a balance changes by.
  private func add(_ amount: UInt256, to chain: inout Chain, _ index: UInt32) {
    if chain.last != Self.none && changes[Int(chain.last)].index == index {
      let value = changes[Int(chain.last)].value
      changes[Int(chain.last)].value = value &+ amount
    } else {
      append(Change(index: index, value: amount, before: .zero), to: &chain)
    }
  }

  /// Sets what something is after a transaction or call; several calls share an index.
  private func set(
    _ value: UInt256, before: UInt256, in chain: inout Chain, _ index: UInt32
  ) {
    if chain.last != Self.none && changes[Int(chain.last)].index == index {
      changes[Int(chain.last)].value = value
    } else {
      append(Change(index: index, value: value, before: before), to: &chain)
    }
  }

  private func append(_ change: Change, to chain: inout Chain) {
    let place = UInt32(changes.count)
    changes.append(change)
    if chain.last == Self.none {
      chain.first = place
    } else {
      changes[Int(chain.last)].next = place
    }
    chain.last = place
  }

  // MARK: The list

  /// The block's list. `balance` says what an account has after the block, in wei.
  func list(balance: (Address) -> UInt256) -> BlockAccessList {
    var list = BlockAccessList()
    let order = accounts.indices.sorted { accounts[$0].address.word < accounts[$1].address.word }
    var own: [UInt32] = []
    for account in order {
      let row = accounts[account]
      list.begin(row.address)
      own.removeAll(keepingCapacity: true)
      var slot = row.firstSlot
      while slot != Self.none {
        own.append(slot)
        slot = slots[Int(slot)].next
      }
      own.sort { slots[Int($0)].key < slots[Int($1)].key }
      for slot in own { append(slots[Int(slot)], to: &list) }
      append(balances: row, to: &list, balance)
      forEach(row.nonces) {
        list.nonces.append(.init(index: $0.index, nonce: $0.value.limb0))
      }
      forEach(row.codes) {
        list.codes.append(.init(index: $0.index, code: codes[Int($0.value.limb0)]))
      }
      list.end()
    }
    return list
  }

  private func append(_ slot: SlotRow, to list: inout BlockAccessList) {
    var values: [BlockAccessList.WordChange] = []
    forEach(slot.changes) {
      // Two calls with one index can undo each other.
      if $0.value != $0.before { values.append(.init(index: $0.index, value: $0.value)) }
    }
    if values.isEmpty {
      list.reads.append(slot.key)
    } else {
      list.append(slot: slot.key, changes: values)
    }
  }

  private func append(
    balances row: AccountRow, to list: inout BlockAccessList, _ balance: (Address) -> UInt256
  ) {
    if row.balances.first == Self.none { return }
    var all = UInt256.zero
    forEach(row.balances) { all = all &+ $0.value }
    var now = balance(row.address) &- all
    forEach(row.balances) {
      if $0.value.isZero { return }
      now = now &+ $0.value
      list.balances.append(.init(index: $0.index, value: now))
    }
  }

  private func forEach(_ chain: Chain, _ body: (Change) -> Void) {
    var place = chain.first
    while place != Self.none {
      body(changes[Int(place)])
      place = changes[Int(place)].next
    }
  }
}
