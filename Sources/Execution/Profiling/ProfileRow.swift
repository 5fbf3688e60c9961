public import EVM

/// What was spent on one bucket.
public struct ProfileRow: Hashable, Sendable {
  /// What it was spent on.
  public var bucket: ProfileBucket
  /// Who did the work.
  public var backEnd = "cpu"
  /// How often it was done.
  public var calls = 0
  /// How much of it there was, in the bucket's unit.
  public var units = 0
  /// Gas before the refund.
  public var gas: Int64 = 0
  /// Nanoseconds on the host.
  public var hostNanoseconds: UInt64 = 0
  /// Nanoseconds on a device.
  public var deviceNanoseconds: UInt64 = 0
  /// Bytes moved between host and device.
  public var bytesMoved = 0

  /// Nanoseconds on host and device.
  public var nanoseconds: UInt64 { hostNanoseconds + deviceNanoseconds }

  init(_ bucket: ProfileBucket, _ entry: ProfileEntry) {
    self.bucket = bucket
    calls = entry.count
    units = entry.units
    gas = entry.gas
    hostNanoseconds = entry.nanoseconds
  }

  /// Whether nothing was spent.
  var isEmpty: Bool { calls == 0 && gas == 0 && hostNanoseconds == 0 }
}

extension [ProfileRow] {
  /// The time of all rows but the profiler's.
  var nanosecondsOfWork: UInt64 {
    reduce(0) { $1.bucket == .profiler ? $0 : $0 + $1.nanoseconds }
  }

  /// How much of the glue's and the coprocessors' weight is the coprocessors', from 0 to 1.
  func coprocessorShare(_ weight: (ProfileRow) -> Double) -> Double {
    var coprocessors = 0.0
    var all = 0.0
    for row in self where row.bucket.kind == .coprocessor || row.bucket.kind == .glue {
      all += weight(row)
      if row.bucket.kind == .coprocessor { coprocessors += weight(row) }
    }
    return all > 0 ? coprocessors / all : 0
  }
}

/// Entries by bucket.
struct ProfileEntries {
  private var entries = [ProfileEntry](repeating: ProfileEntry(), count: ProfileBucket.count)

  init() {}

  /// A copy of what lies in memory.
  init(_ memory: UnsafeMutablePointer<ProfileEntry>) {
    entries = [ProfileEntry](UnsafeBufferPointer(start: memory, count: ProfileBucket.count))
  }

  subscript(bucket: ProfileBucket) -> ProfileEntry {
    get { entries[Int(bucket.rawValue)] }
    set { entries[Int(bucket.rawValue)] = newValue }
  }

  mutating func add(_ other: ProfileEntries) {
    for index in entries.indices { entries[index].add(other.entries[index]) }
  }

  /// The rows of what is not empty.
  var rows: [ProfileRow] {
    ProfileBucket.all.map { ProfileRow($0, self[$0]) }.filter { !$0.isEmpty }
  }

  var gas: Int64 { entries.reduce(0) { $0 + $1.gas } }

  var nanoseconds: UInt64 { entries.reduce(0) { $0 + $1.nanoseconds } }
}
