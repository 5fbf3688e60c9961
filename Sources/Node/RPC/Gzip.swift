import Ethereum

/// The container of RFC 1952, written without compression, and read with it (RFC 1951).
enum Gzip {
  /// Bytes in a container, uncompressed.
  static func stored(_ bytes: [UInt8]) -> [UInt8] {
    var output: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
    output.reserveCapacity(bytes.count + bytes.count / 65_535 * 5 + 32)
    var first = 0
    repeat {
      let end = min(first + 65_535, bytes.count)
      output.append(end == bytes.count ? 1 : 0)
      let count = UInt16(end - first)
      for word in [count, ~count] { output += [UInt8(truncatingIfNeeded: word), UInt8(word >> 8)] }
      output += bytes[first..<end]
      first = end
    } while first < bytes.count
    for word in [checksum(bytes), UInt32(truncatingIfNeeded: bytes.count)] {
      for shift in [0, 8, 16, 24] { output.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
    return output
  }

  /// Whether bytes begin as a container does.
  static func isContainer(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

  /// What a container holds, of no more than `limit` bytes.
  static func contents(_ bytes: [UInt8], limit: Int) throws(FormatError) -> [UInt8] {
    guard bytes.count >= 18, isContainer(bytes), bytes[2] == 8 else { throw fault("it is no gzip") }
    let flags = bytes[3]
    var place = 10
    if flags & 4 != 0 { place += 2 + Int(bytes[10]) + Int(bytes[11]) << 8 }
    for flag: UInt8 in [8, 16] where flags & flag != 0 {
      while place < bytes.count, bytes[place] != 0 { place += 1 }
      place += 1
    }
    if flags & 2 != 0 { place += 2 }
    guard place <= bytes.count else { throw fault("the head is cut off") }
    var inflater = Inflater(bytes: bytes, place: place, limit: limit)
    let output = try inflater.run()
    let end = inflater.end
    guard end + 8 <= bytes.count else { throw fault("the end is cut off") }
    let sum = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[end + $1]) << UInt32($1 * 8) }
    guard sum == checksum(output) else { throw fault("the checksum is another") }
    return output
  }

  static func fault(_ text: String) -> FormatError {
    FormatError(.valueOutOfRange, text, field: "gzip")
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { word, _ in
      word & 1 == 0 ? word >> 1 : word >> 1 ^ 0xEDB8_8320
    }
  }

  /// CRC-32.
  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
  }
}

/// Reads what is compressed by RFC 1951.
private struct Inflater {
  let bytes: [UInt8]
  var place: Int
  let limit: Int
  private var buffer: UInt32 = 0
  private var bufferBits = 0
  private var output: [UInt8] = []

  init(bytes: [UInt8], place: Int, limit: Int) {
    self.bytes = bytes
    self.place = place
    self.limit = limit
  }

  /// The place behind the last byte that was used.
  var end: Int { place - bufferBits / 8 }

  /// A canonical prefix code: how many words there are of each length, and what they stand for.
  private struct Code {
    var counts = [Int](repeating: 0, count: 16)
    var symbols: [Int]

    init(_ lengths: [Int]) {
      for length in lengths { counts[length] += 1 }
      counts[0] = 0
      var next = [Int](repeating: 0, count: 17)
      for length in 1...15 { next[length + 1] = next[length] + counts[length] }
      symbols = [Int](repeating: 0, count: lengths.count)
      for (symbol, length) in lengths.enumerated() where length > 0 {
        symbols[next[length]] = symbol
        next[length] += 1
      }
    }

    /// Whether no more words are used than there are.
    var isPossible: Bool {
      var left = 1
      for length in 1...15 {
        left = left * 2 - counts[length]
        if left < 0 { return false }
      }
      return true
    }
  }

