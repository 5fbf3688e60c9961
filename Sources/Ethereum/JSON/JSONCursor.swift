/// A strict reader of JSON (RFC 8259) over bytes that somebody else holds: no tree, no copies.
///
/// The caller says what it expects, value by value:
/// ```swift
/// try cursor.beginObject()
/// while let key = try cursor.nextKey() {
///   if key == "nonce" { nonce = try cursor.uint64() } else { try cursor.skipValue() }
/// }
/// ```
/// Strings come as slices of the input. Everything that is passed over is checked too: escapes,
/// UTF-8, numbers, nesting to `maximumDepth`. An error carries line, column and the path of keys,
/// which are found by a second pass, so that the first one keeps no account of them.
///
/// The memory must outlive the cursor and the slices that it hands out.
package struct JSONCursor {
  /// The deepest nesting that is read.
  package static var maximumDepth: Int { 512 }

  /// The kind of a value, told by its first byte.
  package enum Kind: Sendable {
    case object, array, string, number, boolean, null
  }

  let bytes: UnsafePointer<UInt8>
  let count: Int
  /// Bytes read.
  package private(set) var position = 0
  private var depth = 0
  /// True between a `{` or `[` and its first item.
  private var isFirst = false

  /// A reader at the start of `buffer`.
  package init(_ buffer: UnsafeBufferPointer<UInt8>) {
    count = buffer.count
    // An empty buffer may have no address; nothing is read through this one then.
    bytes = buffer.baseAddress ?? UnsafePointer(bitPattern: 1)!
  }

  // MARK: Values

  /// The kind of the value that comes next.
  package mutating func kind() throws(FormatError) -> Kind {
    skipSpace()
    guard position < count else { throw malformed("the text ends where a value should be") }
    switch bytes[position] {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
    case UInt8(ascii: "n"): return .null
    case UInt8(ascii: "-"), 0x30...0x39: return .number
    default: throw malformed("no value starts with \(quoted(bytes[position]))")
    }
  }

  /// Enters the object that comes next.
  package mutating func beginObject() throws(FormatError) {
    try begin(.object, "an object")
  }

  /// Enters the array that comes next.
  package mutating func beginArray() throws(FormatError) {
    try begin(.array, "an array")
  }

  /// The next key of the object that was entered, with its colon read; `nil` after leaving it.
  package mutating func nextKey() throws(FormatError) -> JSONString? {
    guard try separator(closing: UInt8(ascii: "}")) else { return nil }
    guard position < count, bytes[position] == UInt8(ascii: "\"") else {
      throw malformed("a key should stand here, in double quotes")
    }
    let key = try scanString()
    skipSpace()
    guard position < count, bytes[position] == UInt8(ascii: ":") else {
      throw malformed("a colon should follow the key")
    }
    position &+= 1
    return key
  }

  /// Whether the array that was entered has another element; false after leaving it.
  package mutating func nextElement() throws(FormatError) -> Bool {
    try separator(closing: UInt8(ascii: "]"))
  }

  /// The string that comes next.
  package mutating func string() throws(FormatError) -> JSONString {
    let found = try kind()
    guard found == .string else { throw unexpected(found, "a string") }
    return try scanString()
  }

  /// The characters of the number that comes next.
  package mutating func number() throws(FormatError) -> JSONString {
    let found = try kind()
    guard found == .number else { throw unexpected(found, "a number") }
    return try scanNumber()
  }

  /// `true` or `false`.
  package mutating func boolean() throws(FormatError) -> Bool {
    let found = try kind()
    guard found == .boolean else { throw unexpected(found, "true or false") }
    if bytes[position] == UInt8(ascii: "t") {
      try literal("true")
      return true
    }
    try literal("false")
    return false
  }

  /// Reads `null` when it comes next and says so.
  package mutating func skipNull() throws(FormatError) -> Bool {
    guard try kind() == .null else { return false }
    try literal("null")
    return true
  }

  /// Passes over the value that comes next, checking it, and gives its bytes.
  @discardableResult
  package mutating func skipValue() throws(FormatError) -> UnsafeBufferPointer<UInt8> {
    let outer = depth
    skipSpace()
    let start = position
    repeat {
      switch try kind() {
      case .string: _ = try scanString()
      case .number: _ = try scanNumber()
      case .boolean: _ = try boolean()
      case .null: try literal("null")
      case .object:
        try beginObject()
        if try nextKey() != nil { continue }
      case .array:
        try beginArray()
        if try nextElement() { continue }
      }
      // A value has ended: leave every container that ends here too.
      while depth > outer {
        // The innermost bracket is not remembered: the next byte tells it.
        skipSpace()
        guard position < count else { throw malformed("the text ends inside a value") }
        let isObject = openObjects[depth &- 1]
        if isObject {
          if try nextKey() != nil { break }
        } else if try nextElement() {
          break
        }
      }
    } while depth > outer
    return UnsafeBufferPointer(start: bytes + start, count: position &- start)
  }

  /// Checks that nothing but white space is left.
  package mutating func finish() throws(FormatError) {
    skipSpace()
    guard position == count else { throw malformed("something follows the end of the value") }
  }

  // MARK: Errors

  /// An error at the value that was read last, or at the byte that is next.
  package func failure(
    _ code: FormatError.Code, _ reason: String, at offset: Int? = nil
  ) -> FormatError {
    let place = JSONPlace(bytes: bytes, count: count, offset: offset ?? position)
    return FormatError(code, reason, path: place.path, line: place.line, column: place.column)
  }

  /// An error about the object that was left last, as a whole.
  package func failure(ofObject code: FormatError.Code, _ reason: String) -> FormatError {
    let place = JSONPlace(
      bytes: bytes, count: count, offset: max(position &- 1, 0), namesContainer: true)
    return FormatError(code, reason, path: place.path, line: place.line, column: place.column)
  }

  /// The offset in the input of a slice that this cursor handed out.
  package func offset(of string: JSONString) -> Int { string.base - bytes }

  private func malformed(_ reason: String) -> FormatError { failure(.malformedJSON, reason) }

  private func unexpected(_ found: Kind, _ wanted: String) -> FormatError {
    failure(.unexpectedKind, "\(wanted) should stand here, not \(found.words)")
  }

  private func quoted(_ byte: UInt8) -> String {
    byte > 0x20 && byte < 0x7F
      ? "'\(Character(UnicodeScalar(byte)))'" : "the byte 0x\(String(byte, radix: 16))"
  }

  // MARK: Scanning

  /// For each open container, whether it is an object.
  private var openObjects = BitStack()

  private mutating func begin(_ wanted: Kind, _ words: String) throws(FormatError) {
    let found = try kind()
    guard found == wanted else { throw unexpected(found, words) }
    guard depth < Self.maximumDepth else {
      throw failure(.tooDeep, "values are nested deeper than \(Self.maximumDepth)")
    }
    openObjects[depth] = wanted == .object
    depth &+= 1
    position &+= 1
    isFirst = true
  }

  /// Reads what separates items: true when another one follows, false when the container ended.
  private mutating func separator(closing: UInt8) throws(FormatError) -> Bool {
    skipSpace()
    guard position < count else { throw malformed("the text ends inside a value") }
    if bytes[position] == closing {
      position &+= 1
      depth &-= 1
      isFirst = false
      return false
    }
    if isFirst {
      isFirst = false
      return true
    }
    guard bytes[position] == UInt8(ascii: ",") else {
      throw malformed("a comma or the end of the container should stand here")
    }
    position &+= 1
    skipSpace()
    guard position < count, bytes[position] != closing else {
      throw malformed("a value should follow the comma")
    }
    return true
  }

  /// A word whose lowest set bit is bit 7 of the first byte of `word` that is `"`, `\`, below 0x20
  /// or above 0x7F; zero when none is. A borrow can only mark bytes behind the first one.
  @inline(__always)
  private static func specialBytes(_ word: UInt64) -> UInt64 {
    let word = UInt64(littleEndian: word)
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    let quote = word ^ (ones &* 0x22)
    let backslash = word ^ (ones &* 0x5C)
    let found =
      ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
      | ((word &- (ones &* 0x20)) & ~word) | word
    return found & highs
  }

  @inline(__always)
  private mutating func skipSpace() {
    guard position < count, bytes[position] <= 0x20 else { return }
    skipSpaceBytes()
  }

  private mutating func skipSpaceBytes() {
    while position < count {
      let byte = bytes[position]
      if byte == 0x20, count &- position >= 8,
        UnsafeRawPointer(bytes + position).loadUnaligned(as: UInt64.self)
          == 0x2020_2020_2020_2020
      {
        position &+= 8
        continue
      }
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
      position &+= 1
    }
  }

  private mutating func literal(_ word: StaticString) throws(FormatError) {
    let length = word.utf8CodeUnitCount
    guard count &- position >= length else { throw malformed("an unknown word") }
    for index in 0..<length where bytes[position &+ index] != word.utf8Start[index] {
      throw malformed("an unknown word; only true, false and null are words")
    }
    position &+= length
  }

  /// Reads a string from its opening quote on.
  private mutating func scanString() throws(FormatError) -> JSONString {
    position &+= 1
    let start = position
    var hasEscapes = false
    while true {
      // Eight bytes at a time up to a quote, a backslash, a control byte or one that is not ASCII.
      // (Comparisons of Swift's SIMD16<UInt8> compile to scalar loops, 20 times slower.)
      while count &- position >= 8 {
        let special = Self.specialBytes(
          UnsafeRawPointer(bytes + position).loadUnaligned(as: UInt64.self))
        if special != 0 {
          position &+= special.trailingZeroBitCount >> 3
          break
        }
        position &+= 8
      }
      while position < count {
        let byte = bytes[position]
        if byte == 0x22 || byte == 0x5C || byte < 0x20 || byte >= 0x80 { break }
        position &+= 1
      }
      guard position < count else { throw malformed("the text ends inside a string") }
      let byte = bytes[position]
      if byte == 0x22 {
        let string = JSONString(
          base: bytes + start, count: position &- start, hasEscapes: hasEscapes)
        position &+= 1
        return string
      }
      if byte == 0x5C {
        hasEscapes = true
        try scanEscape()
      } else if byte < 0x20 {
        throw malformed("a control character in a string must be escaped")
      } else {
        try scanUTF8()
      }
    }
  }

  /// Passes over an escape sequence; surrogates must come in pairs.
  private mutating func scanEscape() throws(FormatError) {
    guard count &- position >= 2 else { throw malformed("the text ends inside a string") }
    switch bytes[position &+ 1] {
    case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74:
      position &+= 2
    case 0x75:
      let unit = try hexUnit(at: position &+ 2)
      if unit & 0xFC00 == 0xDC00 { throw malformed("half of a surrogate pair") }
      if unit & 0xFC00 == 0xD800 {
        guard count &- position >= 12, bytes[position &+ 6] == 0x5C, bytes[position &+ 7] == 0x75,
          try hexUnit(at: position &+ 8) & 0xFC00 == 0xDC00
        else { throw malformed("half of a surrogate pair") }
        position &+= 12
      } else {
        position &+= 6
      }
    default:
      throw malformed("an unknown escape in a string")
    }
  }

  private func hexUnit(at offset: Int) throws(FormatError) -> UInt16 {
    guard count &- offset >= 4 else { throw malformed("the text ends inside a string") }
    var unit: UInt16 = 0
    for index in 0..<4 {
      let value = Hexadecimal.digit(bytes[offset &+ index])
      guard value < 16 else { throw malformed("\\u needs four hexadecimal digits") }
      unit = unit << 4 | UInt16(value)
    }
    return unit
  }

  /// Passes over one character of two to four bytes (RFC 3629: no overlong forms, no surrogates).
  private mutating func scanUTF8() throws(FormatError) {
    let first = bytes[position]
    let length: Int
    var lowest: UInt8 = 0x80
    var highest: UInt8 = 0xBF
    switch first {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, lowest) = (3, 0xA0)
    case 0xED: (length, highest) = (3, 0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, lowest) = (4, 0x90)
    case 0xF1...0xF3: length = 4
    case 0xF4: (length, highest) = (4, 0x8F)
    default: throw malformed("a byte that is not UTF-8")
    }
    guard count &- position >= length else { throw malformed("the text ends inside a character") }
    let second = bytes[position &+ 1]
    guard second >= lowest, second <= highest else { throw malformed("bytes that are not UTF-8") }
    for index in 2..<max(length, 2) where bytes[position &+ index] & 0xC0 != 0x80 {
      throw malformed("bytes that are not UTF-8")
    }
    position &+= length
  }

  /// Reads `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`.
  private mutating func scanNumber() throws(FormatError) -> JSONString {
    let start = position
    if bytes[position] == UInt8(ascii: "-") { position &+= 1 }
    if position < count, bytes[position] == 0x30 {
      position &+= 1
      if position < count, bytes[position] &- 0x30 < 10 {
        throw malformed("a number with a zero in front")
      }
    } else {
      try digits()
    }
    if position < count, bytes[position] == UInt8(ascii: ".") {
      position &+= 1
      try digits()
    }
    if position < count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      position &+= 1
      if position < count,
        bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
      {
        position &+= 1
      }
      try digits()
    }
    return JSONString(base: bytes + start, count: position &- start, hasEscapes: false)
  }

  private mutating func digits() throws(FormatError) {
    let start = position
    while position < count, bytes[position] &- 0x30 < 10 { position &+= 1 }
    guard position > start else { throw malformed("a digit should stand here") }
  }
}

extension JSONCursor.Kind {
  /// The kind with its article.
  var words: String {
    switch self {
    case .object: "an object"
    case .array: "an array"
    case .string: "a string"
    case .number: "a number"
    case .boolean: "a boolean"
    case .null: "null"
    }
  }
}

/// One bit for each level of nesting, to `JSONCursor.maximumDepth`.
private struct BitStack {
  private var words: InlineArray<8, UInt64> = .init(repeating: 0)

  subscript(index: Int) -> Bool {
    get { (words[index >> 6] >> UInt64(index & 63)) & 1 != 0 }
    set {
      let bit: UInt64 = 1 << UInt64(index & 63)
      if newValue { words[index >> 6] |= bit } else { words[index >> 6] &= ~bit }
    }
  }
}
