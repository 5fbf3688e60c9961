public import EVM

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A machine's memory on the host: address space reserved at once, pages taken when touched.
public final class HostWorkspace {
  /// The memory as the machine takes it.
  public let workspace: Workspace
  private let base: UnsafeMutableRawPointer
  private let capacity: Int

  /// The largest scale: about 11 GB of address space.
  public static let largestScale = 64

  /// Reserves a workspace; `nil` when the system has no such address space.
  public init?(scale: Int = 1) {
    let sizes = WorkspaceSizes.host(scale: scale)
    capacity = sizes.bytes
    guard
      let mapped = mmap(
        nil, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
      mapped != MAP_FAILED
    else { return nil }
    base = mapped
    guard let workspace = Workspace(base: base, capacity: capacity, sizes: sizes) else {
      munmap(base, capacity)
      return nil
    }
    self.workspace = workspace
  }

  deinit { munmap(base, capacity) }
}
