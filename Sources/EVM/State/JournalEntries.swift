/// What a transaction knows of an account.
///
/// A new entry has an address and flags and nothing else: what was not asked for is not written.
public struct AccountEntry: BitwiseCopyable {
  /// The account's address.
  public internal(set) var address: Address
  package internal(set) var flags: Flags
  /// What the view said; but balance, nonce and code hash are as they are now. Meaningful when
  /// `isLoaded`.
  public var record: AccountRecord
  /// The code now, when `flags` has `codeLoaded`.
  package internal(set) var code: Code
  /// Wei before the transaction; meaningful when `isLoaded`, like all that follows.
  package internal(set) var balanceBefore: UInt256
  /// The nonce before the transaction.
  package internal(set) var nonceBefore: UInt64
  /// What of the record before decided something; nothing takes it back.
  package var observed: Observations
  /// The least balance before, in wei, with which every question whether the account has enough would
  /// have been answered in the same way. Meaningful without `Observations.balance`.
  package var balanceFloor: UInt256

  /// Which values of the record before decided something: what a transaction that ran too early must
  /// have read right (DESIGN, section 5). The code hash always counts.
  package struct Observations: OptionSet, BitwiseCopyable, Sendable {
    package var rawValue: UInt8

    @inline(__always)
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The nonce.
    package static var nonce: Observations { Observations(rawValue: 1) }
    /// The balance to the wei.
    package static var balance: Observations { Observations(rawValue: 2) }
    /// Whether the account was empty (EIP-161) or existed.
    package static var emptiness: Observations { Observations(rawValue: 4) }
  }

  /// Facts about an account, each one bit.
  package struct Flags: OptionSet, BitwiseCopyable, Sendable {
    package var rawValue: UInt16

    @inline(__always)
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The view was asked: the balance, nonce and code hash are known.
    package static var loaded: Flags { Flags(rawValue: 1) }
    /// Accessed in this transaction (EIP-2929).
    package static var warm: Flags { Flags(rawValue: 2) }
    /// In the state now.
    package static var exists: Flags { Flags(rawValue: 4) }
    /// Touched: deleted at the end when it is empty (EIP-161).
    package static var touched: Flags { Flags(rawValue: 8) }
    /// Created by this transaction: all its storage began as zero.
    package static var created: Flags { Flags(rawValue: 16) }
    /// To be deleted at the end of the transaction.
    package static var destroyed: Flags { Flags(rawValue: 32) }
    /// `code` is valid.
    package static var codeLoaded: Flags { Flags(rawValue: 64) }
    /// `code` lies in the journal's arena: deployed or delegated in this transaction.
    package static var codeChanged: Flags { Flags(rawValue: 128) }
    /// `code` still needs its jump destination map.
    package static var codeUnmapped: Flags { Flags(rawValue: 256) }
  }

  /// An entry of these values, as another machine's journal had it.
  @inline(__always)
  package init(address: Address, flags: Flags, record: AccountRecord, code: Code) {
    self.address = address
    self.flags = flags
    self.record = record
    self.code = code
    balanceBefore = record.balance
    nonceBefore = record.nonce
    observed = []
    balanceFloor = .zero
  }

  /// Wei now; meaningful when `isLoaded`.
  @inlinable @inline(__always)
  public var balance: UInt256 { record.balance }

  /// The nonce now; meaningful when `isLoaded`.
  @inlinable @inline(__always)
  public var nonce: UInt64 { record.nonce }

  /// Keccak-256 of the code now; meaningful when `isLoaded`.
  @inlinable @inline(__always)
  public var codeHash: Hash256 { record.codeHash }

  /// Whether the world state was asked for the account (it is in the read set).
  @inline(__always)
  public var isLoaded: Bool { flags.contains(.loaded) }

  /// Whether the state has the account now.
  @inline(__always)
  public var exists: Bool { flags.contains(.exists) }

  /// Whether the account is to be deleted at the end, storage and all.
  @inline(__always)
  public var isDestroyed: Bool { flags.contains(.destroyed) }

  /// Whether this transaction created the account as a contract.
  @inline(__always)
  public var isCreated: Bool { flags.contains(.created) }

  /// Whether the account was touched in the sense of EIP-161.
  @inline(__always)
  public var isTouched: Bool { flags.contains(.touched) }

  /// Whether the code was set by this transaction.
  @inline(__always)
  public var isCodeChanged: Bool { flags.contains(.codeChanged) }

  /// Without code, nonce and balance (EIP-161).
  @inline(__always)
  public var isEmpty: Bool { nonce == 0 && balance.isZero && codeHash == .emptyCode }

  /// The code that this transaction gave the account, when `isCodeChanged`.
  public var changedCode: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: code.bytes, count: code.count)
  }
}

/// What a transaction knows of a storage slot, or of a transient one.
public struct SlotEntry: BitwiseCopyable {
  /// The slot's number.
  public let key: UInt256
  /// The value before the transaction; meaningful when `isLoaded`.
  public var original: UInt256
  /// The value now.
  public var current: UInt256
  /// Index of the account among the journal's accounts.
  public let account: UInt32
  /// The view's own number of the slot, when it gave one.
  public var place: UInt32
  /// Transient storage (EIP-1153): gone after the transaction.
  public let isTransient: Bool
  /// Accessed in this transaction (EIP-2929).
  package var isWarm: Bool
  /// Whether the value is known (it is in the read set).
  public var isLoaded: Bool
  // Rows end without a gap (Documentation/Kernels.md).
  private let gap0: UInt8 = 0
  private let gap1: UInt32 = 0
}

/// One log.
public struct LogRecord: BitwiseCopyable {
  /// The contract that logged.
  public var address: Address
  /// 0 to 4.
  public var topicCount: Int
  /// The topics; those past `topicCount` are zero.
  public var topics: (UInt256, UInt256, UInt256, UInt256)
  /// Where the data begins in the journal's log data.
  public var dataOffset: Int
  /// Bytes of data.
  public var dataCount: Int
}

/// An old value, to be put back when a frame fails. Only those limbs are written that it needs.
struct UndoRecord: BitwiseCopyable {
  enum Kind: UInt8, BitwiseCopyable {
    case accountFlags
    case balance
    case nonce
    case code
    case slotValue
    case slotWarm
  }

  var kind: Kind
  var index: UInt32
  var value: UInt256
}
