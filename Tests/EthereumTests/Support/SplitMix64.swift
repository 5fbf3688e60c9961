/// A small deterministic generator (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014).
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }

  mutating func below(_ bound: Int) -> Int { bound <= 1 ? 0 : Int(next() % UInt64(bound)) }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }

  /// One of the seeds with up to four changes: bits, bytes, cuts, copies and pieces of others.
  mutating func mutation(of seeds: [[UInt8]]) -> [UInt8] {
    var bytes = seeds[below(seeds.count)]
    for _ in 0...below(4) {
      let place = below(bytes.count)
      switch below(8) {
      case 0 where !bytes.isEmpty: bytes[place] ^= 1 << UInt8(below(8))
      case 1 where !bytes.isEmpty: bytes[place] = UInt8(truncatingIfNeeded: next())
      case 2: bytes.insert(UInt8(truncatingIfNeeded: next()), at: place)
      case 3 where !bytes.isEmpty: bytes.remove(at: place)
      case 4 where !bytes.isEmpty: bytes.removeLast(min(bytes.count, 1 + below(8)))
      case 5 where !bytes.isEmpty:
        let count = min(bytes.count - place, 1 + below(16))
        bytes.insert(contentsOf: bytes[place..<place + count], at: below(bytes.count))
      case 6:
        let other = seeds[below(seeds.count)]
        let start = below(other.count)
        let piece = other[start..<min(other.count, start + 1 + below(24))]
        bytes.replaceSubrange(place..<min(bytes.count, place + piece.count), with: piece)
      default:
        let edges: [UInt8] = [
          0x00, 0x7F, 0x80, 0x81, 0xB7, 0xB8, 0xBF, 0xC0, 0xC1, 0xF7, 0xF8, 0xFF,
        ]
        if !bytes.isEmpty { bytes[place] = edges[below(edges.count)] }
      }
    }
    return bytes
  }
}
