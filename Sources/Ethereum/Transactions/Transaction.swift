public import EVM

/// A signed transaction of any type.
///
/// Fields that a type does not have are zero or empty. The fee fields are one pair for all types:
/// a legacy or access-list transaction has its gas price in both.
public struct Transaction: Hashable, Sendable {
  /// The form.
  public var type: TransactionType
  /// The chain that the signature binds to; `nil` for a legacy transaction before EIP-155.
  public var chainID: UInt64?
  /// Transactions that the sender has sent before.
  public var nonce: UInt64
  /// Wei for each unit of gas, at most, in all (`gasPrice` of the first two types).
  public var maxFeePerGas: UInt256
  /// Wei for each unit of gas, at most, for the block's producer.
  public var maxPriorityFeePerGas: UInt256
  /// Gas that may be used.
  public var gasLimit: UInt64
  /// The recipient; `nil` creates a contract.
  public var to: Address?
  /// Wei that go with it.
  public var value: UInt256
  /// Call data, or init code.
  public var data: [UInt8]
  /// Addresses and slots that are warm from the start.
  public var accessList: [AccessListEntry]
  /// Wei for each unit of blob gas, at most.
  public var maxFeePerBlobGas: UInt256
  /// The versioned hashes of the blobs' commitments.
  public var blobVersionedHashes: [Hash256]
  /// Code delegations to set before execution.
  public var authorizationList: [Authorization]
  /// The sender's signature.
  public var signature: Signature

  /// A transaction from its fields; the signature may follow with `sign`.
  public init(
    type: TransactionType = .legacy, chainID: UInt64? = nil, nonce: UInt64 = 0,
    maxFeePerGas: UInt256 = .zero, maxPriorityFeePerGas: UInt256 = .zero, gasLimit: UInt64 = 0,
    to: Address? = nil, value: UInt256 = .zero, data: [UInt8] = [],
    accessList: [AccessListEntry] = [], maxFeePerBlobGas: UInt256 = .zero,
    blobVersionedHashes: [Hash256] = [], authorizationList: [Authorization] = [],
    signature: Signature = Signature()
  ) {
    self.type = type
    self.chainID = chainID
    self.nonce = nonce
    self.maxFeePerGas = maxFeePerGas
    self.maxPriorityFeePerGas = maxPriorityFeePerGas
    self.gasLimit = gasLimit
    self.to = to
    self.value = value
    self.data = data
    self.accessList = accessList
    self.maxFeePerBlobGas = maxFeePerBlobGas
    self.blobVersionedHashes = blobVersionedHashes
    self.authorizationList = authorizationList
    self.signature = signature
  }

  /// The gas price of a legacy or access-list transaction, which is both of its fees.
  public var gasPrice: UInt256 {
    get { maxFeePerGas }
    set {
      maxFeePerGas = newValue
      maxPriorityFeePerGas = newValue
    }
  }

  /// Whether it creates a contract.
  public var createsContract: Bool { to == nil }
}

/// An address and the slots of it that are warm from the start (EIP-2930).
public struct AccessListEntry: Hashable, Sendable {
  /// The account.
  public var address: Address
  /// Its slots.
  public var storageKeys: [UInt256]

  /// An entry from its parts.
  public init(address: Address, storageKeys: [UInt256] = []) {
    self.address = address
    self.storageKeys = storageKeys
  }
}

/// A signature on secp256k1.
public struct Signature: Hashable, Sendable {
  /// Whether the y coordinate of the nonce point is odd.
  public var yParity: Bool
  /// The x coordinate of the nonce point, modulo the curve's order.
  public var r: UInt256
  /// The proof.
  public var s: UInt256

  /// A signature from its parts; all zero by default, which is no valid signature.
  public init(yParity: Bool = false, r: UInt256 = .zero, s: UInt256 = .zero) {
    self.yParity = yParity
    self.r = r
    self.s = s
  }
}

/// An account's leave to set its code to a delegation (EIP-7702).
public struct Authorization: Hashable, Sendable {
  /// The chain it holds on; 0 for every chain.
  public var chainID: UInt256
  /// Whose code is used.
  public var address: Address
  /// The account's nonce.
  public var nonce: UInt64
  /// The signature's parity as written; more than 1 is well-formed but recovers nobody.
  public var yParity: UInt8
  /// The signature's `r`.
  public var r: UInt256
  /// The signature's `s`.
  public var s: UInt256

  /// An authorization from its parts.
  public init(
    chainID: UInt256, address: Address, nonce: UInt64, yParity: UInt8 = 0, r: UInt256 = .zero,
    s: UInt256 = .zero
  ) {
    self.chainID = chainID
    self.address = address
    self.nonce = nonce
    self.yParity = yParity
    self.r = r
    self.s = s
  }
}
