// CREATE, CREATE2, SELFDESTRUCT, and deployment.
// Contract: stack checked, static gas paid, registers in the frame's record.

extension Machine {
  /// CREATE and CREATE2 (EIP-1014).
  mutating func create(_ frame: UnsafeMutablePointer<Frame>, _ kind: FrameKind) -> Step {
    let value = frame.pointee.word(0)
    let offset = frame.pointee.word(1)
    let count = frame.pointee.word(2)
    let salt = kind == .create2 ? frame.pointee.word(3) : .zero
    frame.pointee.stack -= kind == .create2 ? 4 : 3

    if frame.pointee.isStatic { return exit(.staticViolation) }
    if count.clampedToUInt64 > UInt64(schedule.initCodeSizeLimit) {  // EIP-3860
      return exit(.initCodeTooLarge)
    }
    let perWord = schedule.initCodeWord &+ (kind == .create2 ? schedule.keccakWord : 0)
    if !frame.pointee.charge(wordCost(count, perWord)) { return exit(.outOfGas) }
    let status = expandMemory(frame, offset, count)
    if status != .stopped { return exit(status) }
    if !chargeState(frame, bytes: StateGas.account) { return exit(.outOfGas) }

    // A creation's cost is told without the child's gas, as go-ethereum's traces have it.
    if Tracer.isEnabled { tracer.didCharge(gas: frame.pointee.gas) }
    var childGas = frame.pointee.gas
    if schedule.keepsSixtyFourth { childGas &-= childGas / 64 }
    frame.pointee.gas &-= childGas
    returnDataCount = 0

    let creator = frame.pointee.account
    let nonce = creator.pointee.nonce
    if !journal.has(value, creator) || nonce == UInt64.max || depth &+ 1 > Frame.stackLimit {
      creator.pointee.observed.insert(.nonce)
      frame.pointee.gas &+= childGas
      creditState(frame, bytes: StateGas.account)
      frame.pointee.replace(0, .zero)
      return .next
    }
    let initCode = UnsafeBufferPointer(
      start: UnsafePointer(frame.pointee.memory + (count.isZero ? 0 : Int(offset.limb0))),
      count: Int(count.limb0))
    let address =
      kind == .create2
      ? Address.created(by: frame.pointee.address, salt: salt, initCode: initCode)
      : Address.created(by: frame.pointee.address, nonce: nonce)
    if !journal.setNonce(creator, nonce &+ 1) { return fault() }

    switch enterCreation(
      at: address, kind: kind, creator: creator, value: value, gas: childGas, initCode: initCode,
      depth: depth &+ 1, stack: frame.pointee.stack,
      memory: frame.pointee.memory + frame.pointee.memoryCount)
    {
    case .entered:
      depth &+= 1
      return .enter
    case .done(let status, _):
      if status.isFault { return exit(status) }
      // A collision takes the child's gas.
      creditState(frame, bytes: StateGas.account)
      frame.pointee.replace(0, .zero)
      return .next
    }
  }

  /// Begins a creation: pushes the frame of its initialisation code, or ends it because the
  /// address is taken (EIP-684, EIP-7610).
  mutating func enterCreation(
    at address: Address, kind: FrameKind, creator: UnsafeMutablePointer<AccountEntry>,
    value: UInt256, gas: Int64, initCode: UnsafeBufferPointer<UInt8>, depth: Int,
    stack: UnsafeMutablePointer<UInt256>, memory: UnsafeMutablePointer<UInt8>
  ) -> Entry {
    guard let account = journal.loaded(address, &view) else { return .done(journal.fault, gas: 0) }
    if fork >= .berlin && journal.warm(account) == nil { return .done(journal.fault, gas: 0) }
    account.pointee.observed.insert(.nonce)
    if account.pointee.nonce != 0 || account.pointee.codeHash != .emptyCode
      || account.pointee.record.hasStorage
    {
      return .done(.addressCollision, gas: 0)
    }

    // The initialisation code lies, padded and mapped, between the caller's memory and its own.
    let bytes = initCode.count &+ Code.padding &+ Code.mapBytes(initCode.count)
    let own = memory + ((bytes &+ 31) & ~31)
    if bytes > workspace.memoryEnd - memory || own > workspace.memoryEnd {
      return .done(.workspaceExhausted, gas: 0)
    }
    if let start = initCode.baseAddress {
      UnsafeMutableRawPointer(memory).copyMemory(from: start, byteCount: initCode.count)
    }
    (memory + initCode.count).update(repeating: 0, count: Code.padding)
    let map = memory + initCode.count + Code.padding
    Code.analyze(memory, count: initCode.count, into: map)

    let checkpoint = journal.checkpoint
    if !journal.setFlags(account, account.pointee.flags.union([.created, .exists, .touched]))
      || (fork >= .spuriousDragon && !journal.setNonce(account, 1))
      || !transfer(value, from: creator, to: account)
    {
      return .done(journal.fault, gas: 0)
    }
    if Tracer.isEnabled {
      tracer.willEnter(
        depth: depth &+ 1, from: creator.pointee.address, to: address, value: value, gas: gas,
        input: initCode)
    }
    let message = workspace.frames + depth
    message.pointee.begin(on: account, gas: gas, stack: stack, memory: own)
    message.pointee.kind = kind
    message.pointee.isStatic = false
    message.pointee.caller = creator.pointee.address
    message.pointee.value = value
    message.pointee.input = UnsafePointer(memory)
    message.pointee.inputCount = 0
    message.pointee.checkpoint = checkpoint
    var code = Code(bytes: memory, jumpDestinations: map, count: initCode.count)
    return push(message, &code, depth: depth)
  }

