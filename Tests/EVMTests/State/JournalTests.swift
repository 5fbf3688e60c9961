import Testing

@testable import EVM

/// The journal: what it remembers, what it takes back, and when it is full.
@Suite final class JournalTests {
  private static let sizes = WorkspaceSizes(
    stackWords: 0, memoryBytes: 0, frames: 0, accounts: 64, slots: 64, undoRecords: 256, logs: 8,
    logBytes: 100, codeBytes: 400, returnBytes: 0)

  private var view = TestWorld(.osaka, code: [Opcode.stop])
  private var memory: [UnsafeMutableRawPointer] = []
  private let zeros = UnsafeMutablePointer<UInt8>.allocate(capacity: 128)

  init() { zeros.update(repeating: 0, count: 128) }

  deinit {
    for pointer in memory { pointer.deallocate() }
    zeros.deallocate()
  }

  /// A fresh journal, and the word of memory in which it counts its resets.
  private func make(_ sizes: WorkspaceSizes = JournalTests.sizes) -> (
    Journal, generation: UnsafeMutablePointer<UInt64>
  ) {
    let base = UnsafeMutableRawPointer.allocate(byteCount: sizes.bytes, alignment: 16)
    memory.append(base)
    var arena = Arena(base: base, capacity: sizes.bytes)
    var journal = Journal(arena: &arena, sizes: sizes)
    journal.clearTable()
    journal.reset()
    return (journal, (base + arena.used - 8).assumingMemoryBound(to: UInt64.self))
  }

  private func sizes(_ change: (inout WorkspaceSizes) -> Void) -> WorkspaceSizes {
    var sizes = Self.sizes
    change(&sizes)
    return sizes
  }

  /// An expectation whose condition may change the journal, which a macro's may not.
  private func check(_ condition: Bool, at location: SourceLocation = #_sourceLocation) {
    #expect(condition, sourceLocation: location)
  }

  // MARK: Undo

  @Test func revertRestoresBalanceAndNonce() {
    var (journal, _) = make()
    let entry = journal.loaded(TestWorld.contract, &view)!
    check(journal.setBalance(entry, 5))
    let checkpoint = journal.checkpoint
    check(journal.setBalance(entry, 6) && journal.setBalance(entry, 7))
    check(journal.setNonce(entry, 9))
    journal.revert(to: checkpoint)
    check(entry.pointee.balance == 5)
    check(entry.pointee.nonce == 1)
  }

  @Test func revertRestoresEveryFlagButWhatIsKnown() {
    var (journal, _) = make()
    let entry = journal.entry(TestWorld.contract)!
    let checkpoint = journal.checkpoint
    check(journal.warm(entry) == true)
    check(journal.warm(entry) == false)
    check(journal.load(entry, TestWorld.contract, &view))
    check(journal.touch(entry))
    check(journal.setFlags(entry, entry.pointee.flags.union([.created, .destroyed])))
    journal.revert(to: checkpoint)
    check(entry.pointee.flags == [.loaded, .exists])
    check(journal.warm(entry) == true)
  }

  /// What the view was asked after a checkpoint stays known, and is no more than it said.
  @Test func absentAccountsStayAbsentWhenTheirLoadingIsKept() {
    var (journal, _) = make()
    let address = Address(number: 0xabc)
    let entry = journal.entry(address)!
    let checkpoint = journal.checkpoint
    check(journal.warm(entry) == true)
    check(journal.load(entry, address, &view))
    check(journal.touch(entry))
    journal.revert(to: checkpoint)
    check(entry.pointee.flags == [.loaded])
    check(!entry.pointee.exists)
  }

  @Test func noncesAndBalancesTouch() {
    var (journal, _) = make()
    let first = journal.loaded(Address(number: 0xabc), &view)!
    check(journal.setNonce(first, 1))
    check(first.pointee.isTouched && first.pointee.exists)
    let second = journal.loaded(Address(number: 0xabd), &view)!
    check(journal.setBalance(second, 1))
    check(second.pointee.isTouched && second.pointee.exists)
    // Both are undone.
    let checkpoint = journal.checkpoint
    let third = journal.loaded(Address(number: 0xabe), &view)!
    check(journal.setNonce(third, 1))
    journal.revert(to: checkpoint)
    check(third.pointee.flags == [.loaded] && third.pointee.nonce == 0)
  }

  /// What is so already takes no record.
  @Test func flagsThatAreSetTakeNoRecord() {
    var (journal, _) = make(sizes { $0.undoRecords = 2 })
    let entry = journal.loaded(TestWorld.contract, &view)!
    for _ in 0..<5 { check(journal.touch(entry)) }
    for _ in 0..<5 { check(journal.warm(entry) != nil) }
    check(journal.setFlags(entry, entry.pointee.flags))
    check(!journal.setNonce(entry, 2))
    check(journal.fault == .workspaceExhausted)
  }

