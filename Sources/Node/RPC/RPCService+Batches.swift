import EVM
import Ethereum

/// Batches: their requests are answered one after the other, but transactions that are sent one after the
/// other are taken in together.
extension RPCService {
  /// Answers the requests of a batch; `nil` when nothing is to be answered.
  func respond(batch requests: [JSONValue], _ access: Access, _ exchange: RPCExchange?) -> [UInt8]?
  {
    if requests.isEmpty { return failure(.invalidRequest("empty batch"), id: .null) }
    if requests.count > limits.batch {
      return failure(
        .invalidRequest("batch too large: \(requests.count) of \(limits.batch) requests"), id: .null
      )
    }
    var answers: [UInt8] = [UInt8(ascii: "[")]
    var index = 0
    while index < requests.count {
      let sent = rawTransactions(requests[index...], access)
      if sent.count > 1 {
        for (result, request) in zip(take(sent), requests[index...]) {
          guard let answer = answer(result, to: request) else { continue }
          if answers.count > 1 { answers.append(UInt8(ascii: ",")) }
          answers += answer
        }
        index += sent.count
      } else {
        let answer = respondToOne(requests[index], access, exchange)
        index += 1
        guard let answer else { continue }
        if answers.count > 1 { answers.append(UInt8(ascii: ",")) }
        answers += answer
      }
      if answers.count > limits.responseBytes {
        return failure(.init(-32003, "response too large"), id: .null)
      }
    }
    if answers.count == 1 { return nil }
    answers.append(UInt8(ascii: "]"))
    return answers
  }

  private func take(_ sent: [[UInt8]]) -> [Result<Hash256, RPCError>] {
    guard case .relay = intake.destination else { return intake.take(sent) }
    do { return try waiting { intake.take(sent) } } catch {
      let fault = RPCError(fault: error)
      return sent.map { _ in .failure(fault) }
    }
  }

  /// The transactions of the requests in front that do nothing but send one, and are well formed.
  private func rawTransactions(_ requests: ArraySlice<JSONValue>, _ access: Access) -> [[UInt8]] {
    guard access.namespaces.contains("eth") else { return [] }
    var sent: [[UInt8]] = []
    for request in requests {
      guard request["method"] == .string("eth_sendRawTransaction"),
        case .array(let parameters)? = request["params"], parameters.count == 1,
        request["jsonrpc"] == nil || request["jsonrpc"] == .string("2.0"),
        Self.isID(request["id"]), let bytes = try? parameters[0].bytes()
      else { break }
      sent.append(bytes)
    }
    return sent
  }

  private static func isID(_ value: JSONValue?) -> Bool {
    switch value {
    case nil, .number?, .string?: true
    default: false
    }
  }

  private func answer(_ result: Result<Hash256, RPCError>, to request: JSONValue) -> [UInt8]? {
    let id = request["id"] ?? .null
    switch result {
    case .success(let hash):
      if id == .null && !hasID(request) { return nil }
      var writer = JSONWriter()
      writer.object { writer in
        writer.member("jsonrpc", "2.0")
        writer.key("id")
        writer.value(id)
        writer.member("result", hash)
      }
      return writer.takeBytes()
    case .failure(let error):
      return id == .null && !hasID(request) ? nil : failure(error, id: id)
    }
  }
}
