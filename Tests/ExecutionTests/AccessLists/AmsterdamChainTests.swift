import EVM
import Ethereum
import Testing

@testable import Execution

/// Blocks of Amsterdam: what their headers say of access list, slot and gas (EIP-7928, EIP-7843,
/// EIP-7778, EIP-8037).
@Suite struct AmsterdamChainTests {
  private static let system = Allocation.Account(nonce: 1, code: TestChain.stop)

  @Test func blockIsAcceptedWithItsListAndWithout() {
    for sendsList in [false, true] {
      let chain = TestChain(.amsterdam)
      let block = chain.block(transactions: [chain.transaction { $0.value = 1 }])
      #expect(chain.error(block, accessList: sendsList ? chain.accessList?.encoded : nil) == nil)
    }
  }

  @Test func headerNamesTheList() {
    let chain = TestChain(.amsterdam)
    let block = chain.block(transactions: [chain.transaction()]) { _ in
    } fault: {
      $0.header.blockAccessListHash = BlockAccessList().hash
    }
    #expect(chain.add(block) == .invalidAccessList)
    // So it does for a list that came with the block.
    let good = chain.block(transactions: [chain.transaction()])
    #expect(
      chain.error(good, accessList: BlockAccessList().encoded)?.code == .invalidAccessList)
    #expect(chain.add(good) == nil)
  }

  /// The header names the wrong list, which comes with the block.
  private func refusal(_ edit: (inout [BlockAccessList.AccountChanges]) -> Void) -> BlockError? {
    let chain = TestChain(.amsterdam)
    let transactions = [chain.transaction { $0.value = 1 }]
    _ = chain.block(transactions: transactions)
    var accounts = chain.accessList!.accountChanges
    edit(&accounts)
    let list = BlockAccessList(accounts)
    let block = chain.block(transactions: transactions) { _ in
    } fault: {
      $0.header.blockAccessListHash = list.hash
    }
    return chain.error(block, accessList: list.encoded)
  }

  @Test func listThatDiffersIsRefusedWithAReason() {
    #expect(refusal { _ in } == nil)
    let value = refusal { accounts in
      let place = accounts.firstIndex { $0.address == TestChain.recipient }!
      accounts[place].balanceChanges[0].value = 2
    }
    #expect(value?.code == .invalidAccessList)
    #expect(
      value?.message
        == "blockAccessList: \(TestChain.recipient) balanceChanges at index 1: execution gives 0x1, "
        + "the list has 0x2")
    let order = refusal { $0.swapAt(0, 1) }
    #expect(order?.code == .invalidAccessList)
    #expect(order?.message.contains("they should rise") == true)
    let high = refusal { $0[0].balanceChanges = [.init(index: 3, value: 1)] }
    #expect(high?.code == .invalidAccessList)
    #expect(high?.message.contains("the block's last index is 2") == true)
  }

  /// 2,000 gas of the limit for each account and slot.
  @Test func listIsNoLongerThanTheGasLimitAllows() {
    let chain = TestChain(.amsterdam) { $0.gasLimit = 13_000 }
    let block = chain.block()
    let items = UInt64(chain.accessList!.itemCount)
    #expect(items > 2)
    #expect(chain.add(block) == (items * 2000 > 13_000 ? .accessListTooLong : nil))
    let small = TestChain(.amsterdam) { $0.gasLimit = items * 2000 - 1 }
    #expect(small.add(small.block()) == .accessListTooLong)
    let large = TestChain(.amsterdam) { $0.gasLimit = max(items * 2000, 5000) }
    #expect(large.add(large.block()) == nil)
  }

  @Test func headerHasASlotNumber() {
    let chain = TestChain(.amsterdam)
    let block = chain.block() { _ in
    } fault: {
      $0.header.slotNumber = nil
    }
    #expect(chain.add(block) == .unexpectedFields)
    let earlier = TestChain(.bpo5)
    let early = earlier.block() { _ in
    } fault: {
      $0.header.blockAccessListHash = BlockAccessList().hash
      $0.header.slotNumber = 1
    }
    #expect(earlier.add(early) == .unexpectedFields)
  }

  /// SLOTNUM reads the header's: a contract that stores it.
  @Test func opcodeReadsTheHeadersSlot() {
    let contract = Address(number: 0x5107)
    let chain = TestChain(
      .amsterdam, accounts: [contract: .init(nonce: 1, code: [0x4b, 0x5f, 0x55])])
    let block = chain.block(transactions: [chain.transaction(to: contract)])
    #expect(chain.add(block) == nil)
    #expect(block.header.slotNumber == 1)
    #expect(chain.chain.headState.storage(contract, slot: 0) == 1)
  }

  /// The header has the larger kind of gas, receipts what was paid.
  @Test func headerHasTheLargerKindOfGas() throws {
    // A new slot in a block whose limit makes state dear.
    let contract = Address(number: 0x5107)
    let chain = TestChain(
      .amsterdam, accounts: [contract: .init(nonce: 1, code: [0x60, 1, 0x5f, 0x55])]
    ) { $0.gasLimit = 100_000_000 }
    let block = chain.block(
      transactions: [chain.transaction(to: contract), chain.transaction(1, to: contract)])
    let outcome = try chain.chain.importBlock(rlp: block.encoded)
    let state = UInt64(32 * 1174)
    let first = 21000 + 3 + 2 + 5000 + state
    let second = UInt64(21000 + 3 + 2 + 2200)
    #expect(outcome.receipts.map(\.cumulativeGasUsed) == [first, first + second])
    #expect(outcome.gasUsed == first + second - state)
    #expect(outcome.gasUsed > state)
    let dear = TestChain(
      .amsterdam, accounts: [contract: .init(nonce: 1, code: [0x60, 1, 0x5f, 0x55])]
    ) { $0.gasLimit = 300_000_000 }
    let other = dear.block(transactions: [dear.transaction(to: contract)])
    #expect(try dear.chain.importBlock(rlp: other.encoded).gasUsed == 32 * 3222)
  }
}
