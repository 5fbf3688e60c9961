import EVM
import Ethereum

/// What a parameter or a result is.
enum ValueKind: String, Sendable, CaseIterable {
  case address, hash, quantity, word, bytes, slot, block, boolean, text, call, filter, object, list
  case any

  /// Throws where a value is not of the kind. What is inside of objects and lists is the method's.
  func check(_ value: JSONValue) throws(RPCError) {
    switch self {
    case .address: _ = try value.address()
    case .hash: _ = try value.hash()
    case .quantity: _ = try value.quantity()
    case .word: _ = try value.quantity256()
    case .bytes: _ = try value.bytes()
    case .slot: _ = try value.slotKey()
    case .block: _ = try BlockReference(value)
    case .boolean: _ = try value.boolean()
    case .text: _ = try value.text()
    case .call, .filter, .object: _ = try value.object()
    case .list: _ = try value.array()
    case .any: break
    }
  }

  /// The JSON Schema.
  var schema: String {
    switch self {
    case .address: Self.pattern("[0-9a-fA-F]{40}")
    case .hash: Self.pattern("[0-9a-fA-F]{64}")
    case .quantity: Self.pattern("(0|[1-9a-f][0-9a-f]{0,15})")
    case .word: Self.pattern("(0|[1-9a-f][0-9a-f]{0,63})")
    case .bytes: Self.pattern("([0-9a-fA-F]{2})*")
    case .slot: Self.pattern("[0-9a-fA-F]{0,64}")
    case .block:
      #"{"oneOf":[{"type":"string","enum":["latest","pending","earliest","safe","finalized"]},"#
        + ValueKind.quantity.schema + "," + ValueKind.hash.schema
        + #",{"type":"object","properties":{"blockHash":"# + ValueKind.hash.schema
        + #","blockNumber":"# + ValueKind.quantity.schema
        + #","requireCanonical":{"type":"boolean"}}}]}"#
    case .boolean: #"{"type":"boolean"}"#
    case .text: #"{"type":"string"}"#
    case .call: Self.object(Self.callMembers)
    case .filter:
      #"{"type":"object","properties":{"fromBlock":"# + ValueKind.block.schema + #","toBlock":"#
        + ValueKind.block.schema + #","blockHash":"# + ValueKind.hash.schema
        + #","address":{"oneOf":["# + ValueKind.address.schema
        + #",{"type":"array","items":"# + ValueKind.address.schema
        + #"}]},"topics":{"type":"array","maxItems":4,"items":{"oneOf":[{"type":"null"},"#
        + ValueKind.hash.schema + #",{"type":"array","items":"# + ValueKind.hash.schema + "}]}}}}"
    case .object: #"{"type":"object"}"#
    case .list: #"{"type":"array"}"#
    case .any: "{}"
    }
  }

  private static let callMembers: [(String, ValueKind)] = [
    ("from", .address), ("to", .address), ("gas", .quantity), ("gasPrice", .word),
    ("maxFeePerGas", .word), ("maxPriorityFeePerGas", .word), ("maxFeePerBlobGas", .word),
    ("value", .word), ("nonce", .quantity), ("input", .bytes), ("data", .bytes),
    ("chainId", .quantity), ("accessList", .list), ("authorizationList", .list),
    ("blobVersionedHashes", .list),
  ]

  private static func pattern(_ digits: String) -> String {
    #"{"type":"string","pattern":"^0x\#(digits)$"}"#
  }

  private static func object(_ members: [(String, ValueKind)]) -> String {
    #"{"type":"object","properties":{"#
      + members.map { "\"\($0.0)\":\($0.1.schema)" }.joined(separator: ",") + "}}"
  }
}
