package import Ethereum

/// A JSON value, of a request or an answer.
package indirect enum JSONValue: Sendable, Equatable {
  case null
  case boolean(Bool)
  /// The characters of a number.
  case number(String)
  case string(String)
  case array([JSONValue])
  /// Members in their order; a name may come twice, the last one counts.
  case object([(name: String, value: JSONValue)])

  /// The deepest nesting of a request.
  static let maximumDepth = 64

  /// Reads the value that comes next.
  package init(from cursor: inout JSONCursor, depth: Int = 0) throws(FormatError) {
    guard depth < Self.maximumDepth else {
      throw cursor.failure(.tooDeep, "values are nested deeper than \(Self.maximumDepth)")
    }
    switch try cursor.kind() {
    case .null:
      _ = try cursor.skipNull()
      self = .null
    case .boolean: self = .boolean(try cursor.boolean())
    case .number: self = .number(try cursor.number().text)
    case .string: self = .string(try cursor.string().text)
    case .array:
      var items: [JSONValue] = []
      try cursor.beginArray()
      while try cursor.nextElement() {
        items.append(try JSONValue(from: &cursor, depth: depth + 1))
      }
      self = .array(items)
    case .object:
      var members: [(name: String, value: JSONValue)] = []
      try cursor.beginObject()
      while let key = try cursor.nextKey() {
        let name = key.text
        members.append((name, try JSONValue(from: &cursor, depth: depth + 1)))
      }
      self = .object(members)
    }
  }

  /// The member of an object; `nil` where there is none or it is null.
  package subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self,
      let value = members.last(where: { $0.name == name })?.value, value != .null
    else { return nil }
    return value
  }

  package static func == (a: JSONValue, b: JSONValue) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.boolean(let a), .boolean(let b)): a == b
    case (.number(let a), .number(let b)), (.string(let a), .string(let b)): a == b
    case (.array(let a), .array(let b)): a == b
    case (.object(let a), .object(let b)):
      a.count == b.count && zip(a, b).allSatisfy { $0.name == $1.name && $0.value == $1.value }
    default: false
    }
  }

  /// What it is, in words.
  var kind: String {
    switch self {
    case .null: "null"
    case .boolean: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

extension JSONWriter {
  /// Writes a value as it was read.
  mutating func value(_ value: JSONValue) {
    switch value {
    case .null: null()
    case .boolean(let flag): self.value(flag)
    // No other number would be the same to whoever compares: an id, for one.
    case .number(let text): self.value(encoded: [UInt8](text.utf8))
    case .string(let text): self.value(text)
    case .array(let items):
      array { writer in
        for item in items { writer.value(item) }
      }
    case .object(let members):
      object { writer in
        for member in members {
          writer.key(member.name)
          writer.value(member.value)
        }
      }
    }
  }
}