  @Test func revertTakesExistenceBack() {
    var (journal, _) = make()
    let entry = journal.loaded(Address(number: 0xabc), &view)!
    check(!entry.pointee.exists)
    let checkpoint = journal.checkpoint
    check(journal.touch(entry))
    check(entry.pointee.exists && entry.pointee.isTouched)
    journal.revert(to: checkpoint)
    check(!entry.pointee.exists && !entry.pointee.isTouched)
  }

  @Test func revertRestoresCode() {
    var (journal, _) = make()
    let entry = journal.loaded(TestWorld.contract, &view)!
    check(journal.loadCode(entry, &view, zeros: zeros) && entry.pointee.code.count == 1)
    let old = entry.pointee.codeHash
    let bytes: [UInt8] = [0x5b, 0x60, 0x5b, 0x5b]
    // Room for one such code, used many times.
    for _ in 0..<100 {
      let checkpoint = journal.checkpoint
      check(journal.setCode(entry, bytes, count: 4, hash: Hash256(7)))
      check(journal.loadCode(entry, &view, zeros: zeros))
      let code = entry.pointee.code
      check(code.count == 4 && entry.pointee.codeHash == Hash256(7))
      check((0..<5).map { code.isJumpDestination($0) } == [true, false, false, true, false])
      check(entry.pointee.isCodeChanged && Array(entry.pointee.changedCode) == bytes)
      journal.revert(to: checkpoint)
      check(entry.pointee.codeHash == old && !entry.pointee.isCodeChanged)
      check(journal.loadCode(entry, &view, zeros: zeros))
      check(entry.pointee.code.bytes[0] == Opcode.stop)
    }
  }

  @Test func revertRestoresSlots() {
    var (journal, _) = make()
    view.accounts[TestWorld.contract]?.storage[3] = 11
    let account = journal.loaded(TestWorld.contract, &view)!
    let slot = journal.slot(account, 3, transient: false)!
    let fleeting = journal.slot(account, 3, transient: true)!
    check(!slot.pointee.isLoaded && fleeting.pointee.isLoaded)
    check(journal.load(slot, of: account, &view))
    check(slot.pointee.original == 11 && slot.pointee.current == 11)
    let checkpoint = journal.checkpoint
    check(journal.warm(slot) == true && journal.warm(slot) == false)
    check(journal.setValue(slot, 12) && journal.setValue(slot, 13))
    check(journal.setValue(fleeting, 14))
    check(slot.pointee.current == 13 && slot.pointee.original == 11)
    journal.revert(to: checkpoint)
    check(slot.pointee.current == 11 && fleeting.pointee.current == 0)
    check(journal.warm(slot) == true)
    check(slot.pointee.isLoaded)
  }

  @Test func revertDropsLogsAndRefund() {
    var (journal, _) = make()
    journal.refund = 3
    check(journal.appendLog(address: .zero, topicCount: 0, dataCount: 60) != nil)
    let checkpoint = journal.checkpoint
    journal.refund = 9
    check(journal.appendLog(address: .zero, topicCount: 0, dataCount: 40) != nil)
    check(journal.logCount == 2)
    journal.revert(to: checkpoint)
    check(journal.logCount == 1 && journal.refund == 3)
    // The data's room is free again.
    let log = journal.appendLog(address: .zero, topicCount: 1, dataCount: 40)
    check(log?.pointee.dataOffset == 60)
  }

  @Test func checkpointsNest() {
    var (journal, _) = make()
    let entry = journal.loaded(TestWorld.contract, &view)!
    let first = journal.checkpoint
    check(journal.setBalance(entry, 1))
    let second = journal.checkpoint
    check(journal.setBalance(entry, 2))
    journal.revert(to: second)
    check(entry.pointee.balance == 1)
    check(journal.setBalance(entry, 3))
    journal.revert(to: first)
    check(entry.pointee.balance == 0)
  }

  @Test func transferMovesAndTouches() {
    var (journal, _) = make()
    let a = journal.loaded(TestWorld.sender, &view)!
    let b = journal.loaded(Address(number: 0xbbb), &view)!
    check(journal.transfer(0, from: a, to: b))
    check(!a.pointee.isTouched && b.pointee.isTouched)
    check(journal.transfer(5, from: a, to: b))
    check(a.pointee.isTouched)
    check(a.pointee.balance == (UInt256(1) << 100) &- 5 && b.pointee.balance == 5)
    check(journal.transfer(5, from: b, to: b))
    check(b.pointee.balance == 5)
  }

