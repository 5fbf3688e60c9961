import EVM
import Testing

@testable import Execution

/// The tables of accounts and slots, by themselves.
@Suite struct StateTablesTests {
  private static let none = IndexTable.none

  private func contents(_ tables: borrowing StateTables, _ account: UInt32) -> [UInt256: UInt256] {
    var all: [UInt256: UInt256] = [:]
    tables.forEachSlot(of: account) { all[$0] = $1 }
    return all
  }

  @Test func insertedAccountsAreFound() {
    var tables = StateTables()
    #expect(tables.find(Address(number: 1)) == Self.none)
    #expect(tables.insert(Address(number: 1)) == 0)
    #expect(tables.insert(Address(number: 2)) == 1)
    #expect(tables.insert(Address(number: 1)) == 0)
    #expect(tables.find(Address(number: 2)) == 1)
    #expect(tables.account(Address(number: 3)) == nil)
    #expect(tables.accountCount == 2)
    // Every part of an address counts.
    let base = UInt256(5, 6, 7, 0)
    for other in [UInt256(4, 6, 7, 0), UInt256(5, 7, 7, 0), UInt256(5, 6, 8, 0)] {
      _ = tables.insert(Address(base))
      #expect(tables.find(Address(other)) == Self.none)
    }
  }

  @Test func hintsAreVerified() {
    var tables = StateTables()
    let first = tables.insert(Address(number: 1))
    let second = tables.insert(Address(number: 2))
    for hint in [first, second, 7, Self.none] {
      #expect(tables.find(Address(number: 2), hint: hint) == second)
    }
    tables.set(1, of: first, to: 10)
    tables.set(2, of: first, to: 20)
    tables.set(1, of: second, to: 30)
    for hint in [0, 1, 2, 3, Self.none] { tables.set(2, of: first, to: 21, hint: hint) }
    #expect(contents(tables, first) == [1: 10, 2: 21])
    #expect(contents(tables, second) == [1: 30])
    #expect(tables.slotCount == 3)
  }

  @Test func slotsAreOverwrittenAndDeleted() {
    var tables = StateTables()
    let account = tables.insert(Address(number: 1))
    tables.set(7, of: account, to: 0)
    #expect(tables.slotCount == 0)
    tables.set(7, of: account, to: 1)
    tables.set(7, of: account, to: 2)
    #expect(tables.value(7, of: account) == 2)
    #expect(tables.accounts[Int(account)].slotCount == 1)
    tables.set(7, of: account, to: 0)
    #expect(tables.value(7, of: account) == 0)
    #expect(tables.accounts[Int(account)].slotCount == 0)
    #expect(contents(tables, account) == [:])
    tables.set(7, of: account, to: 3)
    #expect(contents(tables, account) == [7: 3])
    #expect(tables.slotCount == 1)
  }

  @Test func wipedStorageIsGoneAndBeginsAnew() {
    var tables = StateTables()
    let account = tables.insert(Address(number: 1))
    let other = tables.insert(Address(number: 2))
    for key in 0..<100 as Range<UInt64> {
      tables.set(UInt256(key), of: account, to: 5)
      tables.set(UInt256(key), of: other, to: 6)
    }
    tables.accounts[Int(account)].wipeStorage()
    #expect(tables.value(3, of: account) == 0)
    #expect(contents(tables, account) == [:])
    #expect(contents(tables, other).count == 100)
    tables.set(3, of: account, to: 9)
    #expect(contents(tables, account) == [3: 9])
    #expect(tables.value(3, of: other) == 6)
  }

  @Test func deletedAccountsComeBackEmpty() {
    var tables = StateTables()
    let account = tables.insert(Address(number: 1))
    tables.accounts[Int(account)].nonce = 3
    tables.accounts[Int(account)].balance = 4
    tables.accounts[Int(account)].codeHash = .zero
    tables.set(1, of: account, to: 1)
    tables.accounts[Int(account)].delete()
    #expect(tables.account(Address(number: 1)) == nil)
    var record = AccountRecord.absent
    tables.read(Address(number: 1), into: &record)
    record.place = AccountRecord.noPlace
    #expect(record == .absent)
    #expect(tables.insert(Address(number: 1)) == account)
    #expect(tables.accounts[Int(account)].isEmpty)
    #expect(contents(tables, account) == [:])
  }

  @Test func growthKeepsEverything() {
    var tables = StateTables()
    for number in 0..<3000 as Range<UInt64> {
      let account = tables.insert(Address(number: number))
      #expect(UInt64(account) == number)
      for key in 0..<3 as Range<UInt64> {
        tables.set(UInt256(key), of: account, to: UInt256(number &+ 1))
      }
    }
    for number in 0..<3000 as Range<UInt64> {
      let account = tables.find(Address(number: number))
      #expect(UInt64(account) == number)
      let value = UInt256(number &+ 1)
      #expect(contents(tables, account) == [0: value, 1: value, 2: value])
    }
  }

