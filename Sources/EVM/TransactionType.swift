/// The type of a transaction envelope (EIP-2718).
@frozen
public enum TransactionType: UInt8, CaseIterable, Hashable, BitwiseCopyable, Sendable {
  case legacy = 0
  /// EIP-2930.
  case accessList = 1
  /// EIP-1559.
  case dynamicFee = 2
  /// EIP-4844.
  case blob = 3
  /// EIP-7702.
  case setCode = 4

  /// The first fork that has this type.
  public var since: Fork {
    switch self {
    case .legacy: .frontier
    case .accessList: .berlin
    case .dynamicFee: .london
    case .blob: .cancun
    case .setCode: .prague
    }
  }
}
