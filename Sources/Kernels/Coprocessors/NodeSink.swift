import EVM

/// Takes the bytes of a trie's node one after the other and hashes them (yellow paper, appendices B
/// and D). The header of the list comes first, so that its size has to be known.
///
/// Bytes gather in a word, words in a block of 136 bytes of the lane's local memory.
struct NodeSink: NodeOutput {
  private var state = KeccakState()
  private var block = InlineArray<17, UInt64>(repeating: 0)
  /// Whole words in the block, and the bytes behind them.
  private var words = 0
  private var rest: UInt64 = 0
  private var restCount = 0
  /// Bytes of the node.
  let size: Int

  /// A sink for the node with this number of bytes behind its header.
  init(payload: Int) {
    size = payload &+ Self.listHeaderSize(payload)
    appendListHeader(payload)
  }

  /// Adds 0 to 8 bytes, the first in the lowest bits; there are no others.
  mutating func append(little bytes: UInt64, count: Int) {
    let bits = UInt64(restCount) &* 8
    rest |= bytes &<< bits
    if restCount &+ count < 8 {
      restCount &+= count
      return
    }
    // Below 17 words: a full block is taken at once.
    block[unchecked: words] = rest
    words &+= 1
    // In two steps, as a shift by 64 is none.
    rest = (bytes &>> 1) &>> (63 &- bits)
    restCount = restCount &+ count &- 8
    if words == 17 { absorb() }
  }

  /// The node itself, from the highest byte on, where it has less than 32.
  var short: UInt256 {
    var copy = self
    while copy.words < 4 { copy.append(little: 0, count: 8) }
    return UInt256(
      copy.block[unchecked: 3].byteSwapped, copy.block[unchecked: 2].byteSwapped,
      copy.block[unchecked: 1].byteSwapped, copy.block[unchecked: 0].byteSwapped)
  }

  /// The hash of all that was added.
  mutating func hash() -> Hash256 {
    block[unchecked: words] = rest | 1 &<< (UInt64(restCount) &* 8)
    words &+= 1
    while words < 17 {
      block[unchecked: words] = 0
      words &+= 1
    }
    block[unchecked: 16] |= 1 << 63
    absorb()
    return state.digest
  }

  @inline(never)
  private mutating func absorb() {
    var lanes = state
    let block = block
    // Indexes are below 17.
    lanes.absorb { block[unchecked: $0] }
    lanes.permute()
    state = lanes
    words = 0
  }
}
