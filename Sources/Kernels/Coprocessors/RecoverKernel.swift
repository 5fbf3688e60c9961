import EVM

/// Public keys and addresses from signatures, in four launches over rows:
///
/// - `read` takes a request of bytes apart: hash, r, s. A lane has one row.
/// - `scalars` makes of them the multiples of the base point and of the nonce's point. A lane has 32
///   rows, which share an inversion (Montgomery's trick).
/// - `combine` finds the nonce's point and adds the multiples. A lane has row after row; see
///   `RecoverKernel+Combine.swift`.
/// - `finish` makes the points affine and hashes them. A lane has 32 rows again.
///
/// A row is 96 bytes, of which each launch reads what it needs and writes what the next one does, and
/// a state of one byte. Nothing that depends on the signature decides how long a lane takes, but for
/// rows that are refused early.
package enum RecoverKernel {
  /// What all launches work on.
  package struct Arguments: BitwiseCopyable {
    /// Requests as `KeccakKernel.Arguments` has messages; only `read` takes them.
    package var bytes: UnsafeRawPointer?
    package var ends: UnsafePointer<Int>?
    /// The rows; there are `extra` more when that is given, but no more than `extraLimit`.
    package var count: Int
    package var extra: UnsafePointer<UInt64>?
    package var extraLimit = 0
    /// `wordsPerRow` pairs of words a row, aligned to 16 bytes.
    package var rows: UnsafeMutablePointer<SIMD2<UInt64>>
    package var states: UnsafeMutablePointer<UInt8>
    /// `GeneratorTableKernel`'s multiples and their width.
    package var generator: UnsafePointer<SIMD2<UInt64>>
    package var generatorWidth: Int
    /// `pairsPerTable` for each lane of `combine`, and how many lanes there are.
    package var tables: UnsafeMutablePointer<SIMD2<UInt64>>
    package var lanes: Int
    /// Receives 20 bytes a row, where given.
    package var addresses: UnsafeMutablePointer<UInt8>?
    /// Receives 64 bytes a row, x and y, where given.
    package var keys: UnsafeMutablePointer<SIMD2<UInt64>>?
    /// `RecoverKernel.digitWidth` and 2. Numbers that a compiler knows make it write the loops out, to
    /// more than the cache of instructions holds.
    var digitWidth = RecoverKernel.digitWidth
    var halves = 2

    /// Arguments from their parts.
    package init(
      bytes: UnsafeRawPointer?, ends: UnsafePointer<Int>?, count: Int,
      extra: UnsafePointer<UInt64>?, rows: UnsafeMutablePointer<SIMD2<UInt64>>,
      states: UnsafeMutablePointer<UInt8>, generator: UnsafePointer<SIMD2<UInt64>>,
      generatorWidth: Int, tables: UnsafeMutablePointer<SIMD2<UInt64>>, lanes: Int,
      addresses: UnsafeMutablePointer<UInt8>?, keys: UnsafeMutablePointer<SIMD2<UInt64>>?
    ) {
      self.bytes = bytes
      self.ends = ends
      self.count = count
      self.extra = extra
      self.rows = rows
      self.states = states
      self.generator = generator
      self.generatorWidth = generatorWidth
      self.tables = tables
      self.lanes = lanes
      self.addresses = addresses
      self.keys = keys
    }

    /// All rows.
    @inline(__always)
    var total: Int {
      guard let extra else { return count }
      return count &+ min(Int(extra.pointee), extraLimit)
    }
  }

  /// How a row stands.
  package enum State {
    /// A signature whose nonce point has an even y.
    package static var even: UInt8 { 0 }
    /// A signature whose nonce point has an odd y.
    package static var odd: UInt8 { 1 }
    /// The key is found.
    package static var done: UInt8 { 2 }
    /// No key gives the signature.
    package static var refused: UInt8 { 3 }
    /// A special case of addition: the host has to do the row.
    package static var host: UInt8 { 4 }
  }

  /// Pairs of words in a row: three numbers of 256 bits.
  package static var pairsPerRow: Int { 6 }
  /// Rows that share an inversion.
  package static var group: Int { 32 }
  /// Bytes of a request: hash, r, s, parity.
  static var requestSize: Int { 97 }

  // MARK: Requests

  /// Takes a request apart: hash, r and s go to the row, the parity to its state.
  @inline(__always)
  package static func read(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    guard index < arguments.count, let bytes = arguments.bytes, let ends = arguments.ends
    else { return }
    let start = index == 0 ? 0 : ends[index &- 1]
    let request = bytes + start
    if ends[index] &- start != requestSize {
      arguments.states[index] = State.refused
      return
    }
    let parity = request.load(fromByteOffset: 96, as: UInt8.self)
    var words = MessageWords(request)
    let row = arguments.rows + index &* pairsPerRow
    // Hash, r, s: each big-endian.
    var part = 0
    while part < 3 {
      let w3 = words.word().byteSwapped
      let w2 = words.word().byteSwapped
      let w1 = words.word().byteSwapped
      let w0 = words.word().byteSwapped
      row[part &* 2] = SIMD2(w0, w1)
      row[part &* 2 &+ 1] = SIMD2(w2, w3)
      part &+= 1
    }
    arguments.states[index] = parity <= 1 ? parity : State.refused
  }

  // MARK: Scalars

  /// Replaces hash and s of 32 rows by -hash / r and s / r modulo the order.
  @inline(__always)
  package static func scalars(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    let total = arguments.total
    let lanes = (total &+ group &- 1) / group
    if index >= lanes { return }
    var products = InlineArray<32, Secp256k1Scalar>(repeating: .one)
    var product = Secp256k1Scalar.one
    var place = 0
    var row = index
    while row < total {
      // `place` stays below 32, as there are at most 32 rows from `index` on in steps of `lanes`.
      products[unchecked: place] = product
      let r = word(arguments.rows + row &* pairsPerRow + 2)
      let s = word(arguments.rows + row &* pairsPerRow + 4)
      if arguments.states[row] <= State.odd {
        if Secp256k1.isInRange(r), Secp256k1.isInRange(s) {
          product = product * Secp256k1Scalar(reducing: r)
        } else {
          arguments.states[row] = State.refused
        }
      }
      place &+= 1
      row &+= lanes
    }
    var inverse = product.inverse
    while place > 0 {
      place &-= 1
      row &-= lanes
      if arguments.states[row] > State.odd { continue }
      let pairs = arguments.rows + row &* pairsPerRow
      let own = inverse * products[unchecked: place]
      inverse = inverse * Secp256k1Scalar(reducing: word(pairs + 2))
      let generator = (Secp256k1Scalar(reducing: word(pairs)) * own).negated
      let point = Secp256k1Scalar(reducing: word(pairs + 4)) * own
      store(generator.value, to: pairs)
      store(point.value, to: pairs + 4)
    }
  }

  // MARK: Keys

  /// Makes the points of 32 rows affine, and gives keys and addresses.
  @inline(__always)
  package static func finish(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    let total = arguments.total
    let lanes = (total &+ group &- 1) / group
    if index >= lanes { return }
    var products = InlineArray<32, Secp256k1Field>(repeating: .one)
    var product = Secp256k1Field.one
    var place = 0
    var row = index
    while row < total {
      products[unchecked: place] = product
      if arguments.states[row] <= State.odd {
        let z = Secp256k1Field.load(arguments.rows + row &* pairsPerRow + 4)
        if z.isZero {
          arguments.states[row] = State.host
        } else {
          product = product * z
        }
      }
      place &+= 1
      row &+= lanes
    }
    var inverse = product.inverse
    while place > 0 {
      place &-= 1
      row &-= lanes
      if arguments.states[row] > State.odd { continue }
      let pairs = arguments.rows + row &* pairsPerRow
      let own = inverse * products[unchecked: place]
      inverse = inverse * Secp256k1Field.load(pairs + 4)
      let square = own.squared
      let x = (Secp256k1Field.load(pairs) * square).canonical
      let y = (Secp256k1Field.load(pairs + 2) * (square * own)).canonical
      if let keys = arguments.keys {
        KeccakKernel.store(x, to: keys + row &* 4)
        KeccakKernel.store(y, to: keys + row &* 4 + 2)
      }
      if let addresses = arguments.addresses {
        let hash = LaneKeccak.hash(
          x.limb3.byteSwapped, x.limb2.byteSwapped, x.limb1.byteSwapped, x.limb0.byteSwapped,
          y.limb3.byteSwapped, y.limb2.byteSwapped, y.limb1.byteSwapped, y.limb0.byteSwapped)
        // 20 bytes: aligned to four.
        let place = UnsafeMutableRawPointer(addresses + row &* 20)
          .assumingMemoryBound(to: UInt32.self)
        place[0] = UInt32(truncatingIfNeeded: hash.word.limb2).bigEndian
        place[1] = UInt32(truncatingIfNeeded: hash.word.limb1 >> 32).bigEndian
        place[2] = UInt32(truncatingIfNeeded: hash.word.limb1).bigEndian
        place[3] = UInt32(truncatingIfNeeded: hash.word.limb0 >> 32).bigEndian
        place[4] = UInt32(truncatingIfNeeded: hash.word.limb0).bigEndian
      }
      arguments.states[row] = State.done
    }
  }

  // MARK: Words

  /// Reads a number from a row.
  @inline(__always)
  static func word(_ place: UnsafePointer<SIMD2<UInt64>>) -> UInt256 {
    let low = place[0]
    let high = place[1]
    return UInt256(low.x, low.y, high.x, high.y)
  }

  /// Writes a number into a row.
  @inline(__always)
  static func store(_ word: UInt256, to place: UnsafeMutablePointer<SIMD2<UInt64>>) {
    place[0] = SIMD2(word.limb0, word.limb1)
    place[1] = SIMD2(word.limb2, word.limb3)
  }
}
