/// A static gas cost by name; `GasSchedule` gives its amount under a fork.
public enum StaticGas: UInt8, BitwiseCopyable, Sendable {
  case zero
  case base
  case veryLow
  case low
  case mid
  case high
  case jumpDestination
  case keccak
  case blockHash
  case balance
  case externalCode
  case externalCodeHash
  case storageLoad
  case warmAccess
  case call
  case create
  case selfDestruct
  case log0
  case log1
  case log2
  case log3
  case log4
}

/// How SSTORE is charged and refunded.
package enum StorageRule: UInt8, BitwiseCopyable, Sendable {
  /// By the current and the new value alone (yellow paper, before Constantinople; Petersburg).
  case simple
  /// Net gas metering with the original value (EIP-1283, EIP-2200, EIP-2929, EIP-3529).
  case net
}

/// The gas constants of a fork, each in gas.
///
/// Forks are deltas: every value starts as Frontier's and is changed where an EIP changed it.
/// Accesses charge a static part when the opcode is dispatched; from Berlin on that is the warm
/// price, and a cold access adds `coldAccountSurcharge` or `coldSlotSurcharge` (EIP-2929).
public struct GasSchedule: BitwiseCopyable, Sendable {
  /// The fork that this is the schedule of.
  public let fork: Fork

  package var balance: Int64 = 20
  package var externalCode: Int64 = 20
  package var externalCodeHash: Int64 = 400
  package var storageLoad: Int64 = 50
  package var call: Int64 = 40
  package var selfDestruct: Int64 = 0
  package var warmAccess: Int64 = 100
  package var coldAccountSurcharge: Int64 = 0
  package var coldSlotSurcharge: Int64 = 0

  package var exponentByte: Int64 = 10
  package var memoryWord: Int64 = 3
  package var copyWord: Int64 = 3
  package var keccakWord: Int64 = 6
  package var logByte: Int64 = 8

  package var create: Int64 = 32000
  package var callValue: Int64 = 9000
  package var callStipend: Int64 = 2300
  package var newAccount: Int64 = 25000
  package var selfDestructNewAccount: Int64 = 0
  package var selfDestructRefund: Int64 = 24000
  package var codeDepositByte: Int64 = 200
  /// For each word of deployed code, to hash it (EIP-8037).
  package var codeDepositWord: Int64 = 0
  package var initCodeWord: Int64 = 0
  /// Calls and creations keep a 64th of the remaining gas back (EIP-150).
  package var keepsSixtyFourth = false

  package var storageRule = StorageRule.simple
  package var storageSet: Int64 = 20000
  package var storageReset: Int64 = 5000
  /// What a no-op, or a second change of a slot, costs under net metering.
  package var storageUnchanged: Int64 = 200
  package var storageClearRefund: Int64 = 15000
  /// SSTORE fails with this much gas or less (EIP-2200).
  package var storageSentry: Int64 = 0

  package var transaction: Int64 = 21000
  package var transactionCreate: Int64 = 0
  package var dataZeroByte: Int64 = 4
  package var dataNonZeroByte: Int64 = 68
  package var accessListAddress: Int64 = 2400
  package var accessListSlot: Int64 = 1900
  package var authorization: Int64 = 25000
  /// Refunded when the authority's account exists already (EIP-7702).
  package var authorizationRefund: Int64 = 12500
  /// The least gas for each token of data; a byte that is not zero is four tokens (EIP-7623).
  package var floorToken: Int64 = 0
  /// The tokens of a zero byte (EIP-7976).
  package var zeroByteTokens: Int64 = 1
  /// The least gas for each address of an access list (EIP-7981).
  package var accessListAddressFloor: Int64 = 0
  /// The least gas for each slot of an access list (EIP-7981).
  package var accessListSlotFloor: Int64 = 0
  package var refundQuotient: Int64 = 2

  /// The longest code that may be deployed, in bytes (EIP-170).
  package var codeSizeLimit = Int.max
  /// The longest initialisation code, in bytes (EIP-3860).
  package var initCodeSizeLimit = Int.max
  /// The most gas that a transaction may ask for (EIP-7825).
  package var transactionGasLimit = UInt64.max
  /// The most blobs that a transaction may carry; the block's limit before EIP-7594.
  package var transactionBlobLimit = Int.max

  /// The schedule of a fork.
  public init(_ fork: Fork) {
    self.fork = fork
    if fork >= .homestead {
      transactionCreate = 32000  // EIP-2
    }
    if fork >= .tangerineWhistle {  // EIP-150
      balance = 400
      externalCode = 700
      storageLoad = 200
      call = 700
      selfDestruct = 5000
      selfDestructNewAccount = 25000
      keepsSixtyFourth = true
    }
    if fork >= .spuriousDragon {
      exponentByte = 50  // EIP-160
      codeSizeLimit = 24576  // EIP-170
    }
    if fork == .constantinople {
      storageRule = .net  // EIP-1283, withdrawn by Petersburg
    }
    if fork >= .istanbul {
      balance = 700  // EIP-1884
      externalCodeHash = 700
      storageLoad = 800
      storageRule = .net  // EIP-2200
      storageUnchanged = 800
      storageSentry = 2300
      dataNonZeroByte = 16  // EIP-2028
    }
    if fork >= .berlin {  // EIP-2929
      balance = 100
      externalCode = 100
      externalCodeHash = 100
      storageLoad = 100
      call = 100
      coldAccountSurcharge = 2500
      coldSlotSurcharge = 2000
      storageReset = 5000 - 2100
      storageUnchanged = 100
    }
    if fork >= .london {  // EIP-3529
      storageClearRefund = 4800
      selfDestructRefund = 0
      refundQuotient = 5
    }
    if fork >= .shanghai {  // EIP-3860
      initCodeWord = 2
      initCodeSizeLimit = 49152
    }
    if fork >= .prague {
      floorToken = 10  // EIP-7623
    }
    if fork >= .osaka {
      transactionGasLimit = 1 << 24  // EIP-7825
      transactionBlobLimit = 6  // EIP-7594
    }
    if fork >= .amsterdam {
      codeSizeLimit = 0x8000  // EIP-7954
      initCodeSizeLimit = 0x10000
      floorToken = 16  // EIP-7976
      zeroByteTokens = 4
      accessListAddressFloor = 20 * 64  // EIP-7981
      accessListSlotFloor = 32 * 64
      accessListAddress += accessListAddressFloor
      accessListSlot += accessListSlotFloor
      // EIP-8037: what is new in the state is paid for in state gas.
      create = 9000
      transactionCreate = 9000
      codeDepositByte = 0
      codeDepositWord = 6
      newAccount = 0
      selfDestructNewAccount = 0
      storageSet = storageReset
      authorization = 7500
      authorizationRefund = 0
    }
  }

  /// The amount that a name in the opcode table stands for.
  package func cost(_ gas: StaticGas) -> Int64 {
    switch gas {
    case .zero: 0
    case .base: 2
    case .veryLow: 3
    case .low: 5
    case .mid: 8
    case .high: 10
    case .jumpDestination: 1
    case .keccak: 30
    case .blockHash: 20
    case .balance: balance
    case .externalCode: externalCode
    case .externalCodeHash: externalCodeHash
    case .storageLoad: storageLoad
    case .warmAccess: warmAccess
    case .call: call
    case .create: create
    case .selfDestruct: selfDestruct
    case .log0: 375
    case .log1: 750
    case .log2: 1125
    case .log3: 1500
    case .log4: 1875
    }
  }
}
