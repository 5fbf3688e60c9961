import Testing

@testable import EVM

/// Every reason to refuse a transaction, with a transaction on the other side of the boundary.
@Suite struct TransactionErrorTests {
  /// Runs a transaction after a change to it and its world.
  private func error(
    _ fork: Fork = .osaka, _ type: TransactionType = .legacy, blobsAvailable: Int = 6,
    gasAvailable: UInt64? = nil,
    with change: (inout SentTransaction, TestWorld) -> Void = { _, _ in }
  ) -> TransactionError? {
    let world = TestWorld(fork)
    var sent = world.sent(type)
    if type == .blob {
      sent.blobHashes = [.blob(1)]
      sent.message.maxFeePerBlobGas = 1
    }
    if type == .setCode {
      sent.authorizations = [
        AuthorizationItem(
          chainID: 0, address: TestWorld.other, nonce: 0, authority: TestWorld.other,
          isValid: true)
      ]
    }
    change(&sent, world)
    let outcome = world.run(sent, gasAvailable: gasAvailable, blobsAvailable: blobsAvailable)
    if outcome.error != nil {
      #expect(outcome.accounts[TestWorld.sender]?.nonce == world.accounts[TestWorld.sender]?.nonce)
      #expect(
        outcome.accounts[TestWorld.sender]?.balance == world.accounts[TestWorld.sender]?.balance)
    }
    return outcome.error
  }

  @Test func typesBeginWithTheirForks() {
    let firsts: [(TransactionType, before: Fork, since: Fork)] = [
      (.accessList, .muirGlacier, .berlin), (.dynamicFee, .berlin, .london),
      (.blob, .shanghai, .cancun), (.setCode, .cancun, .prague),
    ]
    for (type, before, since) in firsts {
      #expect(error(before, type) == .typeNotSupported)
      #expect(error(since, type) == nil)
    }
    #expect(error(.frontier) == nil)
  }

  @Test func gasMustCoverTheIntrinsicCost() {
    #expect(error { sent, _ in sent.message.gasLimit = 20999 } == .intrinsicGasTooLow)
    #expect(error { sent, _ in sent.message.gasLimit = 21000 } == nil)
  }

  @Test func gasMustCoverTheFloor() {
    let change = { (gas: UInt64) in
      { (sent: inout SentTransaction, _: TestWorld) in
        sent.data = [UInt8](repeating: 1, count: 100)
        sent.message.gasLimit = gas
      }
    }
    #expect(error(.prague, with: change(24999)) == .gasBelowFloor)
    #expect(error(.prague, with: change(25000)) == nil)
    #expect(error(.cancun, with: change(24999)) == nil)
    #expect(error(.prague, with: change(22599)) == .intrinsicGasTooLow)
  }

  /// EIP-7825: 2^24.
  @Test func gasHasAMaximumInOsaka() {
    let change = { (gas: UInt64) in
      { (sent: inout SentTransaction, _: TestWorld) in sent.message.gasLimit = gas }
    }
    #expect(error(.osaka, with: change(16_777_216)) == nil)
    #expect(error(.osaka, with: change(16_777_217)) == .gasLimitExceedsMaximum)
    #expect(error(.prague, with: change(16_777_217)) == nil)
  }

  @Test func gasMustFitInTheBlock() {
    #expect(error(gasAvailable: 1_000_000) == nil)
    #expect(error(gasAvailable: 999_999) == .gasAllowanceExceeded)
    // Gas is a signed number inside: what does not fit is refused.
    let huge = { (gas: UInt64) in
      { (sent: inout SentTransaction, _: TestWorld) in sent.message.gasLimit = gas }
    }
    #expect(error(.prague, gasAvailable: .max, with: huge(1 << 63 - 1)) == nil)
    #expect(error(.prague, gasAvailable: .max, with: huge(1 << 63)) == .gasAllowanceExceeded)
    #expect(error(.prague, gasAvailable: .max, with: huge(.max)) == .gasAllowanceExceeded)
  }

  /// EIP-3860: 49,152 bytes.
  @Test func initCodeHasAMaximumFromShanghaiOn() {
    let change = { (count: Int, creates: Bool) in
      { (sent: inout SentTransaction, _: TestWorld) in
        sent.data = [UInt8](repeating: 0, count: count)
        if creates { sent.message.recipient = nil }
      }
    }
    #expect(error(.shanghai, with: change(49152, true)) == nil)
    #expect(error(.shanghai, with: change(49153, true)) == .initCodeTooLarge)
    #expect(error(.paris, with: change(49153, true)) == nil)
    #expect(error(.shanghai, with: change(49153, false)) == nil)
  }

  @Test func nonceMustBeTheSenders() {
    let change = { (account: UInt64, nonce: UInt64) in
      { (sent: inout SentTransaction, world: TestWorld) in
        world.accounts[TestWorld.sender]?.nonce = account
        sent.message.nonce = nonce
      }
    }
    #expect(error(with: change(5, 4)) == .nonceTooLow)
    #expect(error(with: change(5, 5)) == nil)
    #expect(error(with: change(5, 6)) == .nonceTooHigh)
    // EIP-2681.
    #expect(error(with: change(.max - 1, .max - 1)) == nil)
    #expect(error(with: change(.max, .max)) == .nonceIsMaximum)
    #expect(error(with: change(.max - 1, .max)) == .nonceIsMaximum)
  }

  @Test func feesMustBeInOrder() {
    let fees = { (max: UInt256, priority: UInt256) in
      { (sent: inout SentTransaction, _: TestWorld) in
        sent.message.maxFeePerGas = max
        sent.message.maxPriorityFeePerGas = priority
      }
    }
    // The base fee is 7.
    #expect(error(.osaka, .dynamicFee, with: fees(10, 10)) == nil)
    #expect(error(.osaka, .dynamicFee, with: fees(10, 11)) == .priorityFeeAboveMaxFee)
    #expect(error(.osaka, .dynamicFee, with: fees(7, 0)) == nil)
    #expect(error(.osaka, .dynamicFee, with: fees(6, 0)) == .maxFeeBelowBaseFee)
    #expect(error(.osaka, .legacy, with: fees(6, 6)) == .maxFeeBelowBaseFee)
    #expect(error(.berlin, .legacy, with: fees(0, 0)) == nil)
  }

  @Test func blobsMustFit() {
    let blobs = { (count: UInt64) in
      { (sent: inout SentTransaction, _: TestWorld) in
        sent.blobHashes = (0..<count).map { .blob($0) }
      }
    }
    #expect(error(.osaka, .blob, with: blobs(0)) == .noBlobs)
    #expect(error(.osaka, .blob, blobsAvailable: 2, with: blobs(2)) == nil)
    #expect(error(.osaka, .blob, blobsAvailable: 2, with: blobs(3)) == .blobAllowanceExceeded)
    // EIP-7594: 6 a transaction.
    #expect(error(.osaka, .blob, blobsAvailable: 9, with: blobs(6)) == nil)
    #expect(error(.osaka, .blob, blobsAvailable: 9, with: blobs(7)) == .tooManyBlobs)
    #expect(error(.prague, .blob, blobsAvailable: 9, with: blobs(9)) == nil)
  }

  @Test func blobHashesHaveVersionOne() {
    for (version, expected): (UInt64, TransactionError?) in [
      (1, nil), (0, .invalidBlobVersion), (2, .invalidBlobVersion),
    ] {
      let result = error(.cancun, .blob) { sent, _ in
        sent.blobHashes = [.blob(1), .blob(2, version: version)]
      }
      #expect(result == expected)
    }
  }

  @Test func blobFeeMustReachTheBlocks() {
    for (fee, expected): (UInt256, TransactionError?) in [
      (5, nil), (4, .maxBlobFeeBelowBlobBaseFee),
    ] {
      let result = error(.cancun, .blob) { sent, world in
        world.block.blobBaseFee = 5
        sent.message.maxFeePerBlobGas = fee
      }
      #expect(result == expected)
    }
  }

  @Test func newTypesCreateNothing() {
    let create = { (sent: inout SentTransaction, _: TestWorld) in sent.message.recipient = nil }
    #expect(error(.osaka, .legacy, with: create) == nil)
    #expect(error(.osaka, .accessList, with: create) == nil)
    #expect(error(.osaka, .dynamicFee, with: create) == nil)
    #expect(error(.osaka, .blob, with: create) == .blobCreation)
    #expect(error(.osaka, .setCode, with: create) == .setCodeCreation)
  }

  @Test func setCodeNeedsAuthorizations() {
    #expect(error(.osaka, .setCode) { sent, _ in sent.authorizations = [] } == .noAuthorizations)
  }

  // MARK: Funds

  @Test func balanceMustCoverGasAndValue() {
    // 1,000,000 gas at 7 wei, and 5 wei.
    for (balance, expected): (UInt256, TransactionError?) in [
      (7_000_005, nil), (7_000_004, .insufficientFunds),
    ] {
      let result = error { sent, world in
        sent.message.value = 5
        world.accounts[TestWorld.sender]?.balance = balance
      }
      #expect(result == expected)
    }
    #expect(error { _, world in world.accounts[TestWorld.sender] = nil } == .insufficientFunds)
  }

  @Test func balanceMustCoverTheFeeCap() {
    // The effective price is 7, the cap 100.
    for (balance, expected): (UInt256, TransactionError?) in [
      (100_000_000, nil), (99_999_999, .insufficientFunds),
    ] {
      let result = error(.osaka, .dynamicFee) { sent, world in
        sent.message.maxFeePerGas = 100
        sent.message.maxPriorityFeePerGas = 0
        world.accounts[TestWorld.sender]?.balance = balance
      }
      #expect(result == expected)
    }
  }

  @Test func balanceMustCoverTheBlobFeeCap() {
    // 2 blobs of 131,072 gas at 3 wei at most, though the block asks for 1.
    let need: UInt256 = 7_786_432
    for (balance, expected): (UInt256, TransactionError?) in [
      (need, nil), (need &- 1, .insufficientFunds),
    ] {
      let result = error(.cancun, .blob) { sent, world in
        sent.blobHashes = [.blob(1), .blob(2)]
        sent.message.maxFeePerBlobGas = 3
        world.accounts[TestWorld.sender]?.balance = balance
      }
      #expect(result == expected)
    }
  }

  /// Products and sums are compared without wrapping at 2^256.
  @Test func costsBeyondAWordAreNotCovered() {
    let rich = { (world: TestWorld) in world.accounts[TestWorld.sender]?.balance = .max }
    // 2^20 gas at 2^236 wei is 2^256, and at one wei less it is not.
    for (price, expected): (UInt256, TransactionError?) in [
      (UInt256(1) << 236, .insufficientFunds), ((UInt256(1) << 236) &- 1, nil),
      (.max, .insufficientFunds),
    ] {
      let result = error(.osaka, .dynamicFee) { sent, world in
        rich(world)
        sent.message.gasLimit = 1 << 20
        sent.message.maxFeePerGas = price
        sent.message.maxPriorityFeePerGas = 0
      }
      #expect(result == expected)
    }
    for (value, expected): (UInt256, TransactionError?) in [
      (.max, .insufficientFunds), (UInt256.max &- 6_999_999, .insufficientFunds),
      (UInt256.max &- 7_000_000, nil),
    ] {
      let result = error { sent, world in
        rich(world)
        sent.message.value = value
      }
      #expect(result == expected)
    }
    // 2^17 blob gas at 2^239 wei; a little less and the gas makes the sum too large.
    for (price, expected): (UInt256, TransactionError?) in [
      (UInt256(1) << 239, .insufficientFunds), ((UInt256(1) << 239) &- 1, .insufficientFunds),
      ((UInt256(1) << 239) &- 100, nil),
    ] {
      let result = error(.cancun, .blob) { sent, world in
        rich(world)
        sent.message.maxFeePerBlobGas = price
      }
      #expect(result == expected)
    }
  }

  // MARK: EIP-3607

  @Test(arguments: [Fork.frontier, .berlin, .london, .cancun, .osaka])
  func contractsSendNothing(_ fork: Fork) {
    let result = error(fork) { _, world in world.accounts[TestWorld.sender]?.code = [0] }
    #expect(result == .senderNotExternallyOwned)
  }

  @Test func delegatedAccountsSendFromPragueOn() {
    let delegated = { (_: inout SentTransaction, world: TestWorld) -> Void in
      world.accounts[TestWorld.sender]?.code = delegation(to: TestWorld.other)
    }
    #expect(error(.prague, with: delegated) == nil)
    #expect(error(.cancun, with: delegated) == .senderNotExternallyOwned)
    let longer = { (_: inout SentTransaction, world: TestWorld) -> Void in
      world.accounts[TestWorld.sender]?.code = delegation(to: TestWorld.other) + [0]
    }
    #expect(error(.prague, with: longer) == .senderNotExternallyOwned)
  }

  /// The specification's `validate_transaction` comes before what block and account tell.
  @Test func theFirstFaultIsNamed() {
    let many = error { sent, _ in
      sent.message.gasLimit = 20999
      sent.message.maxFeePerGas = 0
      sent.message.nonce = 7
    }
    #expect(many == .intrinsicGasTooLow)
    let fees = error { sent, _ in
      sent.message.maxFeePerGas = 0
      sent.message.maxPriorityFeePerGas = 0
      sent.message.nonce = 7
    }
    #expect(fees == .maxFeeBelowBaseFee)
    let nonce = error { sent, _ in
      sent.message.nonce = 7
      sent.message.value = .max
    }
    #expect(nonce == .nonceTooHigh)
  }
}

/// The designator that delegates to an account (EIP-7702).
func delegation(to address: Address) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: 20)
  bytes.withUnsafeMutableBufferPointer { address.store(bytes: $0.baseAddress!) }
  return [0xef, 0x01, 0x00] + bytes
}
