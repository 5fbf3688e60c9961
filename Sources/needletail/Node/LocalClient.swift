import EVM
import Ethereum
import Foundation
import Node

/// A client of a node on this machine: one connection, one request at a time.
///
/// Plain sockets: URLSession would bring a second HTTP stack into the program.
final class LocalClient {
  /// What went wrong, for people.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private let descriptor: Int32
  private let authority: String
  private var received: [UInt8] = []

  /// Connects.
  init(host: String, port: Int) throws {
    authority = "\(host):\(port)"
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
      Foundation.close(descriptor)
      throw Failure(description: "\(host) is no IPv4 address")
    }
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else {
      let reason = String(cString: strerror(errno))
      Foundation.close(descriptor)
      throw Failure(description: "connecting to \(authority): \(reason)")
    }
  }

  deinit { close(descriptor) }

  /// Calls a method; `parameters` is a JSON array. Gives the result.
  func call(_ method: String, _ parameters: String = "[]") throws -> JSONValue {
    try result(
      of: try post(#"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(parameters)}"#),
      method)
  }

  /// Calls a method once for each of `parameters`, in one batch. Gives the results in order.
  func batch(_ method: String, _ parameters: [String]) throws -> [JSONValue] {
    let requests = parameters.enumerated().map {
      #"{"jsonrpc":"2.0","id":\#($0.offset),"method":"\#(method)","params":\#($0.element)}"#
    }
    guard case .array(let answers) = try post("[" + requests.joined(separator: ",") + "]"),
      answers.count == parameters.count
    else { throw Failure(description: "\(method): the answers are not as many as the requests") }
    return try answers.map { try result(of: $0, method) }
  }

  private func result(of answer: JSONValue, _ method: String) throws -> JSONValue {
    if case .string(let message)? = answer["error"]?["message"] {
      throw Failure(description: "\(method): \(message)")
    }
    return answer["result"] ?? .null
  }

  private func post(_ body: String) throws -> JSONValue {
    try send(
      "POST / HTTP/1.1\r\nHost: \(authority)\r\nContent-Type: application/json\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    let head = try receive(until: [13, 10, 13, 10])
    let lines = String(decoding: head, as: UTF8.self).lowercased().split(separator: "\r\n")
    guard lines.first?.contains(" 200 ") == true else {
      throw Failure(description: "\(authority) answers \(lines.first ?? "nothing")")
    }
    guard let line = lines.first(where: { $0.hasPrefix("content-length:") }),
      let length = Int(line.dropFirst(15).trimmingCharacters(in: .whitespaces))
    else { throw Failure(description: "\(authority): the answer has no length") }
    while received.count < length { try receiveMore() }
    let answer = [UInt8](received[..<length])
    received.removeFirst(length)
    return try answer.withUnsafeBufferPointer { buffer in
      var cursor = JSONCursor(buffer)
      return try JSONValue(from: &cursor)
    }
  }

  private func send(_ text: String) throws {
    var bytes = ArraySlice(text.utf8.map { $0 })
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes {
        Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw failure("sending") }
      bytes = bytes.dropFirst(count)
    }
  }

  private func receive(until end: [UInt8]) throws -> [UInt8] {
    while true {
      if let range = received.firstRange(of: end) {
        let head = [UInt8](received[..<range.lowerBound])
        received.removeFirst(range.upperBound)
        return head
      }
      try receiveMore()
    }
  }

  private func receiveMore() throws {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
    if count < 0 && errno == EINTR { return }
    guard count > 0 else {
      throw count == 0
        ? Failure(description: "\(authority) closed the connection") : failure("receiving")
    }
    received += buffer[..<count]
  }

  private func failure(_ action: String) -> Failure {
    Failure(description: "\(action) to \(authority): \(String(cString: strerror(errno)))")
  }
}
