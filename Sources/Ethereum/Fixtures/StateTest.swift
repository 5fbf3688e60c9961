public import EVM

/// A state test: one transaction in many forms on one state
/// (execution-spec-tests, "State Test Fixtures").
public struct StateTest: Sendable {
  /// What may be left out while reading.
  public struct Options: Hashable, Sendable {
    /// Whether `post.state`, the expected accounts, is read. The hash tells the same.
    public var readsExpectedState: Bool

    /// Options from their values.
    public init(readsExpectedState: Bool = true) {
      self.readsExpectedState = readsExpectedState
    }
  }

  /// What a file without `post` may ask for, in its `expect`.
  public struct Expectation: Hashable, Sendable {
    /// Gas that the transaction uses in all.
    public var gasUsed: UInt64?
    /// Gas by part of the cost, by name.
    public var breakdown: [String: UInt64] = [:]
    /// The state root after the transaction.
    public var stateRoot: Hash256?
    /// The hash of the RLP of the logs.
    public var logsHash: Hash256?
  }

  /// Which data, gas limit and value of the transaction's lists are meant.
  public struct Indexes: Hashable, Sendable {
    /// The place in `data` and in `accessLists`.
    public var data: Int
    /// The place in `gasLimit`.
    public var gas: Int
    /// The place in `value`.
    public var value: Int

    /// Indexes from their numbers.
    public init(data: Int, gas: Int, value: Int) {
      self.data = data
      self.gas = gas
      self.value = value
    }
  }

  /// What one form of the transaction gives under one fork.
  public struct Post: Hashable, Sendable {
    /// Which form.
    public var indexes: Indexes
    /// The state root after it.
    public var stateRoot: Hash256
    /// The hash of the RLP of the logs.
    public var logsHash: Hash256
    /// The signed transaction; `nil` when the test has none.
    public var transactionBytes: [UInt8]?
    /// Names of exceptions, one of which must be the reason of rejection; empty for a valid one.
    public var expectedExceptions: [String]
    /// The accounts after it; `nil` when the test has none or they were not read.
    public var state: Allocation?

    /// A post of the roots alone.
    public init(indexes: Indexes, stateRoot: Hash256, logsHash: Hash256) {
      self.indexes = indexes
      self.stateRoot = stateRoot
      self.logsHash = logsHash
      expectedExceptions = []
    }
  }

  /// The forms of the transaction. A number that its field can not hold is `nil` here.
  public struct TransactionForms: Hashable, Sendable {
    /// The number of the chain, from the test's `config`; 1 when there is none.
    public var chainID: UInt64 = 1
    /// The nonce.
    public var nonce: UInt64? = 0
    /// The gas price, for the first two types.
    public var gasPrice: UInt256?
    /// The maximum fee, for the later types.
    public var maxFeePerGas: UInt256?
    /// The priority fee, for the later types.
    public var maxPriorityFeePerGas: UInt256?
    /// Gas limits to choose from.
    public var gasLimits: [UInt64?] = []
    /// The recipient; `nil` creates a contract.
    public var to: Address?
    /// Values to choose from.
    public var values: [UInt256?] = []
    /// Call data to choose from.
    public var data: [[UInt8]] = []
    /// Access lists to choose from with the data; `nil` entries and `nil` mean none.
    public var accessLists: [[AccessListEntry]?]?
    /// The maximum blob fee, for blob transactions.
    public var maxFeePerBlobGas: UInt256?
    /// Blob hashes, for blob transactions.
    public var blobVersionedHashes: [Hash256]?
    /// Authorizations, for set-code transactions.
    public var authorizationList: [Authorization]?
    /// The sender, when the test gives one.
    public var sender: Address?
    /// The sender's secret key, when the test gives one.
    public var secretKey: UInt256?
    /// Names of fields whose number is too large.
    public var overflowingFields: [String] = []
  }

  /// The test's name.
  public var name: String
  /// The block's environment.
  public var environment: TestEnvironment
  /// The accounts before.
  public var pre: Allocation
  /// The forms of the transaction.
  public var transaction: TransactionForms
  /// What is expected, by fork, in the order of the file; empty when the test has no `post`.
  public var post: [(fork: Fork, posts: [Post])]
  /// Fork names in `post` that are not known here; they are to be reported as not run.
  public var unknownForks: [String]
  /// `fork`, of a test that has no `post`.
  public var fork: Fork?
  /// `expect`, of a test that has no `post`.
  public var expectation: Expectation?
  /// The blob limits.
  public var blobSchedule: BlobSchedule
  /// `_info.description` or `_info.comment`; empty when there is none.
  public var comment: String
}

extension StateTest.TransactionForms {
  /// The type, told by the fields that are there.
  public var type: TransactionType {
    if authorizationList != nil { return .setCode }
    if blobVersionedHashes != nil || maxFeePerBlobGas != nil { return .blob }
    if maxFeePerGas != nil || maxPriorityFeePerGas != nil { return .dynamicFee }
    return accessLists != nil ? .accessList : .legacy
  }

  /// One form, not signed. An error names a field that does not fit, or an index out of range.
  public func transaction(at indexes: StateTest.Indexes) throws(FormatError) -> Transaction {
    guard data.indices.contains(indexes.data), gasLimits.indices.contains(indexes.gas),
      values.indices.contains(indexes.value)
    else {
      throw FormatError(.valueOutOfRange, "indexes beyond the transaction's lists")
    }
    if let field = overflowingFields.first {
      throw FormatError(.valueOutOfRange, "the number is too large", field: field)
    }
    guard let nonce else {
      throw FormatError(.valueOutOfRange, "the number is 2^64 or more", field: "nonce")
    }
    guard let gasLimit = gasLimits[indexes.gas] else {
      throw FormatError(.valueOutOfRange, "the number is 2^64 or more", field: "gasLimit")
    }
    guard let value = values[indexes.value] else {
      throw FormatError(.valueOutOfRange, "the number is 2^256 or more", field: "value")
    }
    var entries: [AccessListEntry]?
    if let accessLists, accessLists.indices.contains(indexes.data) {
      entries = accessLists[indexes.data]
    }
    var type = self.type
    // A list of access lists with null for this form makes it a legacy transaction.
    if type == .accessList, entries == nil { type = .legacy }
    let maxFee = type.rawValue >= 2 ? maxFeePerGas : gasPrice
    let priorityFee = type.rawValue >= 2 ? maxPriorityFeePerGas : gasPrice
    return Transaction(
      type: type, chainID: chainID, nonce: nonce, maxFeePerGas: maxFee ?? .zero,
      maxPriorityFeePerGas: priorityFee ?? .zero, gasLimit: gasLimit, to: to, value: value,
      data: data[indexes.data], accessList: entries ?? [],
      maxFeePerBlobGas: maxFeePerBlobGas ?? .zero, blobVersionedHashes: blobVersionedHashes ?? [],
      authorizationList: authorizationList ?? [])
  }
}
