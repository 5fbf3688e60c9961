import Ethereum

/// Requests that are answered in microseconds: they are worth no other thread.
extension RPCService {
  /// Bytes of a request that may be one of those.
  static let quickBytes = 1024

  /// Nanoseconds that a call may take on the thread of its connection, before it begins again where it
  /// may take longer: others wait for that thread.
  private static let quickCall: UInt64 = 250_000

  /// Methods that read one or two entries of the newest state.
  private static let quickMethods: Set<String> = [
    "eth_blockNumber", "eth_call", "eth_chainId", "eth_getBalance", "eth_getStorageAt",
    "eth_getTransactionCount", "net_version", "web3_clientVersion",
  ]

  /// Answers a single request whose method takes no time to speak of; `nil` for all others, which are
  /// to be answered where they may take some.
  package func quickAnswer(to body: UnsafeBufferPointer<UInt8>, access: Access) -> [UInt8]? {
    guard body.count <= Self.quickBytes, Self.mayBeQuick(body) else { return nil }
    var cursor = JSONCursor(body)
    guard let request = try? JSONValue(from: &cursor), (try? cursor.finish()) != nil,
      case .string(let name)? = request["method"], Self.quickMethods.contains(name),
      Self.isOfNewestState(name, request["params"])
    else { return nil }
    guard name == "eth_call" else { return respondToOne(request, access, nil) }
    let method: Method = { service, parameters, writer in
      try service.writeCall(parameters, nanoseconds: Self.quickCall, &writer)
    }
    return try? respond(to: request, access, nil, by: method)
  }

  /// Whether the first member named `method` names a quick one: what is not so needs no parsing here.
  private static func mayBeQuick(_ body: UnsafeBufferPointer<UInt8>) -> Bool {
    let key = StaticString("\"method\"")
    var position = 0
    while position + key.utf8CodeUnitCount < body.count {
      if body[position] == 0x22,
        (0..<key.utf8CodeUnitCount).allSatisfy({
          body[position + $0] == key.utf8Start[$0]
        })
      {
        var start = position + key.utf8CodeUnitCount
        while start < body.count, body[start] != 0x22 { start += 1 }
        var end = start + 1
        while end < body.count, body[end] != 0x22 { end += 1 }
        guard end < body.count else { return false }
        return quickMethods.contains(String(decoding: body[start + 1..<end], as: UTF8.self))
      }
      position += 1
    }
    return false
  }

  /// Whether a request's block is the newest one: past states take a search, and the block in the making
  /// may have to be made.
  private static func isOfNewestState(_ name: String, _ parameters: JSONValue?) -> Bool {
    guard case .array(let values)? = parameters else { return true }
    let index =
      switch name {
      case "eth_call", "eth_getBalance", "eth_getTransactionCount": 1
      case "eth_getStorageAt": 2
      default: values.count
      }
    return index >= values.count || values[index] == .string("latest")
      || name == "eth_getTransactionCount" && values[index] == .string("pending")
  }
}
