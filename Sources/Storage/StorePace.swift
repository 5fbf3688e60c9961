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
final class StorePace: Sendable {
  /// How many roots are being worked out.
  private let roots = Atomic(0)
  /// Whether storing can not wait.
  private let urgent = Atomic(false)
  /// Whether a processor is left where all threads of a root work.
  private let hasSpare: Bool

  /// The pace where so many threads work out a root.
  init(workers: Int) { hasSpare = sysconf(Int32(_SC_NPROCESSORS_ONLN)) > workers }

  /// Whether storing can not wait: as much waits as may, or somebody waits for it.
  var isUrgent: Bool {
    get { urgent.load(ordering: .relaxed) }
    set { urgent.store(newValue, ordering: .relaxed) }
  }

  /// A root is worked out from now on.
  func beginRoot() { roots.add(1, ordering: .relaxed) }

  /// It is done.
  func endRoot() { roots.subtract(1, ordering: .relaxed) }

  /// Waits while a root is worked out, unless storing is urgent.
  @inline(__always)
  func giveWay() {
    if hasSpare { return }
    while roots.load(ordering: .relaxed) > 0, !isUrgent { usleep(200) }
  }
}
