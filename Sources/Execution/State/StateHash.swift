import EVM

/// The hash that places accounts and slots in their tables: multiply and fold, as wyhash does.
///
/// Keys are chosen by strangers, so five secret words go in, drawn once a table: without them no two
/// keys can be made to collide more often than by chance. Three to five multiplications a key.
struct StateHash: BitwiseCopyable, Sendable {
  private let words: (UInt64, UInt64, UInt64, UInt64, UInt64)

  /// A hash with secrets from the system.
  init() {
    var generator = SystemRandomNumberGenerator()
    self.init { generator.next() }
  }

  /// A hash whose secrets are drawn once: a call's tables are made in less time than drawing takes.
  static let ofProcess = StateHash()

  /// A hash with given secrets: the same in every run.
  init(seed: UInt64) {
    var numbers = WorkloadNumbers(seed: seed)
    self.init { numbers.next() }
  }

  private init(_ next: () -> UInt64) {
    // An even secret would lose a bit when the other factor has few.
    words = (next() | 1, next() | 1, next() | 1, next() | 1, next() | 1)
  }

  /// The hash of an address.
  @inline(__always)
  func callAsFunction(_ address: Address) -> UInt64 {
    Self.fold(
      Self.fold(address.low ^ words.0, address.middle ^ words.1) ^ UInt64(address.high), words.2)
  }

  /// The hash of a slot of the account with this number, in this epoch of its storage.
  @inline(__always)
  func callAsFunction(_ account: UInt32, _ epoch: UInt32, _ key: UInt256) -> UInt64 {
    let low = Self.fold(key.limb0 ^ words.0, key.limb1 ^ words.1)
    let high = Self.fold(key.limb2 ^ words.2, key.limb3 ^ words.3)
    return Self.fold(low ^ high ^ (UInt64(account) << 32 | UInt64(epoch)), words.4)
  }

  /// Both halves of the product, folded.
  @inline(__always)
  private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }
}