  /// Gives the created account the code that its initialisation code returned; `exitStatus` tells
  /// when it can not.
  mutating func deploy(_ frame: UnsafeMutablePointer<Frame>) {
    let count = exitStatus == .returned ? frame.pointee.outputCount : 0
    if count == 0 { return }
    let bytes = UnsafePointer(frame.pointee.memory + frame.pointee.outputOffset)
    if count > schedule.codeSizeLimit {
      exitStatus = .codeTooLarge
      return
    }
    if fork >= .london && bytes[0] == 0xef {  // EIP-3541
      exitStatus = .invalidCodePrefix
      return
    }
    let words = Int64((count &+ 31) >> 5)
    let cost = Int64(count) &* schedule.codeDepositByte &+ words &* schedule.codeDepositWord
    if !frame.pointee.charge(cost) || !chargeState(frame, bytes: Int64(count)) {
      if fork >= .homestead {  // EIP-2
        exitStatus = .outOfGas
      } else {
        frame.pointee.outputCount = 0
      }
      return
    }
    if Tracer.isEnabled { tracer.didDeposit(gas: cost) }
    let hash = Keccak256.hash(UnsafeBufferPointer(start: bytes, count: count))
    if !journal.setCode(frame.pointee.account, bytes, count: count, hash: hash) {
      exitStatus = journal.fault
    }
  }

  /// SELFDESTRUCT (EIP-150, EIP-161, EIP-3529, EIP-6780).
  mutating func selfDestruct(_ frame: UnsafeMutablePointer<Frame>) -> Step {
    if frame.pointee.isStatic { return exit(.staticViolation) }
    let account = frame.pointee.account
    let address = Address(frame.pointee.word(0))
    guard let beneficiary = journal.entry(address) else { return fault() }
    guard var cost = accessSurcharge(beneficiary) else { return fault() }
    // Its static gas has no warm part: a cold beneficiary pays the whole cold price.
    if cost > 0 { cost &+= schedule.warmAccess }
    if !frame.pointee.charge(cost) { return exit(.outOfGas) }
    if Tracer.isEnabled && cost > 0 { tracer.didPayForColdAccount(gas: cost) }
    if !journal.load(beneficiary, address, &view) { return fault() }
    beneficiary.pointee.observed.insert(.emptiness)
    account.pointee.observed.insert(.balance)
    let creates =
      fork >= .spuriousDragon
      ? beneficiary.pointee.isEmpty && !account.pointee.balance.isZero
      : !beneficiary.pointee.exists
    if creates
      && (!frame.pointee.charge(schedule.selfDestructNewAccount)
        || !chargeState(frame, bytes: StateGas.account))
    {
      return exit(.outOfGas)
    }

    if !account.pointee.isDestroyed { journal.refund &+= schedule.selfDestructRefund }
    let balance = account.pointee.balance
    if !journal.touch(beneficiary)
      || !journal.setBalance(account, .zero)
      || !journal.setBalance(beneficiary, beneficiary.pointee.balance &+ balance)
      || (fork >= .amsterdam && !logTransfer(balance, from: account, to: beneficiary))
    {
      return fault()
    }
    if fork < .cancun || account.pointee.isCreated {
      // Wei that the account sends to itself are burnt with it.
      if fork >= .amsterdam && !logBurn(account.pointee.balance, of: account) { return fault() }
      if !journal.setBalance(account, .zero)
        || !journal.setFlags(account, account.pointee.flags.union(.destroyed))
      {
        return fault()
      }
    }
    return exit(.selfDestructed)
  }
}

extension Address {
  /// The address that CREATE gives: the hash of the creator's address and nonce in RLP.
  public static func created(by creator: Address, nonce: UInt64) -> Address {
    var buffer = InlineArray<32, UInt8>(repeating: 0)
    return withUnsafeMutableBytes(of: &buffer) { buffer in
      let bytes = buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)
      bytes[1] = 0x94
      creator.store(bytes: bytes + 2)
      var count = 22
      if nonce < 0x80 {
        bytes[count] = nonce == 0 ? 0x80 : UInt8(truncatingIfNeeded: nonce)
        count &+= 1
      } else {
        let width = (71 &- nonce.leadingZeroBitCount) >> 3
        bytes[count] = 0x80 &+ UInt8(truncatingIfNeeded: width)
        count &+= 1
        var index = width &- 1
        while index >= 0 {
          bytes[count] = UInt8(truncatingIfNeeded: nonce >> UInt64(index &* 8))
          count &+= 1
          index &-= 1
        }
      }
      bytes[0] = 0xc0 &+ UInt8(truncatingIfNeeded: count &- 1)
      let input = UnsafeBufferPointer(start: UnsafePointer(bytes), count: count)
      return Address(Keccak256.hash(input).word)
    }
  }

  /// The address that CREATE2 gives (EIP-1014).
  public static func created(
    by creator: Address, salt: UInt256, initCode: UnsafeBufferPointer<UInt8>
  ) -> Address {
    let codeHash = Keccak256.hash(initCode)
    var buffer = InlineArray<85, UInt8>(repeating: 0)
    return withUnsafeMutableBytes(of: &buffer) { buffer in
      let bytes = buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)
      bytes[0] = 0xff
      creator.store(bytes: bytes + 1)
      salt.store(bigEndian: bytes + 21)
      codeHash.store(bytes: bytes + 53)
      let input = UnsafeBufferPointer(start: UnsafePointer(bytes), count: 85)
      return Address(Keccak256.hash(input).word)
    }
  }
}
