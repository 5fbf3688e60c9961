/// What came of a transaction.
public struct TransactionResult: BitwiseCopyable {
  /// Why the transaction is not valid; the rest is meaningless then.
  public var error: TransactionError?
  /// How execution ended.
  public var status: ExecutionStatus
  /// Gas paid for, after refunds.
  public var gasUsed: UInt64
  /// Gas given back for cleared storage.
  public var gasRefunded: UInt64
  /// Wei paid for each gas.
  public var effectiveGasPrice: UInt256
  /// The contract that a creation made, or tried to make.
  public var createdAddress: Address?
  /// Gas that counts against the block's limit; before Amsterdam it is `gasUsed`. From then on nothing
  /// given back is taken off (EIP-7778), and new state does not count (EIP-8037).
  public var regularGas: UInt64 = 0
  /// Gas for new state, which counts against the block's limit on its own (EIP-8037).
  public var stateGas: UInt64 = 0
}

extension Machine {
  /// Blob gas of one blob (EIP-4844).
  public static var gasPerBlob: UInt64 { 1 << 17 }

  /// Validates and executes a transaction on the state that the view shows.
  ///
  /// The journal holds all effects afterwards; an invalid transaction has none. A result whose
  /// status `isFault` decides nothing. `gasAvailable` is what the block has left, in gas,
  /// `stateGasAvailable` what it has left for new state (from Amsterdam on), and `blobsAvailable` in
  /// blobs.
  public mutating func execute(
    _ transaction: TransactionMessage, gasAvailable: UInt64,
    stateGasAvailable: UInt64 = UInt64.max, blobsAvailable: Int
  ) -> TransactionResult {
    begin()
    guard let sender = journal.loaded(transaction.sender, &view),
      journal.loadCode(sender, &view, zeros: workspace.zeros)
    else { return faulted() }
    let costs = IntrinsicGas(transaction, schedule, stateByteGas: stateByteGas)
    if let error = validate(
      transaction, costs, sender: sender, gasAvailable: gasAvailable,
      stateGasAvailable: stateGasAvailable, blobsAvailable: blobsAvailable)
    {
      return TransactionResult(
        error: error, status: .stopped, gasUsed: 0, gasRefunded: 0, effectiveGasPrice: .zero)
    }

    // Payment in advance. Validation has shown that the balance covers it.
    let priority = min(
      transaction.maxPriorityFeePerGas, transaction.maxFeePerGas &- block.baseFeePerGas)
    let isFree = isFree(transaction)
    let price = isFree ? .zero : priority &+ block.baseFeePerGas
    let blobGas = UInt64(transaction.blobHashes.count) &* Self.gasPerBlob
    let fee =
      UInt256(transaction.gasLimit) &* price &+ UInt256(blobGas) &* block.blobBaseFee
    origin = transaction.sender
    gasPrice = price
    blobHashes = transaction.blobHashes
    if !journal.setBalance(sender, sender.pointee.balance &- fee)
      || !journal.setNonce(sender, transaction.nonce &+ 1)
    {
      return faulted()
    }
    var gas = Int64(transaction.gasLimit) &- costs.intrinsic
    if fork >= .amsterdam {
      // What is above the limit of a transaction can only pay for new state (EIP-8037).
      let most = Int64(schedule.transactionGasLimit) &- costs.regular
      journal.stateGas.left = max(gas &- most, 0)
      gas &-= journal.stateGas.left
    }
    let setAside = journal.stateGas.left
    guard let parties = warmUp(transaction, sender: sender), setDelegations(transaction)
    else { return faulted() }
    let delegationCredit = journal.stateGas.left &- setAside

    var created: Address?
    let gasLeft = runFirst(
      start(
        parties, sender: transaction.sender, recipient: transaction.recipient,
        nonce: transaction.nonce, value: transaction.value, data: transaction.data, gas: gas,
        created: &created))
    if exitStatus.isFault { return faulted(exitStatus) }
    // A failure has gone back to the refund of the delegations, which came before its checkpoint.

    // Refund, floor and fees.
    creditDestroyed()
    let spent = Int64(transaction.gasLimit) &- gasLeft &- journal.stateGas.left
    let refund = min(spent / schedule.refundQuotient, journal.refund)
    let used = max(spent &- refund, costs.floor)
    let unused = UInt256(UInt64(Int64(transaction.gasLimit) &- used)) &* price
    let reward = isFree ? .zero : UInt256(UInt64(used)) &* (price &- block.baseFeePerGas)
    guard journal.setBalance(sender, sender.pointee.balance &+ unused),
      let coinbase = journal.loaded(block.coinbase, &view),
      journal.setBalance(coinbase, coinbase.pointee.balance &+ reward), logDestroyed()
    else { return faulted() }
    var result = TransactionResult(
      error: nil, status: exitStatus, gasUsed: UInt64(used), gasRefunded: UInt64(refund),
      effectiveGasPrice: price, createdAddress: created)
    if fork < .amsterdam {
      result.regularGas = result.gasUsed
    } else {
      let regular =
        spent &+ delegationCredit &- costs.state &- journal.stateGas.used
        &- journal.stateGas.lost
      result.regularGas = UInt64(max(regular, costs.floor))
      result.stateGas = UInt64(max(costs.state &+ journal.stateGas.used, 0))
    }
    return result
  }

