package import EVM

/// Writes one trie node's RLP at a time into memory of its own (yellow paper, appendices B and D).
package struct NodeWriter: ~Copyable {
  private var memory: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private var start = NodeWriter.room
  private var end = NodeWriter.room

  /// Bytes in front that the list's header may take.
  private static let room = 9
  /// A branch of 16 hashes and no value takes 529 bytes and its header.
  private static let branchSize = 16 * 33 + 1

  /// A writer of no node.
  package init() {
    capacity = Self.room + Self.branchSize
    memory = .allocate(capacity: capacity)
  }

  deinit { memory.deallocate() }

  /// The node that was closed last.
  package var node: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: memory + start, count: end - start)
  }

  /// A leaf's path from a nibble on, and its value.
  package mutating func writeLeaf(_ key: UInt256, from: Int, _ value: UnsafeBufferPointer<UInt8>) {
    begin(reserving: 64 + value.count)
    appendPath(key, from: from, to: 64, isLeaf: true)
    append(string: value)
    close()
  }

  /// An extension over nibbles of a key, to a node.
  package mutating func writeExtension(
    _ key: UInt256, from: Int, to: Int, _ reference: NodeReference
  ) {
    begin(reserving: 128)
    appendPath(key, from: from, to: to, isLeaf: false)
    append(reference)
    close()
  }

  /// Begins a branch; its 16 children follow, then `closeBranch`.
  package mutating func beginBranch() { begin(reserving: Self.branchSize) }

  /// A branch's next child; `nil` for none.
  @inline(__always)
  package mutating func append(child: NodeReference?) {
    if let child {
      append(child)
    } else {
      append(0x80)
    }
  }

  /// Ends a branch, which has no value: all keys have 32 bytes.
  package mutating func closeBranch() {
    append(0x80)
    close()
  }

  /// How the node that was closed last stands in its parent.
  package func reference() -> NodeReference { NodeReference(node) }

  private mutating func begin(reserving size: Int) {
    if Self.room + size > capacity {
      memory.deallocate()
      capacity = Self.room + size * 2
      memory = .allocate(capacity: capacity)
    }
    start = Self.room
    end = Self.room
  }

  @inline(__always)
  private mutating func append(_ byte: UInt8) {
    memory[end] = byte
    end &+= 1
  }

  @inline(__always)
  private mutating func append(_ reference: NodeReference) {
    if reference.count == 32 {
      append(0xA0)
      reference.bytes.store(bigEndian: memory + end)
      end &+= 32
    } else {
      for index in 0..<Int(reference.count) { append(reference.bytes.bigEndianByte(index)) }
    }
  }

  private mutating func append(string: UnsafeBufferPointer<UInt8>) {
    if string.count == 1, string[0] < 0x80 { return append(string[0]) }
    if string.count < 56 {
      append(0x80 + UInt8(string.count))
    } else {
      let width = 8 - string.count.leadingZeroBitCount / 8
      append(0xB7 + UInt8(width))
      for index in (0..<width).reversed() {
        append(UInt8(truncatingIfNeeded: string.count >> (index * 8)))
      }
    }
    if let base = string.baseAddress {
      (memory + end).update(from: base, count: string.count)
      end += string.count
    }
  }

  /// Nibbles in the hex-prefix form.
  private mutating func appendPath(_ key: UInt256, from: Int, to: Int, isLeaf: Bool) {
    let isOdd = (to - from) & 1 == 1
    let count = (to - from) / 2 + 1
    if count > 1 { append(0x80 + UInt8(count)) }
    var position = from
    var first: UInt8 = isLeaf ? 0x20 : 0
    if isOdd {
      first |= 0x10 | UInt8(key.nibble(from))
      position += 1
    }
    append(first)
    if position & 1 == 0 {
      // Whole bytes of the key; there is room for all 32, and what is too much is written over.
      if position < to { (key << UInt64(position * 4)).store(bigEndian: memory + end) }
      end &+= (to - position) / 2
      return
    }
    while position < to {
      append(UInt8(key.nibble(position) << 4 | key.nibble(position + 1)))
      position += 2
    }
  }

  private mutating func close() {
    let length = end - Self.room
    if length < 56 {
      start = Self.room - 1
      memory[start] = 0xC0 + UInt8(length)
      return
    }
    let width = 8 - length.leadingZeroBitCount / 8
    start = Self.room - 1 - width
    memory[start] = 0xF7 + UInt8(width)
    for index in 0..<width {
      memory[start + 1 + index] = UInt8(truncatingIfNeeded: length >> ((width - 1 - index) * 8))
    }
  }
}

/// How a node stands in its parent: its hash, or itself where it has less than 32 bytes.
package struct NodeReference: BitwiseCopyable, Sendable {
  /// The hash, or the node from the highest byte on.
  package var bytes: UInt256
  /// 32 for a hash.
  package var count: UInt8

  /// How a node with this hash stands in its parent.
  package init(_ hash: Hash256) {
    bytes = hash.word
    count = 32
  }

  /// How this node stands in its parent.
  package init(_ node: UnsafeBufferPointer<UInt8>) {
    if node.count >= 32 {
      bytes = Keccak256.hash(node).word
      count = 32
    } else {
      count = UInt8(node.count)
      bytes = .zero
      if let base = node.baseAddress, node.count > 0 {
        bytes = UInt256(bigEndian: base, count: node.count) << UInt64((32 - node.count) * 8)
      }
    }
  }
}

extension UInt256 {
  /// One of the 64 nibbles, the highest first.
  @inline(__always)
  package func nibble(_ index: Int) -> Int {
    let limb =
      switch index >> 4 {
      case 0: limb3
      case 1: limb2
      case 2: limb1
      default: limb0
      }
    return Int(truncatingIfNeeded: limb &>> UInt64((15 - (index & 15)) * 4)) & 15
  }
}