  private static let lengthBases = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258,
  ]
  private static let lengthBits = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  private static let distanceBases = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
    3073, 4097, 6145, 8193, 12_289, 16_385, 24_577,
  ]
  private static let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

  mutating func run() throws(FormatError) -> [UInt8] {
    var isLast = false
    while !isLast {
      isLast = try bits(1) == 1
      switch try bits(2) {
      case 0: try copyStored()
      case 1:
        var lengths = [Int](repeating: 8, count: 288)
        for symbol in 144..<256 { lengths[symbol] = 9 }
        for symbol in 256..<280 { lengths[symbol] = 7 }
        try copy(Code(lengths), Code([Int](repeating: 5, count: 30)))
      case 2:
        let (literals, distances) = try readCodes()
        try copy(literals, distances)
      default: throw Gzip.fault("there is no such kind of block")
      }
    }
    return output
  }

  private mutating func bits(_ count: Int) throws(FormatError) -> Int {
    while bufferBits < count {
      guard place < bytes.count else { throw Gzip.fault("it is cut off") }
      buffer |= UInt32(bytes[place]) << UInt32(bufferBits)
      place += 1
      bufferBits += 8
    }
    let value = Int(buffer & (1 << UInt32(count) - 1))
    buffer >>= UInt32(count)
    bufferBits -= count
    return value
  }

  private mutating func put(_ byte: UInt8) throws(FormatError) {
    guard output.count < limit else { throw Gzip.fault("it holds more than \(limit) bytes") }
    output.append(byte)
  }

  private mutating func copyStored() throws(FormatError) {
    // To the next byte.
    _ = try bits(bufferBits % 8)
    let count = try bits(16)
    guard try bits(16) == ~count & 0xFFFF else { throw Gzip.fault("a length is damaged") }
    for _ in 0..<count { try put(UInt8(bits(8))) }
  }

  private mutating func symbol(_ code: Code) throws(FormatError) -> Int {
    var (word, first, index) = (0, 0, 0)
    for length in 1...15 {
      word |= try bits(1)
      let count = code.counts[length]
      if word - first < count { return code.symbols[index + word - first] }
      index += count
      first = (first + count) << 1
      word <<= 1
    }
    throw Gzip.fault("there is no such word")
  }

  private mutating func readCodes() throws(FormatError) -> (Code, Code) {
    let literals = try bits(5) + 257
    let distances = try bits(5) + 1
    let count = try bits(4) + 4
    guard literals <= 286, distances <= 30 else { throw Gzip.fault("a code is too long") }
    var lengths = [Int](repeating: 0, count: 19)
    for place in Self.order.prefix(count) { lengths[place] = try bits(3) }
    let code = Code(lengths)
    guard code.isPossible else { throw Gzip.fault("a code is not possible") }
    var all: [Int] = []
    while all.count < literals + distances {
      let symbol = try symbol(code)
      switch symbol {
      case 16:
        guard let last = all.last else { throw Gzip.fault("nothing to repeat") }
        all += [Int](repeating: last, count: try bits(2) + 3)
      case 17: all += [Int](repeating: 0, count: try bits(3) + 3)
      case 18: all += [Int](repeating: 0, count: try bits(7) + 11)
      default: all.append(symbol)
      }
    }
    guard all.count == literals + distances else { throw Gzip.fault("a code is too long") }
    let codes = (Code(Array(all.prefix(literals))), Code(Array(all.suffix(distances))))
    guard codes.0.isPossible, codes.1.isPossible else { throw Gzip.fault("a code is not possible") }
    return codes
  }

  private mutating func copy(_ literals: Code, _ distances: Code) throws(FormatError) {
    while true {
      let symbol = try symbol(literals)
      if symbol == 256 { return }
      if symbol < 256 {
        try put(UInt8(symbol))
        continue
      }
      guard symbol - 257 < Self.lengthBases.count else {
        throw Gzip.fault("there is no such length")
      }
      let length = try Self.lengthBases[symbol - 257] + bits(Self.lengthBits[symbol - 257])
      let place = try self.symbol(distances)
      guard place < Self.distanceBases.count else { throw Gzip.fault("there is no such distance") }
      let distance = try Self.distanceBases[place] + bits(max(0, place / 2 - 1))
      guard distance <= output.count else {
        throw Gzip.fault("a distance leads before the beginning")
      }
      for _ in 0..<length { try put(output[output.count - distance]) }
    }
  }
}
