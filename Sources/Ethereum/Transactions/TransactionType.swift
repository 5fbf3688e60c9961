/// The form of a transaction (EIP-2718), with the number of its envelope.
public enum TransactionType: UInt8, CaseIterable, Hashable, Sendable {
  /// The first form, without an envelope; with or without a chain (EIP-155).
  case legacy = 0
  /// With an access list (EIP-2930).
  case accessList = 1
  /// With a maximum fee and a priority fee (EIP-1559).
  case dynamicFee = 2
  /// With blobs (EIP-4844).
  case blob = 3
  /// With authorizations that set the code of accounts (EIP-7702).
  case setCode = 4
}
