/// What the opcodes may ask of the block.
public struct BlockEnvironment: BitwiseCopyable, Sendable {
  /// The chain's identifier (EIP-155).
  public var chainID: UInt256
  /// The block's number.
  public var number: UInt64
  /// Seconds since 1970.
  public var timestamp: UInt64
  /// The most gas that the block's transactions may use.
  public var gasLimit: UInt64
  /// Who receives the fees.
  public var coinbase: Address
  /// The beacon chain's randomness from Paris on (EIP-4399), the difficulty before.
  public var prevRandao: UInt256
  /// Wei for each gas, burnt (EIP-1559); zero before London.
  public var baseFeePerGas: UInt256
  /// Wei for each blob gas (EIP-4844); zero before Cancun.
  public var blobBaseFee: UInt256
  /// The beacon chain's slot (EIP-7843); zero before Amsterdam.
  public var slotNumber: UInt64 = 0

  /// An environment of these values.
  public init(
    chainID: UInt256 = 1, number: UInt64 = 0, timestamp: UInt64 = 0,
    gasLimit: UInt64 = 30_000_000, coinbase: Address = .zero, prevRandao: UInt256 = .zero,
    baseFeePerGas: UInt256 = .zero, blobBaseFee: UInt256 = 1
  ) {
    self.chainID = chainID
    self.number = number
    self.timestamp = timestamp
    self.gasLimit = gasLimit
    self.coinbase = coinbase
    self.prevRandao = prevRandao
    self.baseFeePerGas = baseFeePerGas
    self.blobBaseFee = blobBaseFee
  }
}

/// An account of an access list; its slots lie in the message's `accessSlots` (EIP-2930).
public struct AccessListItem: BitwiseCopyable, Sendable {
  /// The account.
  public var address: Address
  /// Index of its first slot.
  public var firstSlot: Int
  /// How many slots it has.
  public var slotCount: Int

  /// An item of these values.
  public init(address: Address, firstSlot: Int, slotCount: Int) {
    self.address = address
    self.firstSlot = firstSlot
    self.slotCount = slotCount
  }
}

/// An authorisation whose signer the host has recovered (EIP-7702).
public struct AuthorizationItem: BitwiseCopyable, Sendable {
  /// The chain it is for; zero for any.
  public var chainID: UInt256
  /// The code to delegate to; zero removes a delegation.
  public var address: Address
  /// The nonce that the authority must have.
  public var nonce: UInt64
  /// Who signed.
  public var authority: Address
  /// Whether the signature is valid.
  public var isValid: Bool

  /// An item of these values.
  public init(
    chainID: UInt256, address: Address, nonce: UInt64, authority: Address, isValid: Bool
  ) {
    self.chainID = chainID
    self.address = address
    self.nonce = nonce
    self.authority = authority
    self.isValid = isValid
  }
}

/// A transaction as the machine takes it: decoded, its sender known, its lists in memory that the
/// caller keeps alive.
public struct TransactionMessage: BitwiseCopyable {
  /// The envelope.
  public var type: TransactionType
  /// Who signed.
  public var sender: Address
  /// The recipient; `nil` creates a contract.
  public var recipient: Address?
  /// The sender's nonce before.
  public var nonce: UInt64
  /// Gas bought.
  public var gasLimit: UInt64
  /// Wei moved.
  public var value: UInt256
  /// Wei for each gas at most; the gas price of a legacy or access list transaction.
  public var maxFeePerGas: UInt256
  /// Wei for each gas to the coinbase at most; the gas price of a legacy transaction.
  public var maxPriorityFeePerGas: UInt256
  /// Wei for each blob gas at most.
  public var maxFeePerBlobGas: UInt256
  /// Call data or initialisation code.
  public var data: UnsafeBufferPointer<UInt8>
  /// Accounts to warm.
  public var accessList: UnsafeBufferPointer<AccessListItem>
  /// Slots to warm, grouped by account.
  public var accessSlots: UnsafeBufferPointer<UInt256>
  /// Versioned hashes of the blobs.
  public var blobHashes: UnsafeBufferPointer<Hash256>
  /// Delegations to set.
  public var authorizations: UnsafeBufferPointer<AuthorizationItem>

  /// A legacy transaction without data; set the rest afterwards.
  public init(sender: Address, recipient: Address?, gasLimit: UInt64) {
    type = .legacy
    self.sender = sender
    self.recipient = recipient
    nonce = 0
    self.gasLimit = gasLimit
    value = .zero
    maxFeePerGas = .zero
    maxPriorityFeePerGas = .zero
    maxFeePerBlobGas = .zero
    data = UnsafeBufferPointer(start: nil, count: 0)
    accessList = UnsafeBufferPointer(start: nil, count: 0)
    accessSlots = UnsafeBufferPointer(start: nil, count: 0)
    blobHashes = UnsafeBufferPointer(start: nil, count: 0)
    authorizations = UnsafeBufferPointer(start: nil, count: 0)
  }
}