  /// A contract that the transaction creates has nothing in its slots, whatever the view says.
  @Test func createdAccountsStartWithEmptyStorage() {
    var (journal, _) = make()
    view.accounts[TestWorld.contract]?.storage[3] = 11
    let account = journal.loaded(TestWorld.contract, &view)!
    check(journal.setFlags(account, account.pointee.flags.union(.created)))
    let slot = journal.slot(account, 3, transient: false)!
    check(journal.load(slot, of: account, &view))
    check(slot.pointee.original == 0)
  }

  // MARK: The table

  @Test func findsEachOfManyEntriesAgain() {
    let count = 3000
    var (journal, _) = make(
      sizes {
        $0.accounts = count
        $0.slots = 3 * count
      })
    // Addresses that differ in their low, middle and high words.
    let addresses = (0..<UInt64(count)).map { number in
      Address(UInt256(number % 20, number / 20 % 15, number / 300, 0))
    }
    let entries = addresses.map { journal.entry($0)! }
    check(journal.accountCount == count)
    // Keys that differ in one limb each.
    let keys = (0..<UInt64(count)).map { number -> UInt256 in
      UInt256(number / 4 + 1) << (number % 4 * 64)
    }
    let slots = keys.indices.map { journal.slot(entries[$0 % 7], keys[$0], transient: false)! }
    let fleeting = keys.indices.map { journal.slot(entries[$0 % 7], keys[$0], transient: true)! }
    check(journal.slotCount == 2 * count)
    for index in 0..<count {
      check(journal.entry(addresses[index]) == entries[index])
      check(entries[index].pointee.address == addresses[index])
      check(journal.slot(entries[index % 7], keys[index], transient: false) == slots[index])
      check(journal.slot(entries[index % 7], keys[index], transient: true) == fleeting[index])
    }
    check(journal.accountCount == count && journal.slotCount == 2 * count)
  }

  @Test func slotsBelongToTheirAccount() {
    var (journal, _) = make()
    let a = journal.entry(TestWorld.contract)!
    let b = journal.entry(TestWorld.other)!
    check(journal.slot(a, 1, transient: false) != journal.slot(b, 1, transient: false))
    check(journal.slot(a, 1, transient: false) != journal.slot(a, 1, transient: true))
    check(journal.slot(a, 1, transient: false) == journal.slot(a, 1, transient: false))
  }

  @Test func resetForgetsEverything() {
    var (journal, _) = make()
    for round in 0..<2000 {
      check(journal.accountCount == 0 && journal.slotCount == 0)
      let entry = journal.entry(TestWorld.contract)!
      check(entry == journal.accounts && entry.pointee.flags == [])
      let slot = journal.slot(entry, UInt256(UInt64(round % 5)), transient: true)!
      check(slot.pointee.current == 0)
      check(journal.setValue(slot, 9))
      check(journal.appendLog(address: .zero, topicCount: 0, dataCount: 90) != nil)
      check(journal.setCode(entry, zeros, count: 100, hash: .zero))
      journal.refund = 5
      journal.reset()
      check(journal.refund == 0 && journal.logCount == 0)
    }
  }

  /// After 2^32 - 1 resets the count begins again, and what was left of the first round must not
  /// come back.
  @Test func generationsWrap() {
    // The table, and with it a generation, begins when there are too many entries for a list.
    var (journal, generation) = make(
      sizes {
        $0.accounts = 64
        $0.slots = 64
      })
    for number: UInt64 in 1...20 { check(journal.entry(Address(number: number)) != nil) }
    check(generation.pointee == 1)
    generation.pointee = UInt64(UInt32.max) - 1
    journal.reset()
    for number: UInt64 in 21...40 { check(journal.entry(Address(number: number)) != nil) }
    check(generation.pointee == UInt64(UInt32.max))
    journal.reset()
    for number: UInt64 in (1...40).reversed() {
      let count = journal.accountCount
      check(journal.entry(Address(number: number)) == journal.accounts + count)
      check(journal.accountCount == count + 1)
    }
    check(generation.pointee == 1)
  }

  /// Copies share memory: the next one goes on counting where the last stopped.
  @Test func copiesOverTheSameMemoryDoNotSeeEachOther() {
    let (journal, _) = make()
    for number: UInt64 in 1...10 {
      var copy = journal
      copy.reset()
      check(copy.entry(Address(number: number)) == copy.accounts)
      check(copy.entry(Address(number: 1000)) == copy.accounts + 1)
    }
  }

  // MARK: Running out

