import EVM
import Ethereum
import Testing

@testable import Execution

/// The world state as a value, and how it takes over what transactions did.
@Suite struct WorldStateTests {
  private static let account = Address(number: 0xc0de)
  private static let sender = TestChain.sender

  private func state(
    code: [UInt8] = [], storage: [UInt256: UInt256] = [:], balance: UInt256 = 0,
    more: [Address: Allocation.Account] = [:]
  ) -> WorldState {
    var allocation = Allocation([
      Self.sender: .init(balance: UInt256(1) << 90),
      Self.account: .init(nonce: 1, balance: balance, code: code, storage: storage),
    ])
    for (address, account) in more { allocation.accounts[address] = account }
    return WorldState(allocation)
  }

  /// Executes one transaction, to the account unless told.
  @discardableResult
  private func run(
    _ fork: Fork, _ state: inout WorldState, to recipient: Address? = account, data: [UInt8] = [],
    value: UInt256 = 0
  ) -> TransactionOutcome? {
    var block = PreparedBlock(
      fork: fork, environment: BlockEnvironment(gasLimit: 30_000_000, coinbase: TestChain.coinbase))
    block.callsSystemContracts = false
    let nonce = state.accounts[Self.sender]?.nonce ?? 0
    block.transactions = [
      PreparedTransaction(
        Transaction(nonce: nonce, gasLimit: 1_000_000, to: recipient, value: value, data: data),
        sender: Self.sender)
    ]
    let outcome = try? SerialExecutor().execute(block, on: &state)
    #expect(outcome != nil)
    // However it came about, its root is that of its accounts.
    #expect(state.stateRoot() == state.allocation.stateRoot)
    return outcome?.transactions.first
  }

  @Test func copiesAreSnapshots() {
    // SSTORE 0 := 5.
    var state = state(code: [0x60, 0x05, 0x5f, 0x55], storage: [1: 1])
    let before = state
    let allocation = state.allocation
    run(.osaka, &state)
    #expect(state.storage(Self.account, slot: 0) == 5)
    #expect(before.storage(Self.account, slot: 0) == 0)
    #expect(before.allocation == allocation)
    #expect(before.accounts[Self.sender]?.nonce == 0)
    // Going back is taking the copy; another future follows from it.
    var other = before
    run(.osaka, &other, to: Address(number: 0xbeef), value: 7)
    #expect(other.accounts[Address(number: 0xbeef)]?.balance == 7)
    #expect(state.accounts[Address(number: 0xbeef)] == nil)
  }

  @Test func zeroIsNoEntry() {
    var state = state(code: [0x5f, 0x60, 0x01, 0x55], storage: [1: 9, 2: 8, 3: 0])
    #expect(state.accounts[Self.account]?.storage == [1: 9, 2: 8])
    run(.osaka, &state)
    #expect(state.accounts[Self.account]?.storage == [2: 8])
  }

  @Test func rootsFollowEveryChange() {
    var state = state(code: [0x60, 0x05, 0x5f, 0x55], storage: [1: 1])
    let first = state.stateRoot()
    #expect(first == state.allocation.stateRoot)
    run(.osaka, &state)
    let second = state.stateRoot()
    #expect(second != first)
    state.setStorage(Self.account, slot: 1, value: 2)
    #expect(state.stateRoot() == state.allocation.stateRoot)
    #expect(state.stateRoot() != second)
  }

  @Test func destroyedAccountsAreGone() {
    // SELFDESTRUCT to 0xbeef.
    var shanghai = state(code: [0x61, 0xbe, 0xef, 0xff], storage: [1: 1], balance: 6)
    run(.shanghai, &shanghai)
    #expect(shanghai.accounts[Self.account] == nil)
    #expect(shanghai.accounts[Address(number: 0xbeef)]?.balance == 6)
    // EIP-6780: it was not created by this transaction, and only its wei go.
    var cancun = state(code: [0x61, 0xbe, 0xef, 0xff], storage: [1: 1], balance: 6)
    run(.cancun, &cancun)
    #expect(cancun.accounts[Self.account]?.storage == [1: 1])
    #expect(cancun.accounts[Self.account]?.balance == 0)
  }

  @Test func storageOfADestroyedAccountDoesNotComeBack() {
    // SSTORE 0 := 5, then SELFDESTRUCT.
    var state = state(code: [0x60, 0x05, 0x5f, 0x55, 0x5f, 0xff], storage: [1: 1])
    run(.shanghai, &state)
    #expect(state.accounts[Self.account] == nil)
    run(.shanghai, &state, value: 3)
    #expect(state.accounts[Self.account]?.balance == 3)
    #expect(state.accounts[Self.account]?.storage == [:])
    #expect(state.accounts[Self.account]?.codeHash == .emptyCode)
  }

  @Test func createdAccountsGetTheirCode() {
    var state = state()
    // SSTORE 0 := 5, and one byte of code, a STOP.
    let outcome = run(
      .osaka, &state, to: nil, data: [0x60, 0x05, 0x5f, 0x55, 0x60, 0x01, 0x5f, 0xf3], value: 2)
    let address = Address.created(by: Self.sender, nonce: 0)
    #expect(outcome?.contractAddress == address)
    let account = state.accounts[address]
    #expect(account?.nonce == 1 && account?.balance == 2 && account?.storage == [0: 5])
    #expect(state.codes.bytes(account?.codeHash ?? .emptyCode) == [0x00])
  }

  /// A creation that fails leaves what was there.
  @Test func failedCreationsLeaveNothing() {
    var state = state()
    run(.osaka, &state, to: nil, data: [0xfe], value: 2)
    #expect(state.accounts[Address.created(by: Self.sender, nonce: 0)] == nil)
    #expect(state.accounts[Self.sender]?.nonce == 1)
  }

  /// EIP-161.
  @Test func emptyAccountsGoWhenTouched() {
    let empty = Address(number: 0xbeef)
    var state = state(more: [empty: .init()])
    #expect(state.record(empty).exists)
    run(.tangerineWhistle, &state, to: empty)
    #expect(state.accounts[empty] != nil)
    // The coinbase is touched by its fee of nothing, too.
    #expect(state.accounts[TestChain.coinbase] != nil)
    run(.spuriousDragon, &state, to: empty)
    #expect(state.accounts[empty] == nil)
    #expect(state.accounts[TestChain.coinbase] == nil)
  }

  /// BALANCE of an account only looks.
  @Test func untouchedEmptyAccountsStay() {
    let empty = Address(number: 0xbeef)
    var state = state(code: [0x61, 0xbe, 0xef, 0x31], more: [empty: .init()])
    run(.osaka, &state)
    #expect(state.accounts[empty] != nil)
  }

  @Test func creditsAddUp() {
    let address = Address(number: 0xbeef)
    var state = state()
    state.credit(address, wei: 5, deletesEmpty: true)
    state.credit(address, wei: 6, deletesEmpty: true)
    #expect(state.accounts[address]?.balance == 11)
    let other = Address(number: 0xfeed)
    state.credit(other, wei: 0, deletesEmpty: true)
    #expect(state.accounts[other] == nil)
    state.credit(other, wei: 0, deletesEmpty: false)
    #expect(state.accounts[other] != nil)
  }

  @Test func recordsTellOfStorage() {
    let state = state(code: [0], storage: [1: 1])
    let record = state.record(Self.account)
    #expect(record.exists && record.hasStorage && record.nonce == 1)
    #expect(!state.record(Self.sender).hasStorage)
    #expect(state.record(Address(number: 0xbeef)) == .absent)
  }
}
