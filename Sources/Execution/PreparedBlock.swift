public import EVM
public import Ethereum

/// A transaction with what signatures told: its sender and its authorisations' signers.
public struct PreparedTransaction: Sendable {
  /// The transaction.
  public var transaction: Transaction {
    didSet { roughNanoseconds = Self.roughNanoseconds(transaction) }
  }
  /// Who signed it.
  public var sender: Address
  /// Who signed each authorisation; `nil` where the signature is invalid.
  public var authorities: [Address?]
  /// Whether nobody signed it: the sender may be any account, one with code among them. Development
  /// chains have such transactions; the serial executor alone knows them.
  package var isImpersonated = false
  /// About how long it takes, in nanoseconds. The parallel executor looks at all of them before it
  /// begins, so it lies beside the sender.
  private(set) var roughNanoseconds: UInt64

  /// A transaction whose sender is known; recovers the signers of its authorisations.
  public init(_ transaction: Transaction, sender: Address) {
    self.transaction = transaction
    self.sender = sender
    authorities = transaction.authorizationList.map { $0.recoverAuthority() }
    roughNanoseconds = Self.roughNanoseconds(transaction)
  }

  /// A transaction whose sender and the signers of whose authorisations are known.
  package init(_ transaction: Transaction, sender: Address, authorities: [Address?]) {
    self.transaction = transaction
    self.sender = sender
    self.authorities = authorities
    roughNanoseconds = Self.roughNanoseconds(transaction)
  }

  /// As far as a transaction tells: code runs through some 8 gas in a nanosecond, and few transactions use
  /// all of their gas.
  private static func roughNanoseconds(_ transaction: Transaction) -> UInt64 {
    transaction.data.isEmpty && transaction.to != nil
      ? 700 : 2000 &+ min(transaction.gasLimit, 1 << 40) / 16
  }

  /// Recovers the sender. `requiresLowS` is EIP-2's rule, from Homestead on.
  public init(_ transaction: Transaction, requiresLowS: Bool = true) throws(FormatError) {
    self.init(transaction, sender: try transaction.recoverSender(requiresLowS: requiresLowS))
  }
}

/// All that executing a block needs besides the state.
public struct PreparedBlock: Sendable {
  /// What happens to a transaction that is not valid.
  public enum InvalidTransactions: Sendable {
    /// The block is invalid.
    case failBlock
    /// It is left out and reported (building a block; the transition tool).
    case reject
  }

  /// The rules.
  public var fork: Fork
  /// The block as opcodes see it.
  public var environment: BlockEnvironment
  /// The transactions in order.
  public var transactions: [PreparedTransaction]
  /// Withdrawals from the beacon chain (EIP-4895).
  public var withdrawals: [Withdrawal]
  /// The hash of the parent, stored by a system call (EIP-2935).
  public var parentHash: Hash256?
  /// The beacon chain's root, stored by a system call (EIP-4788).
  public var parentBeaconBlockRoot: Hash256?
  /// Hashes of the last 256 blocks by number.
  public var blockHashes: [UInt64: Hash256]
  /// The most blobs in the block.
  public var maxBlobs: Int
  /// Wei for the coinbase before Paris; `nil` where there is no reward.
  public var reward: UInt256?
  /// The coinbases of the ommers and how many blocks older they are.
  public var ommers: [(coinbase: Address, depth: UInt64)]
  /// What happens to a transaction that is not valid.
  public var invalidTransactions: InvalidTransactions
  /// Whether the system contracts are called, at both edges of the block.
  public var callsSystemContracts: Bool

  /// Whether the state is only the part of the chain's that the block touches: a request contract
  /// may then be missing (EIP-7002, EIP-7251), and receipts before Byzantium have no state root.
  public var isPartialState: Bool

  /// Whether the block begins with the DAO fork's irregular state change (EIP-779).
  public var movesDAO: Bool

  /// The access list that came with the block, to be checked against what execution gives (EIP-7928).
  public var accessList: BlockAccessList?
  /// Whether the outcome gets an access list: from Amsterdam on, unless told otherwise.
  public var recordsAccessList: Bool

  /// A block without transactions.
  public init(fork: Fork, environment: BlockEnvironment) {
    self.fork = fork
    self.environment = environment
    transactions = []
    withdrawals = []
    blockHashes = [:]
    maxBlobs = 0
    ommers = []
    invalidTransactions = .failBlock
    callsSystemContracts = true
    isPartialState = false
    movesDAO = false
    recordsAccessList = fork >= .amsterdam
  }
}