  /// Calls a contract as the system does at a block's edges: no fee, no nonce, no value (EIP-4788,
  /// EIP-2935, EIP-7002, EIP-7251).
  public mutating func systemCall(
    to address: Address, data: UnsafeBufferPointer<UInt8>, gas: UInt64 = 30_000_000
  ) -> TransactionResult {
    begin()
    origin = .system
    gasPrice = block.baseFeePerGas
    blobHashes = UnsafeBufferPointer(start: nil, count: 0)
    guard let callee = journal.loaded(address, &view) else { return faulted() }
    let message = firstMessage(.delegateCall, on: callee, gas: Int64(gas), data: data)
    message.pointee.caller = .system
    message.pointee.value = .zero
    let gasLeft = runFirst(
      enter(message, codeOwner: callee, isDelegated: false, payer: nil, depth: 0))
    if exitStatus.isFault { return faulted(exitStatus) }
    return TransactionResult(
      error: nil, status: exitStatus, gasUsed: UInt64(Int64(gas) &- gasLeft), gasRefunded: 0,
      effectiveGasPrice: .zero)
  }

  /// Executes the message call of a transaction and nothing else of it: nothing is validated, no
  /// intrinsic gas and no fee is taken, the nonce stays. `gasLimit` is the first frame's gas and
  /// `maxFeePerGas` the gas price; the sender has the value.
  ///
  /// `gasUsed` is before refunds and `gasRefunded` what would be given back without a cap.
  @inline(__always)
  public mutating func call(_ transaction: TransactionMessage) -> TransactionResult {
    begin()
    origin = transaction.sender
    gasPrice = transaction.maxFeePerGas
    blobHashes = transaction.blobHashes
    guard let sender = journal.entry(transaction.sender),
      transaction.value.isZero || journal.load(sender, transaction.sender, &view),
      let parties = warmUp(transaction, sender: sender)
    else { return faulted() }
    let gas = Int64(clamping: transaction.gasLimit)
    var created: Address?
    let gasLeft = runFirst(
      start(
        parties, sender: transaction.sender, recipient: transaction.recipient,
        nonce: transaction.nonce, value: transaction.value, data: transaction.data, gas: gas,
        created: &created))
    if exitStatus.isFault { return faulted(exitStatus) }
    return TransactionResult(
      error: nil, status: exitStatus, gasUsed: UInt64(gas &- gasLeft &- journal.stateGas.left),
      gasRefunded: UInt64(max(0, journal.refund)), effectiveGasPrice: gasPrice,
      createdAddress: created)
  }

  private mutating func begin() {
    journal.reset()
    returnDataCount = 0
    outputStart = UnsafePointer(workspace.returnData)
    exitStatus = .stopped
    stateByteGas = StateGas.perByte(fork, gasLimit: block.gasLimit)
  }

  private func faulted(_ status: ExecutionStatus? = nil) -> TransactionResult {
    TransactionResult(
      error: nil, status: status ?? journal.fault, gasUsed: 0, gasRefunded: 0,
      effectiveGasPrice: .zero)
  }

