import EVM
import Testing

@testable import Kernels

/// The tables that kernels read.
@Suite struct StateTableTests {
  private let memory = TestMemory()

  private func table(accounts: Int, slots: Int) -> StateTable {
    StateTable(
      accounts: memory.zeros(StateTable.Account.self, count: accounts),
      accountMask: UInt32(accounts - 1),
      slots: memory.zeros(StateTable.Slot.self, count: slots), slotMask: UInt32(slots - 1),
      codes: memory.copy([Code]()))
  }

  private func row(_ address: UInt64, world: UInt32 = 0, nonce: UInt64 = 0) -> StateTable.Account {
    StateTable.Account(
      world: world, address: Address(number: address),
      record: AccountRecord(
        nonce: nonce, balance: UInt256(1, 2, 3, 4), codeHash: Hash256(9), exists: true,
        hasStorage: true), code: 5)
  }

  @Test func tablesAreAtMostHalfFull() {
    #expect(StateTable.capacity(rows: 0) == 16)
    #expect(StateTable.capacity(rows: 8) == 16)
    #expect(StateTable.capacity(rows: 9) == 32)
    #expect(StateTable.capacity(rows: 1 << 20) == 1 << 21)
  }

  @Test func anAccountIsReadAsItWasInserted() {
    let table = table(accounts: 16, slots: 16)
    let place = table.insert(row(0xa, nonce: 7))
    #expect(table.find(Address(number: 0xa), world: 0) == place)
    var record = AccountRecord.absent
    table.read(place, into: &record)
    var expected = AccountRecord(
      nonce: 7, balance: UInt256(1, 2, 3, 4), codeHash: Hash256(9), exists: true,
      hasStorage: true)
    expected.place = place
    #expect(record == expected)
    #expect(table.accounts[Int(place)].code == 5)
  }

  @Test func whatIsNotThereIsAbsent() {
    let table = table(accounts: 16, slots: 16)
    let place = table.insert(row(0xa))
    #expect(table.find(Address(number: 0xb), world: 0) == AccountRecord.noPlace)
    #expect(table.find(Address(number: 0xa), world: 1) == AccountRecord.noPlace)
    var record = AccountRecord(
      nonce: 1, balance: 1, codeHash: .zero, exists: true, hasStorage: true)
    table.read(AccountRecord.noPlace, into: &record)
    #expect(record == .absent)
    #expect(table.value(account: place, 1) == .zero)
  }

  /// A table with one free row: every search runs over all that stand in its way, and around the end.
  @Test func rowsThatCollideAreAllFound() {
    let table = table(accounts: 16, slots: 16)
    var places: Set<UInt32> = []
    for index in 0..<15 {
      let number = UInt64(index)
      places.insert(table.insert(row(number, world: UInt32(index % 3), nonce: number)))
      for value in [1, UInt256(number + 2)] {
        table.insert(
          StateTable.Slot(account: UInt32(index % 2), key: UInt256(number), value: value))
      }
    }
    #expect(places.count == 15)
    for index in 0..<15 {
      let place = table.find(Address(number: UInt64(index)), world: UInt32(index % 3))
      #expect(table.accounts[Int(place)].nonce == UInt64(index))
      #expect(
        table.find(Address(number: UInt64(index)), world: UInt32(index % 3 + 1))
          == AccountRecord.noPlace)
      #expect(
        table.value(account: UInt32(index % 2), UInt256(UInt64(index)))
          == UInt256(UInt64(index + 2)))
      #expect(table.value(account: UInt32(1 - index % 2), UInt256(UInt64(index))) == .zero)
    }
  }

  @Test func anAccountIsReplacedWhereItIs() {
    let table = table(accounts: 16, slots: 16)
    let first = table.insert(row(1, nonce: 1))
    #expect(table.insert(row(1, nonce: 2)) == first)
    #expect(table.accounts[Int(first)].nonce == 2)
  }

  /// Each limb of a key and each part of an address counts.
  @Test func keysThatDifferInOneLimbAreOthers() {
    let table = table(accounts: 64, slots: 64)
    let keys = [
      UInt256(1, 0, 0, 0), UInt256(0, 1, 0, 0), UInt256(0, 0, 1, 0), UInt256(0, 0, 0, 1),
    ]
    for (index, key) in keys.enumerated() {
      table.insert(StateTable.Slot(account: 3, key: key, value: UInt256(UInt64(index + 1))))
      _ = table.insert(
        StateTable.Account(
          world: 0, address: Address(key), record: .absent, code: UInt32(index)))
    }
    for (index, key) in keys.enumerated() {
      #expect(table.value(account: 3, key) == UInt256(UInt64(index + 1)))
    }
    for index in 0..<3 {
      let place = table.find(Address(keys[index]), world: 0)
      #expect(table.accounts[Int(place)].code == UInt32(index))
    }
    // The last key has nothing in the 160 bits of an address.
    #expect(table.find(.zero, world: 0) != AccountRecord.noPlace)
  }

  @Test(arguments: [false, true]) func viewsAnswerForTheirWorld(heavy: Bool) {
    let table = table(accounts: 16, slots: 16)
    let place = table.insert(row(1, world: 2, nonce: 8))
    table.insert(StateTable.Slot(account: place, key: 4, value: 44))
    var world = World(table, budget: 1)
    world.number = 2
    let known = [EnvironmentRow.BlockHash(number: 12, hash: Hash256(0x12))]
    world.hashes = UnsafeBufferPointer(start: memory.copy(known), count: 1)
    withUnsafeMutablePointer(to: &world) { world in
      if heavy {
        check(TableStateView<AllPrecompiles>(world), place)
        check(HostView.view(world), place)
      } else {
        check(TableStateView<LightPrecompiles>(world), place)
      }
    }
    #expect(TableStateView<AllPrecompiles>.hasHeavyPrecompiles)
    #expect(!TableStateView<LightPrecompiles>.hasHeavyPrecompiles)
  }

  private func check(_ given: some StateView, _ place: UInt32) {
    var view = given
    var record = AccountRecord.absent
    #expect(view.readAccount(Address(number: 1), into: &record))
    #expect(record.nonce == 8 && record.place == place)
    var slot = StorageRecord(value: .zero)
    #expect(view.readStorage(Address(number: 1), place: place, slot: 4, into: &slot))
    #expect(slot.value == 44)
    #expect(view.readStorage(Address(number: 1), place: place, slot: 5, into: &slot))
    #expect(slot.value == .zero)
    slot.value = 1
    #expect(
      view.readStorage(Address(number: 7), place: AccountRecord.noPlace, slot: 4, into: &slot))
    #expect(slot.value == .zero)
    var hash = Hash256.zero
    #expect(view.readBlockHash(12, into: &hash))
    #expect(hash == Hash256(0x12))
    // A hash that nobody gave is no zero.
    #expect(!view.readBlockHash(13, into: &hash))
    // Code by another hash than the account's, or of no account, is not there.
    var code = Code(
      bytes: memory.copy([UInt8(0)]), jumpDestinations: memory.copy([UInt8(0)]), count: 0)
    #expect(
      !view.readCode(Hash256(1), of: Address(number: 1), place: place, into: &code))
    #expect(
      !view.readCode(
        Hash256(9), of: Address(number: 7), place: AccountRecord.noPlace, into: &code))
  }
}
