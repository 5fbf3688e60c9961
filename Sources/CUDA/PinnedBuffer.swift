/// Memory of the host that devices copy from and to by themselves, freed with its owner.
///
/// Aligned to a page. Devices of all contexts reach it, at the same address as the host. What it
/// holds is not set. Copies on streams do not keep it: its owner lets it live until they are done.
///
/// `@unchecked Sendable`: a unique owner; who shares `elements` keeps accesses apart.
package struct PinnedBuffer<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
  /// The context.
  package let context: Context
  /// The elements. They live as long as the buffer.
  package let elements: UnsafeMutableBufferPointer<Element>

  /// Memory for `count` elements. What `isOnlyWritten` by the host bypasses its caches: uploads run
  /// faster, and reading it is very slow.
  package init(
    _ context: Context, count: Int, isOnlyWritten: Bool = false
  ) throws(CUDAError) {
    let bytes = byteCount(count, of: Element.self)
    var memory: UnsafeMutableRawPointer?
    // Portable (1), mapped (2), write-combined (4). The driver takes no request for nothing.
    if bytes > 0 {
      do throws(CUDAError) {
        try context.call("cuMemHostAlloc") {
          $0.memHostAlloc(&memory, bytes, isOnlyWritten ? 7 : 3)
        }
      } catch {
        throw error.adding("; asked for \(bytes) bytes of the host's memory")
      }
    }
    self.context = context
    elements = UnsafeMutableBufferPointer(
      start: memory?.bindMemory(to: Element.self, capacity: count), count: count)
  }

  deinit {
    // Nobody is left to tell: a failure means that the context is lost already.
    if let memory = elements.baseAddress { _ = context.status { $0.memFreeHost(memory) } }
  }

  /// Elements.
  package var count: Int { elements.count }

  /// Where a device finds the first element.
  package var address: DeviceAddress {
    DeviceAddress(rawValue: UInt64(UInt(bitPattern: elements.baseAddress)))
  }

  /// An element. Copies that streams still write mean nothing.
  package subscript(index: Int) -> Element {
    get {
      precondition(elements.indices.contains(index), "an element is from 0 to count")
      return elements[index]
    }
    nonmutating set {
      precondition(elements.indices.contains(index), "an element is from 0 to count")
      elements[index] = newValue
    }
  }

  /// `count` elements from `start` on.
  package func slice(_ start: Int, _ count: Int) -> UnsafeMutableBufferPointer<Element> {
    precondition(
      start >= 0 && count >= 0 && start <= self.count - count,
      "elements of a pinned buffer are from 0 to count")
    return UnsafeMutableBufferPointer(rebasing: elements[start..<start + count])
  }
}