  /// Checks everything that makes a transaction invalid in its block, in the order of the execution
  /// specification (`validate_transaction`, then `check_transaction`), so that a transaction with
  /// several faults is refused for the same one.
  @inline(__always)
  private func validate(
    _ transaction: TransactionMessage, _ costs: IntrinsicGas,
    sender: UnsafeMutablePointer<AccountEntry>, gasAvailable: UInt64, stateGasAvailable: UInt64,
    blobsAvailable: Int
  ) -> TransactionError? {
    let type = transaction.type
    let isCreation = transaction.recipient == nil
    if fork < type.since { return .typeNotSupported }
    // What the transaction alone tells. Costs are not negative.
    if transaction.gasLimit < UInt64(bitPattern: costs.intrinsic) { return .intrinsicGasTooLow }
    if transaction.gasLimit < UInt64(bitPattern: costs.floor) { return .gasBelowFloor }
    if transaction.nonce == UInt64.max && !(isTrial && mayBeFree) { return .nonceIsMaximum }
    if isCreation && transaction.data.count > schedule.initCodeSizeLimit {
      return .initCodeTooLarge
    }
    // Costs are not negative. From Amsterdam on gas above the limit may be asked for new state.
    let limited =
      fork < .amsterdam
      ? transaction.gasLimit : UInt64(bitPattern: max(costs.regular, costs.floor))
    if limited > schedule.transactionGasLimit && !isTrial { return .gasLimitExceedsMaximum }
    // What the block tells.
    if transaction.gasLimit > UInt64(Int64.max)
      || costs.mostRegular(of: transaction.gasLimit, schedule) > gasAvailable
      || costs.mostState(of: transaction.gasLimit, schedule) > stateGasAvailable
    {
      return .gasAllowanceExceeded
    }
    let blobs = transaction.blobHashes.count
    if type == .blob && blobs > blobsAvailable { return .blobAllowanceExceeded }
    if transaction.maxPriorityFeePerGas > transaction.maxFeePerGas {
      return .priorityFeeAboveMaxFee
    }
    if transaction.maxFeePerGas < block.baseFeePerGas && !isFree(transaction) {
      return .maxFeeBelowBaseFee
    }
    if type == .blob {
      if blobs == 0 { return .noBlobs }
      if blobs > schedule.transactionBlobLimit { return .tooManyBlobs }
      for hash in transaction.blobHashes where hash.word.bigEndianByte(0) != 0x01 {
        return .invalidBlobVersion
      }
      if transaction.maxFeePerBlobGas < block.blobBaseFee { return .maxBlobFeeBelowBlobBaseFee }
      if isCreation { return .blobCreation }
    }
    if type == .setCode {
      if isCreation { return .setCodeCreation }
      if transaction.authorizations.isEmpty { return .noAuthorizations }
    }
    // What the sender's account tells.
    sender.pointee.observed.insert(.nonce)
    if transaction.nonce < sender.pointee.nonce { return .nonceTooLow }
    if transaction.nonce > sender.pointee.nonce { return .nonceTooHigh }
    if !covers(sender, transaction) { return .insufficientFunds }
    // EIP-3607 holds for every block; only EIP-7702 made an exception.
    if sender.pointee.code.count > 0 && !isTrial
      && (fork < .prague || sender.pointee.code.delegate == nil)
    {
      return .senderNotExternallyOwned
    }
    return nil
  }

  /// Whether a trial offers nothing for its gas, which it then gets for nothing.
  @inline(__always)
  private func isFree(_ transaction: TransactionMessage) -> Bool {
    isTrial && mayBeFree && transaction.maxFeePerGas.isZero
      && transaction.maxPriorityFeePerGas.isZero
  }

  /// Whether a balance pays for the gas and blob gas at their caps, and for the value.
  @inline(__always)
  private func covers(
    _ sender: UnsafeMutablePointer<AccountEntry>, _ transaction: TransactionMessage
  ) -> Bool {
    let gas = UInt256.multiplyFullWidth(
      UInt256(transaction.gasLimit), transaction.maxFeePerGas)
    let blobGas = UInt64(transaction.blobHashes.count) &* Self.gasPerBlob
    let blob = UInt256.multiplyFullWidth(UInt256(blobGas), transaction.maxFeePerBlobGas)
    if !gas.high.isZero || !blob.high.isZero { return false }
    let fees = UInt256.addingReportingCarry(gas.low, blob.low)
    let all = UInt256.addingReportingCarry(fees.value, transaction.value)
    return !fees.carry && !all.carry && journal.has(all.value, sender)
  }

  /// Finds the recipient and fills the warm set (EIP-2929, EIP-2930, EIP-3651). `nil` on exhaustion.
  @inline(__always)
  private mutating func warmUp(
    _ transaction: TransactionMessage, sender: UnsafeMutablePointer<AccountEntry>
  ) -> Parties? {
    var parties = Parties(sender: sender, recipient: nil)
    if let recipient = transaction.recipient {
      guard let entry = journal.entry(recipient) else { return nil }
      parties.recipient = entry
      if fork >= .berlin { journal.begin(warm: entry) }
    }
    if fork < .berlin { return parties }
    journal.begin(warm: sender)
    if fork >= .shanghai {
      guard let coinbase = journal.entry(block.coinbase) else { return nil }
      journal.begin(warm: coinbase)
    }
    for item in transaction.accessList {
      guard let entry = journal.entry(item.address) else { return nil }
      journal.begin(warm: entry)
      var index = item.firstSlot
      while index < item.firstSlot &+ item.slotCount {
        guard let slot = journal.slot(entry, transaction.accessSlots[index], transient: false)
        else { return nil }
        slot.pointee.isWarm = true
        index &+= 1
      }
    }
    return parties
  }

