/// What gas and time are spent on: glue, one kind of heavy work each, or the upkeep around both.
@frozen
public enum ProfileBucket: UInt8, BitwiseCopyable, Equatable, Sendable {
  // Before a transaction runs.
  /// The check of the signature: 3,000 of the 21,000 gas of every transaction, the price of the
  /// precompile that does the same.
  case intrinsicSignature
  /// The rest of the 21,000: nonce, fees, the accounts that every transaction writes.
  case intrinsicBase
  case intrinsicCalldata
  /// Access lists and authorisations.
  case intrinsicLists
  /// What the least price of the data adds to the gas used (EIP-7623).
  case calldataFloor

  // Opcodes.
  /// Everything that no other bucket takes: the stack, memory, jumps, arithmetic.
  case glue
  case storageRead
  case storageWrite
  /// Opcodes that look at or call another account, with memory and value, without the callee's gas.
  case accountAccess
  case log
  case hash
  /// Creations and the code that they deposit.
  case create

  // Precompiles, in the order of their addresses.
  case ecRecover
  case sha256
  case ripemd160
  case identity
  case modExp
  case bn254Add
  case bn254Multiply
  case bn254Pairing
  case blake2F
  case pointEvaluation
  case blsG1Add
  case blsG1MSM
  case blsG2Add
  case blsG2MSM
  case blsPairing
  case blsMapFpToG1
  case blsMapFp2ToG2
  case p256Verify

  /// Gas that exceptional halts take.
  case halt

  // Around the machine.
  /// Reads of the state, and taking over what a transaction changed.
  case database
  case senderRecovery
  case transactionRoot
  case receiptRoot
  case trieRoot
  /// Calls that the protocol makes at a block's edges.
  case systemCall
  /// Receipts, withdrawals, rewards, requests.
  case upkeep
  /// Tries that ran out of workspace.
  case rerun
  /// What watching costs.
  case profiler

  /// How many there are.
  @inline(__always)
  public static var count: Int { Int(profiler.rawValue) &+ 1 }

  /// The bucket of an opcode.
  package init(opcode: UInt8) {
    switch opcode {
    case Opcode.sload: self = .storageRead
    case Opcode.sstore: self = .storageWrite
    case Opcode.balance, Opcode.extcodesize, Opcode.extcodecopy, Opcode.extcodehash, Opcode.call,
      Opcode.callcode, Opcode.delegatecall, Opcode.staticcall, Opcode.selfdestruct:
      self = .accountAccess
    case Opcode.log0...Opcode.log4: self = .log
    case Opcode.keccak256: self = .hash
    case Opcode.create, Opcode.create2: self = .create
    default: self = .glue
    }
  }

  /// The bucket of the precompile at an address.
  @inline(__always)
  package init(precompile: Precompile) {
    let place =
      precompile == .p256Verify
      ? ProfileBucket.p256Verify.rawValue
      : ProfileBucket.ecRecover.rawValue &+ UInt8(truncatingIfNeeded: precompile.rawValue &- 1)
    self = ProfileBucket(rawValue: place) ?? .glue
  }
}
