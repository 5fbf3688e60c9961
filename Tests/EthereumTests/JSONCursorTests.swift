import EVM
import Ethereum
import Testing

@Suite struct JSONCursorTests {
  /// The error of reading a text as one value; `nil` when it is one.
  private func check(_ bytes: [UInt8]) -> FormatError? {
    bytes.withUnsafeBufferPointer { buffer in
      do throws(FormatError) {
        var cursor = JSONCursor(buffer)
        try cursor.skipValue()
        try cursor.finish()
        return nil
      } catch { return error }
    }
  }

  private func check(_ text: String) -> FormatError? { check(Array(text.utf8)) }

  private func read<Value>(
    _ text: String, _ body: (inout JSONCursor) throws(FormatError) -> Value
  ) throws(FormatError) -> Value {
    try withBytes(Array(text.utf8)) { (buffer) throws(FormatError) in
      var cursor = JSONCursor(buffer)
      return try body(&cursor)
    }
  }

  @Test(arguments: [
    "{}", "[]", "\"\"", "0", "-0", "1", "-1.5e+10", "1E5", "0.001", "true", "false", "null",
    " \t\r\n[ 1 , 2 ] ", "{\"a\":{\"b\":[1,{\"c\":null}]}}", "[[],{},[[]]]", "\"\\u00e9\\n\\\\\"",
    "\"\\ud834\\udd1e\"", "\"é€𝄞\"", "[\"0123456789abcdef\\\"0123456789\"]",
    "{\"a\":1,\"a\":2}", "[1,[2,[3,[4]],5],6]",
  ])
  func acceptsWhatTheStandardAllows(_ text: String) {
    #expect(check(text) == nil)
  }

  @Test(arguments: [
    "", " ", "{", "[", "}", "]", "{]", "[}", "[1,]", "{\"a\":1,}", "[,1]", "[1 2]", "{\"a\" 1}",
    "{\"a\":}", "{a:1}", "{'a':1}", "{1:2}", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x10",
    "NaN",
    "Infinity", "tru", "True", "nulll", "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"",
    "\"\n\"", "\"\u{1}\"", "\"\\ud834\"", "\"\\udd1e\\ud834\"", "\"\\ud834\\u0041\"", "[1]]",
    "{}{}",
    "1 2", "[1", "{\"a\":1", "// c\n1", "\u{FEFF}1",
  ])
  func refusesWhatItDoesNot(_ text: String) {
    #expect(check(text)?.code == .malformedJSON)
  }

  @Test(
    arguments: [
      [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80],
      [0xF0, 0x80, 0x80, 0x80],
      [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xC3], [0xE2, 0x82], [0xFF],
      [0xC3, 0x28],
    ] as [[UInt8]])
  func refusesBytesThatAreNotUTF8(_ bytes: [UInt8]) {
    let quote = UInt8(ascii: "\"")
    #expect(check([quote] + bytes + [quote])?.code == .malformedJSON)
    // Also behind the part that is read a word at a time.
    #expect(check([quote] + Array("0123456789abcdefg".utf8) + bytes + [quote]) != nil)
  }

  @Test func findsEverySpecialByteAtEveryPlace() {
    for place in 0..<24 {
      for byte in UInt8.min...UInt8.max {
        var text = [UInt8](repeating: UInt8(ascii: "x"), count: 26)
        text[0] = UInt8(ascii: "\"")
        text[25] = UInt8(ascii: "\"")
        text[place + 1] = byte
        let plain = byte >= 0x20 && byte < 0x7F + 1 && byte != 0x22 && byte != 0x5C
        #expect((check(text) == nil) == plain, "byte \(byte) at \(place)")
      }
    }
  }

  @Test func boundsTheNesting() {
    let depth = JSONCursor.maximumDepth
    let brackets = { (count: Int) in
      String(repeating: "[", count: count) + String(repeating: "]", count: count)
    }
    #expect(check(brackets(depth)) == nil)
    #expect(check(brackets(depth + 1))?.code == .tooDeep)
    #expect(check(String(repeating: "{\"a\":", count: 100_000))?.code == .tooDeep)
  }

