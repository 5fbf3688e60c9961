#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Moments of a block's way at which a test can end the process, as a power cut would: the environment
/// says where, and the how manieth time, in `NEEDLETAIL_STOP_AT=after-append:3`.
package enum StopPoint: String, CaseIterable, Sendable {
  /// The block is executed and in no file.
  case beforeAppend = "before-append"
  /// Half of its entry is in the block log.
  case duringAppend = "during-append"
  /// It is in the log, on the disk, and nobody was told.
  case afterAppend = "after-append"
  /// It is the head.
  case afterCommit = "after-commit"
  /// It is written to the database, without an end of the transaction.
  case duringStore = "during-store"
  /// The database has it.
  case afterStore = "after-store"

  private static let wanted: (point: StopPoint, count: Int)? = {
    guard let text = getenv("NEEDLETAIL_STOP_AT") else { return nil }
    let parts = String(cString: text).split(separator: ":")
    guard let first = parts.first, let point = StopPoint(rawValue: String(first)),
      let count = parts.count > 1 ? Int(parts[1]) : 1
    else {
      let names = allCases.map(\.rawValue).joined(separator: ", ")
      preconditionFailure("NEEDLETAIL_STOP_AT: one of \(names), and a colon and a number")
    }
    return (point, count)
  }()

  nonisolated(unsafe) private static var passed = 0

  /// Whether the process ends here. One point is asked for, by one thread at a time.
  static func isReached(_ point: StopPoint) -> Bool {
    guard let wanted, wanted.point == point else { return false }
    passed += 1
    return passed == wanted.count
  }

  /// Goes on, or ends the process at once.
  package static func pass(_ point: StopPoint) {
    if isReached(point) { end() }
  }

  /// Ends the process without any clearing up.
  static func end() { kill(getpid(), SIGKILL) }
}