  /// Applies the authorisations of a set-code transaction (EIP-7702). An invalid one is skipped.
  private mutating func setDelegations(_ transaction: TransactionMessage) -> Bool {
    for item in transaction.authorizations {
      if !item.isValid || item.nonce == UInt64.max { continue }
      if !item.chainID.isZero && item.chainID != block.chainID { continue }
      guard let authority = journal.loaded(item.authority, &view),
        journal.warm(authority) != nil,
        journal.loadCode(authority, &view, zeros: workspace.zeros)
      else { return false }
      let code = authority.pointee.code
      if code.count > 0 && code.delegate == nil { continue }
      authority.pointee.observed.formUnion([.nonce, .emptiness])
      if authority.pointee.nonce != item.nonce { continue }
      if authority.pointee.exists {
        journal.refund &+= schedule.authorizationRefund
        // The account that was charged for is not new (EIP-8037).
        journal.stateGas.left &+= StateGas.account &* stateByteGas
      }
      if !delegate(authority, to: item.address)
        || !journal.setNonce(authority, item.nonce &+ 1)
      {
        return false
      }
    }
    return true
  }

  private mutating func delegate(
    _ authority: UnsafeMutablePointer<AccountEntry>, to address: Address
  ) -> Bool {
    if address == .zero {
      return journal.setCode(authority, workspace.zeros, count: 0, hash: .emptyCode)
    }
    // The designator is written where no frame's memory is yet.
    let bytes = workspace.memory
    if workspace.memoryEnd - bytes < 23 { return false }
    bytes[0] = 0xef
    bytes[1] = 0x01
    bytes[2] = 0x00
    address.store(bytes: bytes + 3)
    let designator = UnsafeBufferPointer(start: UnsafePointer(bytes), count: 23)
    return journal.setCode(
      authority, bytes, count: 23, hash: Keccak256.hash(designator))
  }

  /// Enters the first frame. It gets values, so that the message need not be in memory.
  private mutating func start(
    _ parties: Parties, sender: Address, recipient: Address?, nonce: UInt64, value: UInt256,
    data: UnsafeBufferPointer<UInt8>, gas: Int64, created: inout Address?
  ) -> Entry {
    guard let recipient, let callee = parties.recipient else {
      let address = Address.created(by: sender, nonce: nonce)
      created = address
      return enterCreation(
        at: address, kind: .create, creator: parties.sender, value: value, gas: gas,
        initCode: data, depth: 0, stack: workspace.stack, memory: workspace.memory)
    }
    if !journal.load(callee, recipient, &view)
      || !journal.loadCode(callee, &view, zeros: workspace.zeros)
    {
      return .done(journal.fault, gas: 0)
    }
    var codeOwner = callee
    var isDelegated = false
    if fork >= .prague, let delegate = callee.pointee.code.delegate {
      // The first delegate is warm without a charge.
      guard let owner = journal.loaded(delegate, &view), journal.warm(owner) != nil else {
        return .done(journal.fault, gas: 0)
      }
      codeOwner = owner
      isDelegated = true
    }
    let message = firstMessage(.call, on: callee, gas: gas, data: data)
    message.pointee.caller = sender
    message.pointee.value = value
    return enter(
      message, codeOwner: codeOwner, isDelegated: isDelegated, payer: parties.sender, depth: 0)
  }

  /// The message of the first frame, but for its caller and value.
  @inline(__always)
  private func firstMessage(
    _ kind: FrameKind, on account: UnsafeMutablePointer<AccountEntry>, gas: Int64,
    data: UnsafeBufferPointer<UInt8>
  ) -> UnsafeMutablePointer<Frame> {
    let message = workspace.frames
    message.pointee.begin(
      on: account, gas: gas, stack: workspace.stack, memory: workspace.memory)
    message.pointee.kind = kind
    message.pointee.isStatic = false
    message.pointee.input = data.baseAddress ?? UnsafePointer(workspace.zeros)
    message.pointee.inputCount = data.count
    return message
  }

  /// Runs the first frame, where there is one, until it is over. Gives the gas left; `exitStatus`
  /// says how it ended.
  private mutating func runFirst(_ entry: Entry) -> Int64 {
    switch entry {
    case .entered:
      depth = 0
      run()
      return workspace.frames.pointee.gas
    case .done(let status, let left):
      exitStatus = status
      return left
    }
  }
}

/// The journal's entries of a transaction's two ends; a creation has no recipient.
private struct Parties: BitwiseCopyable {
  var sender: UnsafeMutablePointer<AccountEntry>
  var recipient: UnsafeMutablePointer<AccountEntry>?
}

extension Address {
  /// The caller of system calls (EIP-4788).
  public static var system: Address {
    Address(UInt256(0xffff_ffff_ffff_fffe, ~0, 0xffff_ffff, 0))
  }
}
