import EVM
import Ethereum

/// Structured data that an account signs (EIP-712).
struct TypedData {
  private typealias Field = (name: String, type: String)

  private var types: [String: [Field]] = [:]
  private let primaryType: String
  private let domain: JSONValue
  private let message: JSONValue
  private var typeHashes: [String: Hash256] = [:]
  private static let domainType = "EIP712Domain"

  /// Reads the object that EIP-712 describes; many clients send its text.
  init(_ value: JSONValue) throws(RPCError) {
    var value = value
    if case .string(let text) = value {
      do {
        value = try [UInt8](text.utf8).withUnsafeBufferPointer {
          var cursor = JSONCursor($0)
          return try JSONValue(from: &cursor)
        }
      } catch { throw .invalidParameters("typed data: \(error)") }
    }
    guard
      let types = try value.member("types", JSONValue.object),
      let primaryType = try value.member("primaryType", JSONValue.text),
      let domain = value["domain"]
    else { throw .invalidParameters("typed data has types, primaryType, domain and message") }
    self.primaryType = primaryType
    self.domain = domain
    message = value["message"] ?? .object([])
    for type in types {
      self.types[type.name] = try type.value.items { (field) throws(RPCError) in
        guard let name = try field.member("name", JSONValue.text),
          let type = try field.member("type", JSONValue.text)
        else { throw .invalidParameters("types: a field has a name and a type") }
        return (name, type)
      }
    }
    for name in self.types.keys { typeHashes[name] = Keccak256.hash([UInt8](signature(name).utf8)) }
  }

  /// What is signed.
  func hash() throws(RPCError) -> Hash256 {
    var bytes: [UInt8] = [0x19, 0x01]
    bytes += try structure(Self.domainType, domain, "domain").bytes
    if primaryType != Self.domainType {
      bytes += try structure(primaryType, message, "message").bytes
    }
    return Keccak256.hash(bytes)
  }

  /// A type with its fields, and those that it needs in the order of their names.
  private func signature(_ name: String) -> String {
    var needed: Set<String> = []
    var open = [name]
    while let next = open.popLast() {
      guard let fields = types[next], needed.insert(next).inserted else { continue }
      open += fields.map { Self.element($0.type) }
    }
    needed.remove(name)
    return ([name] + needed.sorted()).map { name in
      "\(name)(\((types[name] ?? []).map { "\($0.type) \($0.name)" }.joined(separator: ",")))"
    }.joined()
  }

  /// What arrays of a type, or of such arrays, have in them.
  private static func element(_ type: String) -> String { String(type.prefix { $0 != "[" }) }

  private func structure(
    _ type: String, _ value: JSONValue, _ place: String
  ) throws(RPCError) -> Hash256 {
    guard let fields = types[type], let typeHash = typeHashes[type] else {
      throw .invalidParameters("\(place): there is no type \(type.prefix(80))")
    }
    do throws(RPCError) { _ = try value.object() } catch { throw error.within(place) }
    var bytes = typeHash.bytes
    for field in fields {
      bytes += try word(field.type, value[field.name], "\(place).\(field.name)")
    }
    return Keccak256.hash(bytes)
  }

  /// The 32 bytes that stand for a value.
  private func word(
    _ type: String, _ value: JSONValue?, _ place: String
  ) throws(RPCError) -> [UInt8] {
    guard let value else {
      // A structure may be missing, as in one that can go on without end.
      if types[type] != nil { return [UInt8](repeating: 0, count: 32) }
      throw .invalidParameters("\(place) is missing")
    }
    if type.hasSuffix("]") { return try array(type, value, place).bytes }
    if types[type] != nil { return try structure(type, value, place).bytes }
    do throws(RPCError) { return try atom(type, value) } catch { throw error.within(place) }
  }

  private func array(
    _ type: String, _ value: JSONValue, _ place: String
  ) throws(RPCError) -> Hash256 {
    guard let open = type.lastIndex(of: "[") else {
      throw .invalidParameters("\(place): there is no type \(type.prefix(80))")
    }
    let items: [JSONValue]
    do throws(RPCError) { items = try value.array() } catch { throw error.within(place) }
    let length = type[type.index(after: open)...].dropLast()
    if !length.isEmpty, Int(length) != items.count {
      throw .invalidParameters("\(place): \(type.prefix(80)) does not have \(items.count) items")
    }
    var bytes: [UInt8] = []
    for (index, item) in items.enumerated() {
      bytes += try word(String(type[..<open]), item == .null ? nil : item, "\(place)[\(index)]")
    }
    return Keccak256.hash(bytes)
  }

  private func atom(_ type: String, _ value: JSONValue) throws(RPCError) -> [UInt8] {
    switch type {
    case "string": return Keccak256.hash([UInt8](try value.text().utf8)).bytes
    case "bytes": return Keccak256.hash(try value.bytes()).bytes
    case "bool": return UInt256(try value.boolean() ? 1 : 0).bytes
    case "address": return try value.address().word.bytes
    default: break
    }
    if type.hasPrefix("bytes"), let count = Int(type.dropFirst(5)), (1...32).contains(count) {
      let bytes = try value.bytes()
      guard bytes.count == count else {
        throw .invalidParameters("\(bytes.count) bytes are no \(type)")
      }
      return bytes + [UInt8](repeating: 0, count: 32 - count)
    }
    let isSigned = type.hasPrefix("int")
    guard isSigned || type.hasPrefix("uint"),
      let bits = Int(type.dropFirst(isSigned ? 3 : 4)), bits & 7 == 0, (8...256).contains(bits)
    else { throw .invalidParameters("there is no type \(type.prefix(80))") }
    return try Self.integer(value, bits: bits, isSigned: isSigned).bytes
  }

  /// A number, or the text of one in decimal or hexadecimal digits.
  private static func integer(
    _ value: JSONValue, bits: Int, isSigned: Bool
  ) throws(RPCError) -> UInt256 {
    let text: String
    switch value {
    case .number(let number): text = number
    default: text = try value.text()
    }
    let isNegative = text.hasPrefix("-")
    let digits = isNegative ? String(text.dropFirst()) : text
    let magnitude =
      digits.hasPrefix("0x") ? UInt256(hexadecimal: digits) : UInt256(decimal: digits)
    // Of signed numbers -2^(bits - 1) is the only one of so many bits.
    let fits = magnitude.map { number in
      if !isSigned { return !isNegative && Int(number.bitWidth) <= bits }
      return isNegative
        ? number.isZero || Int((number &- UInt256(1)).bitWidth) < bits
        : Int(number.bitWidth) < bits
    }
    guard let magnitude, fits == true else {
      throw .invalidParameters("\(text.prefix(90)) is no \(isSigned ? "int" : "uint")\(bits)")
    }
    return isNegative ? .zero &- magnitude : magnitude
  }
}
