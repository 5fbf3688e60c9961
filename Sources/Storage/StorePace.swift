import Execution
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Lets the storing of blocks give way to the making of the next one, where both want the same
/// processors: a block's maker waits for the root, and nobody for the storing.
///
/// The more waits to be stored, the larger is the share of the time that storing takes even so: it has to
/// keep up with blocks that follow each other without a pause.
final class StorePace: Sendable {
  /// How many roots are being worked out.
  private let roots = Atomic(0)
  /// How many wait for what is stored.
  private let waiting = Atomic(0)
  /// The share of the time that storing takes while a root is worked out, in thousandths.
  private let share = Atomic(0)
  /// When the part of it that runs now ends, in nanoseconds of the clock.
  private let sliceEnd = Atomic<UInt64>(0)
  /// Whether a processor is left where all threads of a root work.
  private let hasSpare: Bool

  /// Nanoseconds that storing takes at once.
  private static let slice: UInt64 = 1_000_000

  /// The pace where so many threads work out a root.
  init(workers: Int) { hasSpare = sysconf(Int32(_SC_NPROCESSORS_ONLN)) > workers }

  /// Somebody waits for what is stored, from now on.
  func beginWait() { waiting.add(1, ordering: .relaxed) }

  /// And does so no more.
  func endWait() { waiting.subtract(1, ordering: .relaxed) }

  /// Says how much waits to be stored, of all that may: nothing is in a hurry up to the half.
  func setBacklog(_ part: Double) {
    share.store(Int((max(0, min(1, part * 2 - 1)) * 1000).rounded()), ordering: .relaxed)
  }

  /// A root is worked out from now on.
  func beginRoot() { roots.add(1, ordering: .relaxed) }

  /// It is done.
  func endRoot() { roots.subtract(1, ordering: .relaxed) }

  /// Waits while a root is worked out, but for storing's share of the time. For the thread that stores.
  @inline(__always)
  func giveWay() {
    if !hasSpare, roots.load(ordering: .relaxed) > 0 { waitForTurn() }
  }

  private func waitForTurn() {
    while roots.load(ordering: .relaxed) > 0, waiting.load(ordering: .relaxed) == 0 {
      let share = UInt64(share.load(ordering: .relaxed))
      if share >= 1000 { return }
      if share > 0 {
        let now = MonotonicClock.nanoseconds
        let end = sliceEnd.load(ordering: .relaxed)
        if now < end { return }
        if now >= end + Self.slice * (1000 - share) / share {
          sliceEnd.store(now + Self.slice, ordering: .relaxed)
          return
        }
      }
      usleep(200)
    }
  }
}
