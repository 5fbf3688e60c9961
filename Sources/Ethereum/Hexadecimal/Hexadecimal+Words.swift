public import EVM

extension UInt256 {
  /// A number in hexadecimal: `0x` and 1 to 64 digits after leading zeros.
  public init?(hexadecimal text: String) {
    var text = text
    let value = text.withUTF8 { bytes -> UInt256? in
      guard let digits = Hexadecimal.withoutPrefix(bytes) else { return nil }
      return UInt256(hexadecimalDigits: digits)
    }
    guard let value else { return nil }
    self = value
  }

  /// A number in decimal digits.
  public init?(decimal text: String) {
    var text = text
    guard let value = text.withUTF8({ UInt256(decimalDigits: $0) }) else { return nil }
    self = value
  }

  /// The number that ASCII hexadecimal digits write; `nil` without digits or beyond 2^256.
  package init?(hexadecimalDigits digits: UnsafeBufferPointer<UInt8>) {
    guard digits.count > 0 else { return nil }
    var limbs: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var index = 0
    // Zeros in front do not count towards the 64 digits.
    while index < digits.count, digits[index] == 0x30 { index &+= 1 }
    guard digits.count &- index <= 64 else { return nil }
    while index < digits.count {
      let value = Hexadecimal.digit(digits[index])
      if value > 15 { return nil }
      let position = digits.count &- 1 &- index
      let shifted = UInt64(value) << UInt64((position & 15) &* 4)
      switch position >> 4 {
      case 0: limbs.0 |= shifted
      case 1: limbs.1 |= shifted
      case 2: limbs.2 |= shifted
      default: limbs.3 |= shifted
      }
      index &+= 1
    }
    self.init(limbs.0, limbs.1, limbs.2, limbs.3)
  }

  /// The number that ASCII decimal digits write; `nil` without digits or beyond 2^256.
  package init?(decimalDigits digits: UnsafeBufferPointer<UInt8>) {
    guard digits.count > 0 else { return nil }
    var value = UInt256.zero
    for byte in digits {
      let digit = byte &- 0x30
      guard digit < 10 else { return nil }
      let (low, high) = UInt256.multiplyFullWidth(value, UInt256(10))
      let (sum, carry) = UInt256.addingReportingCarry(low, UInt256(UInt64(digit)))
      guard high.isZero, !carry else { return nil }
      value = sum
    }
    self = value
  }

  /// The number in decimal digits.
  public var decimal: String {
    if isZero { return "0" }
    var limbs = [limb3, limb2, limb1, limb0]
    var parts: [String] = []
    let chunk: UInt64 = 10_000_000_000_000_000_000
    while limbs.contains(where: { $0 != 0 }) {
      var remainder: UInt64 = 0
      for index in limbs.indices {
        (limbs[index], remainder) = chunk.dividingFullWidth((remainder, limbs[index]))
      }
      parts.append(String(remainder))
    }
    var text = parts.removeLast()
    for part in parts.reversed() {
      text += String(repeating: "0", count: 19 - part.utf8.count) + part
    }
    return text
  }
}

extension UInt256: CustomStringConvertible {
  /// `0x` and the hexadecimal digits without zeros in front; zero is `0x0`.
  public var description: String {
    if isZero { return "0x0" }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { buffer in
      store(bigEndian: buffer.baseAddress!)
      let text = Hexadecimal.string(UnsafeBufferPointer(buffer), prefix: false)
      return "0x" + text.drop { $0 == "0" }
    }
  }
}

extension Address {
  /// An address in hexadecimal: `0x` and 40 digits of either case.
  public init?(hexadecimal text: String) {
    var text = text
    guard let value = text.withUTF8({ Address(text: $0) }) else { return nil }
    self = value
  }

  /// An address in ASCII: `0x` and 40 digits.
  package init?(text: UnsafeBufferPointer<UInt8>) {
    guard text.count == 42, let digits = Hexadecimal.withoutPrefix(text) else { return nil }
    self.init(digits: digits)
  }

  /// An address in 40 ASCII digits.
  package init?(digits: UnsafeBufferPointer<UInt8>) {
    guard digits.count == 40 else { return nil }
    let value = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { buffer -> Address? in
      let output = buffer.baseAddress!
      guard Hexadecimal.decode(digits: digits.baseAddress!, count: 20, into: output) else {
        return nil
      }
      return Address(bytes: output)
    }
    guard let value else { return nil }
    self = value
  }

  /// The 20 bytes.
  public var bytes: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 20) { buffer, count in
      store(bytes: buffer.baseAddress!)
      count = 20
    }
  }
}

extension Address: CustomStringConvertible {
  /// `0x` and 40 lowercase digits.
  public var description: String { Hexadecimal.string(bytes) }
}

extension Address: Comparable {
  /// Orders addresses as the numbers that their bytes write.
  public static func < (a: Address, b: Address) -> Bool {
    if a.high != b.high { return a.high < b.high }
    if a.middle != b.middle { return a.middle < b.middle }
    return a.low < b.low
  }
}

extension Hash256 {
  /// A hash in hexadecimal: `0x` and 64 digits of either case.
  public init?(hexadecimal text: String) {
    var text = text
    guard let value = text.withUTF8({ Hash256(text: $0) }) else { return nil }
    self = value
  }

  /// A hash in ASCII: `0x` and 64 digits.
  package init?(text: UnsafeBufferPointer<UInt8>) {
    guard text.count == 66, let digits = Hexadecimal.withoutPrefix(text) else { return nil }
    let value = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { buffer -> Hash256? in
      let output = buffer.baseAddress!
      guard Hexadecimal.decode(digits: digits.baseAddress!, count: 32, into: output) else {
        return nil
      }
      return Hash256(bytes: output)
    }
    guard let value else { return nil }
    self = value
  }

  /// The 32 bytes.
  public var bytes: [UInt8] { word.bytes }
}

extension Hash256: CustomStringConvertible {
  /// `0x` and 64 lowercase digits.
  public var description: String { Hexadecimal.string(bytes) }
}

extension Hash256: Comparable {
  /// Orders hashes as the numbers that their bytes write.
  public static func < (a: Hash256, b: Hash256) -> Bool { a.word < b.word }
}

extension UInt256 {
  /// The 32 big-endian bytes.
  public var bytes: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
      store(bigEndian: buffer.baseAddress!)
      count = 32
    }
  }

  /// The big-endian bytes without zeros in front; none for zero.
  public var minimalBytes: [UInt8] { Array(bytes.suffix(byteWidth)) }
}
