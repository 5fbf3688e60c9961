/// A tree of RLP items, for tools and tests; the decoders of blocks and transactions read items
/// in place instead.
public indirect enum RLP: Hashable, Sendable {
  /// A string of bytes.
  case string([UInt8])
  /// A list of items.
  case list([RLP])

  /// The deepest nesting of lists that is read.
  public static var maximumDepth: Int { 1024 }

  /// The one item that `bytes` hold. Strict: no other encoding of the same tree is accepted.
  public init(decoding bytes: [UInt8]) throws(FormatError) {
    var failure: FormatError?
    let tree = bytes.withUnsafeBufferPointer { buffer -> RLP? in
      do throws(FormatError) {
        return try RLP.tree(RLPItem(buffer))
      } catch {
        failure = error
        return nil
      }
    }
    guard let tree else { throw failure! }
    self = tree
  }

  /// Builds the tree without recursion: a stack of the lists that are open.
  private static func tree(_ item: RLPItem) throws(FormatError) -> RLP {
    guard item.isList else { return .string([UInt8](item.payload)) }
    var open: [(reader: RLPReader, items: [RLP])] = [(try item.list(), [])]
    while true {
      let last = open.count - 1
      if open[last].reader.isAtEnd {
        let list = RLP.list(open.removeLast().items)
        if open.isEmpty { return list }
        open[last - 1].items.append(list)
        continue
      }
      let next = try open[last].reader.next("item")
      if next.isList {
        guard open.count < maximumDepth else {
          throw FormatError(.tooDeep, "lists are nested deeper than \(maximumDepth)")
        }
        open.append((try next.list(), []))
      } else {
        open[last].items.append(.string([UInt8](next.payload)))
      }
    }
  }

  /// The encoding.
  public var encoded: [UInt8] {
    var encoder = RLPEncoder()
    encode(into: &encoder)
    return encoder.bytes
  }

  private func encode(into encoder: inout RLPEncoder) {
    switch self {
    case .string(let bytes): encoder.append(bytes)
    case .list(let items):
      encoder.list { encoder in
        for item in items { item.encode(into: &encoder) }
      }
    }
  }
}

/// Calls a throwing body with the bytes of an array; `withUnsafeBufferPointer` with a typed error.
package func withBytes<R>(
  _ bytes: [UInt8], _ body: (UnsafeBufferPointer<UInt8>) throws(FormatError) -> R
) throws(FormatError) -> R {
  try bytes.withUnsafeBufferPointer { (buffer) throws(FormatError) -> R in try body(buffer) }
}