  @Test func fullArenasSaySo() {
    var (journal, _) = make(
      sizes {
        $0.accounts = 2
        $0.slots = 2
        $0.logs = 2
      })
    let a = journal.loaded(TestWorld.contract, &view)!
    check(journal.entry(TestWorld.other) != nil)
    check(journal.entry(TestWorld.sender) == nil)
    check(journal.entry(TestWorld.contract) == a)
    check(journal.slot(a, 0, transient: false) != nil)
    check(journal.slot(a, 1, transient: true) != nil)
    check(journal.slot(a, 1, transient: false) == nil)
    check(journal.fault == .workspaceExhausted)
    check(journal.appendLog(address: .zero, topicCount: 0, dataCount: 101) == nil)
    check(journal.appendLog(address: .zero, topicCount: 0, dataCount: 100) != nil)
    check(journal.appendLog(address: .zero, topicCount: 0, dataCount: 1) == nil)
    check(journal.appendLog(address: .zero, topicCount: 0, dataCount: 0) != nil)
    check(journal.appendLog(address: .zero, topicCount: 0, dataCount: 0) == nil)
    // 400 bytes: the code, 33 of padding, a byte for 8 positions.
    check(!journal.setCode(a, zeros, count: 360, hash: .zero))
    check(journal.fault == .workspaceExhausted)
  }

  @Test func fullUndoLogRefusesChanges() {
    var (journal, _) = make(sizes { $0.undoRecords = 3 })
    let a = journal.loaded(TestWorld.contract, &view)!
    let slot = journal.slot(a, 1, transient: true)!
    // One for the touch, one for the balance.
    check(journal.setBalance(a, 1))
    check(journal.setValue(slot, 1))
    check(!journal.setValue(slot, 2))
    check(!journal.setBalance(a, 2) && !journal.setNonce(a, 2))
    check(journal.warm(slot) == nil && journal.warm(a) == nil)
    check(!journal.setCode(a, zeros, count: 1, hash: .zero))
    check(slot.pointee.current == 1 && a.pointee.balance == 1 && a.pointee.nonce == 1)
    check(journal.fault == .workspaceExhausted)
  }

  @Test func entriesAreFoundAsTheTableGrows() {
    var (journal, generation) = make(
      sizes {
        $0.accounts = 500
        $0.slots = 1500
      })
    for seed in [0, 1, UInt64.max] {
      journal.seed = seed
      journal.reset()
      let before = generation.pointee
      var accounts: [UnsafeMutablePointer<AccountEntry>] = []
      for number in 0..<500 as Range<UInt64> {
        accounts.append(journal.entry(Address(number: number))!)
        for key in 0..<3 as Range<UInt64> {
          let slot = journal.slot(accounts.last!, UInt256(0, 0, 0, key >> 1), transient: key == 1)
          check(slot != nil)
        }
      }
      check(journal.accountCount == 500 && journal.slotCount == 1500)
      check(generation.pointee > before)
      for number in 0..<500 {
        let entry = journal.entry(Address(number: UInt64(number)))
        check(entry == accounts[number])
        for key in 0..<3 {
          let slot = journal.slot(
            accounts[number], UInt256(0, 0, 0, UInt64(key >> 1)), transient: key == 1)
          check(slot == journal.slots + (number * 3 + key))
        }
      }
      check(journal.accountCount == 500 && journal.slotCount == 1500)
    }
    journal.reset()
    check(journal.entry(Address(number: 7)) == journal.accounts)
  }

  @Test func theSeedChoosesPositions() {
    // Both keys have the factor that a seed of 0 multiplies by zero.
    var (journal, _) = make(
      sizes {
        $0.accounts = 1
        $0.slots = 2000
      })
    for seed in [0, 0x1234_5678_9abc_def0] as [UInt64] {
      journal.seed = seed
      journal.reset()
      let account = journal.entry(.zero)!
      for key in 0..<2000 as Range<UInt64> {
        check(
          journal.slot(account, UInt256(key, 0xa409_3822_299f_31d1, 0, 0), transient: false) != nil)
      }
      for key in 0..<2000 as Range<UInt64> {
        let slot = journal.slot(
          account, UInt256(key, 0xa409_3822_299f_31d1, 0, 0), transient: false)
        check(slot == journal.slots + Int(key))
      }
    }
  }

  @Test func theViewsNumbersAreKept() {
    var (journal, _) = make()
    let entry = journal.loaded(TestWorld.contract, &view)!
    let slot = journal.slot(entry, 1, transient: false)!
    check(entry.pointee.record.place == AccountRecord.noPlace)
    check(slot.pointee.place == AccountRecord.noPlace)
    entry.pointee.record.place = 17
    check(journal.load(slot, of: entry, &view))
    // The test's world answers an account's number with the double of it for a slot.
    check(slot.pointee.place == 34)
  }

  @Test func unavailableStateIsAnotherFault() {
    var (journal, _) = make()
    view.unavailable = [TestWorld.other]
    check(journal.loaded(TestWorld.other, &view) == nil)
    check(journal.fault == .stateUnavailable)
    journal.reset()
    check(journal.fault == .workspaceExhausted)
  }
}
