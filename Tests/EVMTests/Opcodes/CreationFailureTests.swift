import Testing

@testable import EVM

/// Creations that do not happen, or that leave nothing behind.
@Suite struct CreationFailureTests {
  private static let both = [Opcode.create, Opcode.create2]

  /// A creation of `count` bytes of memory that leaves the address.
  private func create(_ opcode: UInt8 = Opcode.create, value: UInt256 = 0, count: UInt256 = 0)
    -> Bytecode
  {
    opcode == Opcode.create
      ? .call(opcode, value, 0, count) : .call(opcode, value, 0, count, 7)
  }

  private func creating(_ initCode: Bytecode, _ opcode: UInt8 = Opcode.create) -> Bytecode {
    initCode.inMemory + create(opcode, count: UInt256(UInt64(initCode.bytes.count)))
  }

  // MARK: Creations that do not begin

  /// Too little balance: zero, nothing changes, and only the creation's own price is paid.
  @Test func needsTheBalance() {
    for opcode in Self.both {
      for (value, works): (UInt256, Bool) in [(5, true), (6, false), (.max, false)] {
        let code =
          Bytecode.call(Opcode.staticcall, 100, 4, 0, 9, 0, 0) + [Opcode.pop]
          + create(opcode, value: value) + .store(0) + [Opcode.returndatasize] + .returnTop
        let world = TestWorld(.osaka, code: code)
        world.accounts[TestWorld.contract]?.balance = 5
        let outcome = world.run()
        #expect(outcome.status == .returned)
        #expect((outcome.storage(0) != 0) == works)
        #expect(outcome.accounts[TestWorld.contract]?.balance == (works ? 0 : 5))
        #expect(outcome.accounts[TestWorld.contract]?.nonce == (works ? 2 : 1))
        // What the call before returned is gone.
        #expect(outcome.word == 0)
      }
      // CREATE: 3 pushes; CREATE2: 4. The rest comes back.
      let outcome = TestWorld(.osaka, code: create(opcode, value: 1)).run()
      #expect(outcome.gasUsed == 21000 + 32000 + (opcode == Opcode.create ? 9 : 12))
    }
  }

  /// EIP-2681: an account at the largest nonce creates nothing.
  @Test func needsANextNonce() {
    for opcode in Self.both {
      for (nonce, works): (UInt64, Bool) in [(.max - 1, true), (.max, false)] {
        let world = TestWorld(.osaka, code: create(opcode) + .returnTop)
        world.accounts[TestWorld.contract]?.nonce = nonce
        let before = world.accounts.count
        let outcome = world.run()
        #expect((outcome.word != 0) == works)
        #expect(outcome.accounts[TestWorld.contract]?.nonce == .max)
        #expect(outcome.accounts.count == before + (works ? 1 : 0))
        #expect(outcome.gasUsed < 100_000)
      }
    }
  }

  /// The frame at depth 1,024 creates nothing, all above it do.
  @Test func needsRoomBelow() {
    // Each frame calls itself with all but 34,000 gas, then creates; it returns how many creations
    // failed in it and below.
    let body =
      Bytecode.push(32) + .push(0) + .push(0) + .push(0) + .push(0) + [Opcode.address]
      + .push(34_000) + [Opcode.gas, Opcode.sub, Opcode.call, Opcode.pop]
      + create() + [Opcode.iszero] + .call(Opcode.mload, 0) + [Opcode.add] + .returnTop
    let outcome = TestWorld(.frontier, code: body).run(gas: 60_000_000)
    #expect(outcome.status == .returned)
    #expect(outcome.word == 1)
    #expect(outcome.accounts[TestWorld.contract]?.nonce == 1 + 1024)
  }

  // MARK: Gas

  /// Initialisation code gets all but a 64th of what is left (EIP-150); before, all of it.
  @Test func keepsASixtyFourth() {
    // The initialisation code stores what GAS tells in a slot of its account.
    let initCode = Bytecode([Opcode.gas]) + .store(0)
    for fork in [Fork.homestead, .tangerineWhistle, .london, .osaka] {
      let outcome = TestWorld(fork, code: creating(initCode)).run()
      let created = Address.created(by: TestWorld.contract, nonce: 1)
      // MSTORE: 2 pushes, itself and a word; 3 pushes and CREATE; from Shanghai 2 for a word.
      var left: UInt64 = 1_000_000 - 21_000 - 12 - 9 - 32_000
      if fork >= .shanghai { left -= 2 }
      if fork >= .tangerineWhistle { left -= left / 64 }
      #expect(outcome.storage(0, of: created) == UInt256(left - 2), "\(fork)")
    }
  }

