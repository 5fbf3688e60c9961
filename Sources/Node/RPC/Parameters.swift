import EVM
import Ethereum

/// The parameters of a request, read one by one. An error names the place of the parameter.
struct Parameters {
  private let values: [JSONValue]

  init(_ value: JSONValue?) throws(RPCError) {
    switch value {
    case nil, .null?: values = []
    case .array(let items)?: values = items
    default: throw .invalidParameters("non-array args")
    }
  }

  var count: Int { values.count }

  /// A parameter; `nil` where it is missing or null.
  subscript(index: Int) -> JSONValue? {
    index < values.count && values[index] != .null ? values[index] : nil
  }

  func required(_ index: Int) throws(RPCError) -> JSONValue {
    guard let value = self[index] else {
      throw .invalidParameters("missing value for required argument \(index)")
    }
    return value
  }

  /// What a parameter that must be there says.
  func read<Value>(
    _ index: Int, _ body: (JSONValue) throws(RPCError) -> Value
  ) throws(RPCError) -> Value {
    let value = try required(index)
    do throws(RPCError) { return try body(value) } catch {
      throw error.within("invalid argument \(index)")
    }
  }

  /// What a parameter says that may be missing.
  func read<Value>(
    ifPresent index: Int, _ body: (JSONValue?) throws(RPCError) -> Value
  ) throws(RPCError) -> Value {
    do throws(RPCError) { return try body(self[index]) } catch {
      throw error.within("invalid argument \(index)")
    }
  }

  func address(_ index: Int) throws(RPCError) -> Address {
    try read(index) { (value) throws(RPCError) in try value.address() }
  }
  func hash(_ index: Int) throws(RPCError) -> Hash256 {
    try read(index) { (value) throws(RPCError) in try value.hash() }
  }
  func bytes(_ index: Int) throws(RPCError) -> [UInt8] {
    try read(index) { (value) throws(RPCError) in try value.bytes() }
  }
  func quantity(_ index: Int) throws(RPCError) -> UInt64 {
    try read(index) { (value) throws(RPCError) in try value.quantity() }
  }
  func word(_ index: Int) throws(RPCError) -> UInt256 {
    try read(index) { (value) throws(RPCError) in try value.quantity256() }
  }
  func boolean(_ index: Int) throws(RPCError) -> Bool {
    try read(index) { (value) throws(RPCError) in try value.boolean() }
  }
  func text(_ index: Int) throws(RPCError) -> String {
    try read(index) { (value) throws(RPCError) in try value.text() }
  }

  /// A block by number, name or hash (EIP-1898); the newest where it is missing.
  func block(_ index: Int) throws(RPCError) -> BlockReference {
    if self[index] == nil { return .tag(.latest) }
    return try read(index) { (value) throws(RPCError) in try BlockReference(value) }
  }
}

/// Which block a request means.
enum BlockReference: Equatable {
  enum Tag: String { case latest, pending, earliest, safe, finalized }
  case number(UInt64)
  case tag(Tag)
  case hash(Hash256, requiresCanonical: Bool)

  init(_ value: JSONValue) throws(RPCError) {
    switch value {
    case .string(let text):
      if let tag = Tag(rawValue: text) {
        self = .tag(tag)
      } else if text.utf8.count == 66 {
        self = .hash(try value.hash(), requiresCanonical: false)
      } else if text.hasPrefix("0x") {
        self = .number(try value.quantity())
      } else {
        throw .invalidParameters(
          "\"\(text.prefix(40))\" is no block: there are numbers such as 0x1, hashes, latest, pending, "
            + "safe, finalized and earliest")
      }
    case .object:
      if let hash = value["blockHash"] {
        guard value["blockNumber"] == nil else {
          throw .invalidParameters(
            "cannot specify both BlockHash and BlockNumber, choose one or the other")
        }
        self = .hash(
          try hash.hash(),
          requiresCanonical: try value.member("requireCanonical", JSONValue.boolean) ?? false)
      } else if case .string(let text)? = value["blockNumber"], text.utf8.count < 66 {
        self = try BlockReference(.string(text))
      } else {
        throw .invalidParameters(
          "a block is a number, a name, or an object with blockHash or blockNumber")
      }
    default:
      throw .invalidParameters(
        "\(value.kind) is no block: a number is hexadecimal digits in a string, such as \"0x1\"")
    }
  }
}

extension JSONValue {
  /// A member of an object, read; `nil` where there is none. An error names the member.
  func member<Value>(
    _ name: String, _ read: (JSONValue) throws(RPCError) -> Value
  ) throws(RPCError) -> Value? {
    guard let value = self[name] else { return nil }
    do throws(RPCError) { return try read(value) } catch { throw error.within(name) }
  }

