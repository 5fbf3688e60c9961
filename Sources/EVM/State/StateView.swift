/// An account as the world state has it before the transaction.
public struct AccountRecord: BitwiseCopyable, Sendable, Equatable {
  /// Transactions sent, or contracts created.
  public var nonce: UInt64
  /// Wei.
  public var balance: UInt256
  /// Keccak-256 of the code.
  public var codeHash: Hash256
  /// Whether the state has the account at all. An existing account may be empty.
  public var exists: Bool
  /// Whether any slot of its storage is not zero (asked when a contract is created, EIP-7610).
  public var hasStorage: Bool
  /// The view's own number of the account, which it gets back with further questions about it;
  /// `noPlace` when it has none. It decides nothing.
  public var place = AccountRecord.noPlace

  /// A record of these values.
  @inline(__always)
  public init(
    nonce: UInt64, balance: UInt256, codeHash: Hash256, exists: Bool, hasStorage: Bool
  ) {
    self.nonce = nonce
    self.balance = balance
    self.codeHash = codeHash
    self.exists = exists
    self.hasStorage = hasStorage
  }

  /// No number of a view's own.
  @inlinable @inline(__always)
  public static var noPlace: UInt32 { UInt32.max }

  /// The record of an account that is not in the state.
  @inline(__always)
  public static var absent: AccountRecord {
    AccountRecord(
      nonce: 0, balance: .zero, codeHash: .emptyCode, exists: false, hasStorage: false)
  }
}

/// A storage slot as the world state has it before the transaction.
public struct StorageRecord: BitwiseCopyable, Sendable, Equatable {
  /// The value; zero when it was never set.
  public var value: UInt256
  /// The view's own number of the slot; `AccountRecord.noPlace` when it has none. It decides nothing.
  public var place: UInt32

  /// The record of a slot with this value.
  @inlinable @inline(__always)
  public init(value: UInt256, place: UInt32 = AccountRecord.noPlace) {
    self.value = value
    self.place = place
  }
}

extension Hash256 {
  /// Keccak-256 of no bytes: the code hash of an account without code.
  @inlinable @inline(__always)
  public static var emptyCode: Hash256 {
    Hash256(
      UInt256(
        0x7bfa_d804_5d85_a470, 0xe500_b653_ca82_273b, 0x927e_7db2_dcc7_03c0,
        0xc5d2_4601_86f7_233c))
  }
}

/// All that the virtual machine may ask of the world outside a transaction.
///
/// Each question is asked at most once a transaction: the `Journal` keeps the answers. A view that
/// can not answer (a witness without the account, a device table without the slot) returns false,
/// and the transaction ends as `stateUnavailable`, to be run elsewhere.
public protocol StateView {
  /// How machines over this view reach the words of their stack.
  associatedtype Stack: StackPlace = PointerPlace

  /// Writes the account at `address`, or `.absent`.
  mutating func readAccount(_ address: Address, into record: inout AccountRecord) -> Bool

  /// Writes a storage slot of an account, whose `place` is the one that `readAccount` wrote.
  mutating func readStorage(
    _ address: Address, place: UInt32, slot: UInt256, into record: inout StorageRecord
  ) -> Bool

  /// Writes the code with this hash, of an account whose `place` is the one that `readAccount`
  /// wrote; the account had other code then when this transaction changed it. The code's memory
  /// stays valid until the transaction's results are taken. Never asked for `.emptyCode`.
  mutating func readCode(
    _ hash: Hash256, of address: Address, place: UInt32, into code: inout Code
  ) -> Bool

  /// Writes the hash of a block among the last 256; zero when there is none.
  mutating func readBlockHash(_ number: UInt64, into hash: inout Hash256) -> Bool

  /// Whether machines over this view have the precompiles of curves and of big integers. One that
  /// has not ends a transaction which calls them as `precompileUnavailable`, to be run elsewhere, unless
  /// others answer.
  static var hasHeavyPrecompiles: Bool { get }

  /// Whether others do the next call of one of those, though the machine has it.
  mutating func handsOver(precompile number: UInt16) -> Bool

  /// What a precompile that the machine lacks or hands over gives for an input, where somebody has found
  /// out: writes its output. `nil` ends the transaction as `precompileUnavailable`.
  mutating func outcome(
    ofPrecompile number: UInt16, input: UnsafeBufferPointer<UInt8>,
    output: UnsafeMutablePointer<UInt8>
  ) -> PrecompileOutcome?

  /// Whether `isOutOfTime` may be true. Machines over other views never ask.
  static var hasDeadline: Bool { get }

  /// Whether the transaction should end as `timeExhausted`. Asked wherever code jumps or a frame is
  /// entered: without either, gas and the length of the code bound what a frame does.
  mutating func isOutOfTime() -> Bool
}

extension StateView {
  @inline(__always)
  public static var hasHeavyPrecompiles: Bool { true }

  @inline(__always)
  public mutating func handsOver(precompile number: UInt16) -> Bool { false }

  @inline(__always)
  public mutating func outcome(
    ofPrecompile number: UInt16, input: UnsafeBufferPointer<UInt8>,
    output: UnsafeMutablePointer<UInt8>
  ) -> PrecompileOutcome? { nil }

  @inline(__always)
  public static var hasDeadline: Bool { false }

  @inline(__always)
  public mutating func isOutOfTime() -> Bool { false }
}