  // MARK: Code that is not deployed

  private func isCreated(_ initCode: Bytecode, _ fork: Fork = .osaka) -> Bool {
    for opcode in Self.both where fork >= .constantinople || opcode == Opcode.create {
      let outcome = TestWorld(fork, code: creating(initCode, opcode) + .returnTop).run()
      guard outcome.status == .returned, outcome.word != 0 else { return false }
      #expect(outcome.accounts[Address(outcome.word!)]?.code == [])
    }
    let sent = TestWorld(fork).run(data: initCode.bytes, to: nil)
    return sent.status.isSuccess
  }

  /// What lies in memory is no code unless it is returned.
  @Test func nothingReturnedIsNoCode() {
    let prefix = Bytecode.call(Opcode.mstore8, 0, 0xef)
    for fork in [Fork.frontier, .berlin, .london, .osaka] {
      #expect(isCreated(prefix, fork))
      #expect(isCreated(prefix + .call(Opcode.`return`, 0, 0), fork))
      #expect(isCreated(prefix + .call(Opcode.`return`, .max, 0), fork))
    }
  }

  /// REVERT's data is not deployed, whatever its size or first byte.
  @Test func revertedDataIsNoCode() {
    for initCode: Bytecode in [
      .call(Opcode.mstore8, 0, 0xef) + .call(Opcode.revert, 0, 1), .call(Opcode.revert, 0, 30_000),
      .call(Opcode.mstore8, 0, 1) + .call(Opcode.revert, 0, 1),
    ] {
      let outcome = TestWorld(.osaka).run(data: initCode.bytes, to: nil)
      #expect(outcome.status == .reverted)
      #expect(outcome.gasUsed < 70_000)
      #expect(outcome.accounts[outcome.created!] == nil)
      let inner = creating(initCode) + [Opcode.returndatasize] + .returnTop
      #expect(TestWorld(.osaka, code: inner).run().word == (initCode.bytes.count > 8 ? 1 : 30_000))
    }
  }

  /// EIP-2929: the address of a creation is warm from then on, even when the creation fails.
  @Test func warmsTheAddressFromBerlinOn() {
    let address = Address.created(by: TestWorld.contract, nonce: 1)
    for initCode: Bytecode in [
      [Opcode.stop], .call(Opcode.revert, 0, 0), [Opcode.invalid], .call(Opcode.balance, 1),
    ] {
      let look = Bytecode.call(Opcode.balance, address.word)
      for fork in [Fork.berlin, .london, .osaka] {
        let world = TestWorld(fork, code: creating(initCode) + [Opcode.gas] + look + [Opcode.gas])
        let outcome = world.run()
        #expect(outcome.status == .stopped)
        #expect(outcome.warmAccounts.contains(address))
        let last = outcome.steps.suffix(2)
        #expect(last.first.map { $0.opcode } == Opcode.gas)
        let before = outcome.steps.last { $0.opcode == Opcode.balance && $0.depth == 1 }
        #expect(last.first.map { before!.gas - $0.gas } == 100)
      }
    }
    // A taken address is warm, too.
    let world = TestWorld(.berlin, code: create())
    world.accounts[address] = .init(nonce: 1)
    #expect(world.run().warmAccounts.contains(address))
    // A creation transaction warms its contract.
    let sent = TestWorld(.berlin).run(data: [Opcode.stop], to: nil)
    #expect(sent.warmAccounts.contains(sent.created!))
  }

  // MARK: SELFDESTRUCT

  /// Before Cancun, wei that a contract sends to itself are gone at once.
  @Test func weiToItselfAreBurntAtOnce() {
    let look = Bytecode.call(Opcode.balance, TestWorld.other.word) + .returnTop
    for (fork, expected): (Fork, UInt256) in [
      (.frontier, 0), (.berlin, 0), (.shanghai, 0), (.cancun, 5),
    ] {
      let code = Bytecode.call(Opcode.call, 50_000, TestWorld.other.word, 0, 0, 0, 0, 0) + look
      let world = TestWorld(fork, code: code)
      world.accounts[TestWorld.other] = .init(
        nonce: 1, balance: 5, code: [Opcode.address, Opcode.selfdestruct])
      #expect(world.run().word == expected, "\(fork)")
    }
  }
}
