/// The rules that make parallel execution exact. Tests take one away each and expect another outcome.
package struct ExactnessRules: OptionSet, Sendable {
  package let rawValue: UInt32

  package init(rawValue: UInt32) { self.rawValue = rawValue }

  /// A slot's value that was read must be the right one.
  static let slots = ExactnessRules(rawValue: 1 << 0)
  /// A nonce that decided something must be the right one.
  static let nonces = ExactnessRules(rawValue: 1 << 1)
  /// A balance that was observed must be the right one.
  static let balances = ExactnessRules(rawValue: 1 << 2)
  /// A balance that had to be large enough must be so.
  static let floors = ExactnessRules(rawValue: 1 << 3)
  /// The code, the existence and the storage's epoch that were seen must be the right ones.
  static let lifecycles = ExactnessRules(rawValue: 1 << 4)
  /// The coinbase's balance is what all before have made it.
  static let coinbase = ExactnessRules(rawValue: 1 << 5)
  /// The gas limit is no more than what the block has left.
  static let gasLimit = ExactnessRules(rawValue: 1 << 6)
  /// The blobs are no more than the block has left.
  static let blobs = ExactnessRules(rawValue: 1 << 7)
  /// What an earlier incarnation published and the last one did not is taken back.
  static let retraction = ExactnessRules(rawValue: 1 << 8)
  /// A created account begins without storage.
  static let epochs = ExactnessRules(rawValue: 1 << 9)
  /// An empty account that is touched is deleted (EIP-161).
  static let emptyTouches = ExactnessRules(rawValue: 1 << 10)
  /// Whether an account was empty depends on its nonce and balance.
  static let emptiness = ExactnessRules(rawValue: 1 << 11)
  /// Who read a cell before an earlier transaction changed it runs again.
  static let notices = ExactnessRules(rawValue: 1 << 12)

  /// All rules.
  package static let all = ExactnessRules(rawValue: 1 << 13 - 1)

  /// The rules by name.
  package static let named: [(name: String, rule: ExactnessRules)] = [
    ("slots", .slots), ("nonces", .nonces), ("balances", .balances), ("floors", .floors),
    ("lifecycles", .lifecycles), ("coinbase", .coinbase), ("gasLimit", .gasLimit),
    ("blobs", .blobs), ("retraction", .retraction), ("epochs", .epochs),
    ("emptyTouches", .emptyTouches), ("emptiness", .emptiness), ("notices", .notices),
  ]
}