  @Test func replacesEscapes() throws {
    let text = try read(#""\"\\\/\b\f\n\r\tA\u0041\u00e9\ud834\udd1e""#) {
      (cursor) throws(FormatError) in try cursor.string().text
    }
    #expect(text == "\"\\/\u{8}\u{C}\n\r\tAAé𝄞")
  }

  @Test func handsOutValuesInOrder() throws {
    let seen = try read(#"{"a": [1, "two", true, null, {}], "b": {"c": "0x1f"}, "d": 7}"#) {
      (cursor) throws(FormatError) in
      var seen: [String] = []
      try cursor.beginObject()
      while let key = try cursor.nextKey() {
        switch key {
        case "a":
          try cursor.beginArray()
          while try cursor.nextElement() {
            seen.append("\(try cursor.kind())"); try cursor.skipValue()
          }
        case "b":
          try cursor.beginObject()
          while let key = try cursor.nextKey() { seen.append("\(key.text)=\(try cursor.uint64())") }
        default: seen.append("\(key.text)=\(try cursor.uint64())")
        }
      }
      try cursor.finish()
      return seen
    }
    #expect(seen == ["number", "string", "boolean", "null", "object", "c=31", "d=7"])
  }

  @Test(arguments: [
    ("\"0x10\"", 16), ("\"16\"", 16), ("16", 16), ("\"0x0010\"", 16), ("\"0x\"", 0), ("0", 0),
    ("\"0xffffffffffffffff\"", UInt64.max),
  ])
  func readsNumbersInAllNotations(_ text: String, _ value: UInt64) throws {
    #expect(try read(text) { (cursor) throws(FormatError) in try cursor.uint64() } == value)
  }

  @Test(arguments: [
    ("\"0x10000000000000000\"", FormatError.Code.valueOutOfRange),
    ("18446744073709551616", .valueOutOfRange), ("-1", .malformedNumber), ("1.5", .malformedNumber),
    ("1e3", .malformedNumber), ("\"0xg\"", .malformedNumber), ("\"\"", .malformedNumber),
    ("\"1x\"", .malformedNumber), ("true", .unexpectedKind), ("[]", .unexpectedKind),
  ])
  func refusesOtherNumbers(_ text: String, _ code: FormatError.Code) {
    let error = #expect(throws: FormatError.self) {
      try read(text) { (cursor) throws(FormatError) in try cursor.uint64() }
    }
    #expect(error?.code == code)
  }

  @Test func namesThePlaceOfAnError() {
    let text = """
      {"first": {},
       "blocks": [{"rlp": "0x00"},
                  {"rlp": "0xzz"}]}
      """
    let error = #expect(throws: FormatError.self) {
      try read(text) { (cursor) throws(FormatError) in
        try cursor.beginObject()
        while let key = try cursor.nextKey() {
          guard key == "blocks" else {
            try cursor.skipValue()
            continue
          }
          _ = try cursor.array { (cursor) throws(FormatError) in
            try cursor.forEachKey { (cursor, _) throws(FormatError) in _ = try cursor.hexBytes() }
          }
        }
      }
    }
    #expect(error?.line == 3)
    #expect(error?.path == "blocks[1].rlp")
    #expect(
      error?.inFile("a.json").description
        == "a.json:3:22: blocks[1].rlp: bytes should be 0x and two hexadecimal digits each")
  }

  @Test func namesTheObjectThatLacksAField() {
    let error = #expect(throws: FormatError.self) {
      try read(#"{"a": [{"b": {"c": 1}}]}"#) { (cursor) throws(FormatError) in
        try cursor.forEachKey { (cursor, _) throws(FormatError) in
          _ = try cursor.array { (cursor) throws(FormatError) in
            try cursor.forEachKey { (cursor, _) throws(FormatError) in
              try cursor.skipValue()
            }
            _ = try cursor.required(UInt64?.none, "x")
          }
        }
      }
    }
    #expect(error?.path == "a[0]")
    #expect(error?.code == .missingField)
  }

  @Test func readsAWholeFileOrSaysWhyNot() {
    #expect(throws: FormatError.self) { _ = try FileBytes(path: "/no/such/file.json") }
    let error = #expect(throws: FormatError.self) { _ = try FileBytes(path: "/") }
    #expect(error?.code == .unreadableFile)
    #expect(error?.file == "/")
  }
}
