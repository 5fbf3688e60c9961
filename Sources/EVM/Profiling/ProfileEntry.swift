/// What was spent on one thing.
public struct ProfileEntry: BitwiseCopyable, Equatable, Sendable {
  /// How often it was done.
  public var count = 0
  /// How much of it there was: bytes hashed, logged, or given to a precompile; else zero.
  public var units = 0
  /// Its gas.
  public var gas: Int64 = 0
  /// Its time on the host.
  public var nanoseconds: UInt64 = 0

  /// Nothing spent.
  public init(count: Int = 0, units: Int = 0, gas: Int64 = 0, nanoseconds: UInt64 = 0) {
    self.count = count
    self.units = units
    self.gas = gas
    self.nanoseconds = nanoseconds
  }

  /// Adds what another has.
  public mutating func add(_ other: ProfileEntry) {
    count &+= other.count
    units &+= other.units
    gas &+= other.gas
    nanoseconds &+= other.nanoseconds
  }
}

/// A frame as a profile names it.
public struct ProfileCall: BitwiseCopyable {
  /// The entries of the caller, or of the transaction.
  public var parent: UnsafeMutablePointer<ProfileEntry>
  /// Whose code runs.
  public var code: Address
  /// The first four bytes of the input; `nil` where there are fewer.
  public var selector: UInt32?
  /// Whether it is initialisation code.
  public var isCreation: Bool
}
