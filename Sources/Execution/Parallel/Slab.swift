#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Memory of one worker for one block, handed out from the front and forgotten as a whole. Pages are
/// kept from block to block.
struct Slab: ~Copyable {
  private var chunks: [UnsafeMutableRawPointer] = []
  private var chunk = 0
  private var next: UnsafeMutableRawPointer
  private var end: UnsafeMutableRawPointer

  private static var chunkBytes: Int { 1 << 20 }

  init() {
    let first = UnsafeMutableRawPointer.allocate(byteCount: Self.chunkBytes, alignment: 64)
    chunks = [first]
    next = first
    end = first + Self.chunkBytes
  }

  deinit { for chunk in chunks { chunk.deallocate() } }

  /// Bytes that it holds.
  var byteCount: Int { chunks.count * Self.chunkBytes }

  /// Forgets everything.
  mutating func reset() {
    chunk = 0
    next = chunks[0]
    end = next + Self.chunkBytes
  }

  /// Room for `count` values, not initialised. What does not fit in a chunk gets one of its own size.
  @inline(__always)
  mutating func allocate<T: ~Copyable>(_ type: T.Type, count: Int = 1) -> UnsafeMutablePointer<T> {
    let bytes = (count * MemoryLayout<T>.stride + 15) & ~15
    if end - next < bytes { grow(bytes) }
    let memory = next
    next += bytes
    return memory.assumingMemoryBound(to: T.self)
  }

  @inline(never)
  private mutating func grow(_ bytes: Int) {
    if bytes > Self.chunkBytes {
      // Rare: a transaction with tens of thousands of accesses. It is not used again.
      let size = bytes
      chunks.append(.allocate(byteCount: size, alignment: 64))
      chunks.swapAt(chunks.count - 1, chunk)
      next = chunks[chunk]
      end = next + size
      return
    }
    chunk += 1
    if chunk == chunks.count {
      chunks.append(.allocate(byteCount: Self.chunkBytes, alignment: 64))
    }
    next = chunks[chunk]
    end = next + Self.chunkBytes
  }
}

/// Numbered places for values of one type, shared by all workers: address space reserved once, pages
/// taken when touched.
struct Region<Element: ~Copyable>: ~Copyable {
  let base: UnsafeMutablePointer<Element>
  let capacity: Int
  private let mapped: UnsafeMutableRawPointer

  /// `nil` when the system has no such address space.
  init?(capacity: Int) {
    let bytes = capacity * MemoryLayout<Element>.stride
    guard
      let mapped = mmap(
        nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
      mapped != MAP_FAILED
    else { return nil }
    self.mapped = mapped
    self.capacity = capacity
    base = mapped.assumingMemoryBound(to: Element.self)
  }

  deinit { munmap(mapped, capacity * MemoryLayout<Element>.stride) }
}