  /// The same by one of the value's own methods.
  func member<Value>(
    _ name: String, _ read: (JSONValue) -> () throws(RPCError) -> Value
  ) throws(RPCError) -> Value? {
    try member(name) { (value) throws(RPCError) in try read(value)() }
  }

  /// The same where a member has two names; the first one counts.
  func member<Value>(
    _ name: String, or other: String, _ read: (JSONValue) -> () throws(RPCError) -> Value
  ) throws(RPCError) -> Value? {
    try member(self[name] == nil ? other : name, read)
  }

  /// The items of an array, read. An error names the item.
  func items<Value>(
    _ read: (JSONValue) throws(RPCError) -> Value
  ) throws(RPCError) -> [Value] {
    var items: [Value] = []
    for (index, item) in try array().enumerated() {
      do throws(RPCError) { items.append(try read(item)) } catch {
        throw error.within("[\(index)]")
      }
    }
    return items
  }

  func text() throws(RPCError) -> String {
    guard case .string(let text) = self else {
      throw .invalidParameters("a string belongs here, not \(kind)")
    }
    return text
  }

  func boolean() throws(RPCError) -> Bool {
    guard case .boolean(let flag) = self else {
      throw .invalidParameters("true or false belongs here, not \(kind)")
    }
    return flag
  }

  func array() throws(RPCError) -> [JSONValue] {
    guard case .array(let items) = self else {
      throw .invalidParameters("an array belongs here, not \(kind)")
    }
    return items
  }

  func object() throws(RPCError) -> [(name: String, value: JSONValue)] {
    guard case .object(let members) = self else {
      throw .invalidParameters("an object belongs here, not \(kind)")
    }
    return members
  }

  private func digits() throws(RPCError) -> String.UTF8View.SubSequence {
    let text = try text()
    guard text.utf8.count >= 2, text.utf8.first == 0x30,
      text.utf8.dropFirst().first.map({ $0 | 0x20 }) == 0x78
    else { throw .invalidParameters("hex string without 0x prefix") }
    return text.utf8.dropFirst(2)
  }

  func bytes() throws(RPCError) -> [UInt8] {
    let text = try text()
    _ = try digits()
    guard let bytes = Hexadecimal.bytes(text) else {
      throw .invalidParameters(
        text.utf8.count & 1 == 1 ? "hex string of odd length" : "invalid hex string")
    }
    return bytes
  }

  func address() throws(RPCError) -> Address {
    _ = try digits()
    guard let address = Address(hexadecimal: try text()) else {
      throw .invalidParameters("an address is 0x and 40 hexadecimal digits")
    }
    return address
  }

  func hash() throws(RPCError) -> Hash256 {
    _ = try digits()
    guard let hash = Hash256(hexadecimal: try text()) else {
      throw .invalidParameters("a hash is 0x and 64 hexadecimal digits")
    }
    return hash
  }

  /// A number of 64 bits: `0x` and digits without zeros in front. A plain number is taken, too.
  func quantity() throws(RPCError) -> UInt64 {
    let value = try quantity256()
    guard value.fitsUInt64 else { throw .invalidParameters("hex number > 64 bits") }
    return value.limb0
  }

  func quantity256() throws(RPCError) -> UInt256 {
    if case .number(let text) = self {
      guard let number = UInt256(decimal: text) else {
        throw .invalidParameters("\(text.prefix(80)) is no whole number from 0 to 2^256 - 1")
      }
      return number
    }
    let digits = try digits()
    guard !digits.isEmpty else { throw .invalidParameters("hex string \"0x\"") }
    if digits.count > 1, digits.first == 0x30 {
      throw .invalidParameters("hex number with leading zero digits")
    }
    guard digits.count <= 64, let value = UInt256(hexadecimal: try text()) else {
      throw .invalidParameters(
        digits.count > 64 ? "hex number > 256 bits" : "invalid hex string")
    }
    return value
  }

  /// A key of a slot: up to 32 bytes, an odd number of digits allowed.
  func slotKey() throws(RPCError) -> UInt256 {
    let digits = try digits()
    guard digits.count <= 64 else {
      throw .invalidParameters("storage key too long (want at most 32 bytes): \"\(try text())\"")
    }
    if digits.isEmpty { return .zero }
    guard let value = UInt256(hexadecimal: try text()) else {
      throw .invalidParameters("invalid hex in storage key: \"\(try text())\"")
    }
    return value
  }
}