  @Test func rowsThatNoLongerCountAreUsedAgain() {
    var tables = StateTables()
    let account = tables.insert(Address(number: 1))
    let kept = tables.insert(Address(number: 2))
    tables.set(1, of: kept, to: 8)
    for round in 0..<1000 as Range<UInt64> {
      for key in 0..<10 as Range<UInt64> { tables.set(UInt256(key), of: account, to: 7) }
      if round % 2 == 0 {
        tables.accounts[Int(account)].wipeStorage()
      } else {
        for key in 0..<10 as Range<UInt64> { tables.set(UInt256(key), of: account, to: 0) }
      }
    }
    // 10,000 slots came and went: the rows stay within a few times of those that live at once.
    #expect(tables.slotCount < 100)
    #expect(contents(tables, kept) == [1: 8])
    #expect(contents(tables, account) == [:])
  }

  @Test func copiesAreIndependent() {
    var tables = StateTables()
    let account = tables.insert(Address(number: 1))
    for key in 0..<50 as Range<UInt64> { tables.set(UInt256(key), of: account, to: 1) }
    var copy = tables.copy()
    copy.set(3, of: account, to: 2)
    copy.accounts[Int(account)].balance = 9
    let other = copy.insert(Address(number: 2))
    #expect(tables.value(3, of: account) == 1)
    #expect(tables.accounts[Int(account)].balance == 0)
    #expect(tables.find(Address(number: 2)) == Self.none)
    tables.accounts[Int(account)].wipeStorage()
    #expect(contents(copy, account).count == 50)
    #expect(copy.find(Address(number: 2)) == other)
  }

  @Test func keysThatCollideAreToldApart() {
    // With a hash whose secrets are known, keys that all begin at one position can be found.
    let hash = StateHash(seed: 1)
    var addresses: [Address] = []
    var number: UInt64 = 0
    while addresses.count < 200 {
      let address = Address(number: number)
      if hash(address) & 0x3ff == 0x3f0 { addresses.append(address) }
      number += 1
    }
    var keys: [UInt256] = []
    var key: UInt64 = 0
    while keys.count < 200 {
      if hash(0, 0, UInt256(key)) & 0x3ff == 0x3ff { keys.append(UInt256(key)) }
      key += 1
    }
    var tables = StateTables(accounts: 512, slots: 512, hash: hash)
    for (index, address) in addresses.enumerated() {
      #expect(tables.insert(address) == UInt32(index))
    }
    for (index, key) in keys.enumerated() { tables.set(key, of: 0, to: UInt256(UInt64(index + 1))) }
    for (index, address) in addresses.enumerated() {
      #expect(tables.find(address) == UInt32(index))
    }
    for (index, key) in keys.enumerated() {
      #expect(tables.value(key, of: 0) == UInt256(UInt64(index + 1)))
    }
    // Another table's secrets tear the same keys apart.
    let other = StateHash(seed: 2)
    #expect(Set(addresses.map { other($0) & 0x3ff }).count > 150)
    #expect(Set(keys.map { other(0, 0, $0) & 0x3ff }).count > 150)
    #expect(StateHash()(addresses[0]) != StateHash()(addresses[0]))
  }

  @Test func equalHashesAreToldApart() {
    var table = IndexTable(rows: 8)
    for row in 0..<8 as Range<UInt32> { table.insert(0xabcd, row) }
    for row in 0..<8 as Range<UInt32> { #expect(table.find(0xabcd) { $0 == row } == row) }
    #expect(table.find(0xabcd) { _ in false } == Self.none)
    // Another high half is another hash, which no row is asked about.
    #expect(table.find(0x1_0000_abcd) { _ in true } == Self.none)
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func agreesWithDictionaries(seed: UInt64) {
    print("seed \(seed)")
    var numbers = WorkloadNumbers(seed: seed)
    var tables = StateTables(hash: StateHash(seed: seed))
    var model: [Address: [UInt256: UInt256]] = [:]
    for step in 0..<20_000 {
      let address = Address(number: numbers.next() % 40)
      let key = UInt256(numbers.next() % 60, 0, 0, numbers.next() % 2)
      switch numbers.next() % 100 {
      case 0:
        if let row = tables.account(address) { row.pointee.delete() }
        model[address] = nil
      case 1:
        if let row = tables.account(address) { row.pointee.wipeStorage() }
        if model[address] != nil { model[address] = [:] }
      case 2:
        tables = tables.copy()
      case 3..<30:
        let number = tables.find(address)
        if model[address] != nil { tables.set(key, of: number, to: 0) }
        model[address]?[key] = nil
      default:
        let value = UInt256(numbers.next() | 1)
        let number = tables.insert(address)
        tables.set(key, of: number, to: value, hint: UInt32(numbers.next() % 3000))
        model[address, default: [:]][key] = value
      }
      var record = AccountRecord.absent
      tables.read(address, into: &record)
      #expect(record.exists == (model[address] != nil))
      #expect(record.hasStorage == !(model[address] ?? [:]).isEmpty)
      var slot = StorageRecord(value: 1)
      tables.read(key, of: record.place, into: &slot)
      #expect(slot.value == model[address]?[key] ?? .zero)
      if step % 1000 != 0 { continue }
      for number in 0..<40 as Range<UInt64> {
        let row = tables.find(Address(number: number))
        let all = row == Self.none ? [:] : contents(tables, row)
        #expect(all == model[Address(number: number)] ?? [:])
      }
    }
  }
}
