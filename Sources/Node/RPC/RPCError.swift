import EVM
import Ethereum
import Execution
import Storage

/// An error of JSON-RPC, with the codes of the ecosystem: JSON-RPC 2.0, EIP-1474, EIP-3 of
/// execution-apis' simulations, and what go-ethereum does where those say nothing.
struct RPCError: Error, Sendable {
  var code: Int
  var message: String
  /// JSON text that goes with it.
  var data: String?

  init(_ code: Int, _ message: String, data: String? = nil) {
    self.code = code
    self.message = message
    self.data = data
  }

  static func parse(_ message: String) -> RPCError { RPCError(-32700, message) }
  static func invalidRequest(_ message: String) -> RPCError { RPCError(-32600, message) }
  static func unknownMethod(_ name: String) -> RPCError {
    RPCError(-32601, "the method \(name) does not exist/is not available")
  }
  static func invalidParameters(_ message: String) -> RPCError { RPCError(-32602, message) }
  static func internalFault(_ message: String) -> RPCError { RPCError(-32603, message) }
  static func server(_ message: String) -> RPCError { RPCError(-32000, message) }
  static func limit(_ message: String) -> RPCError { RPCError(-32005, message) }

  /// The same of a part: an error of parameters names where it is, any other says enough.
  func within(_ place: String) -> RPCError {
    code == -32602 ? RPCError(code, "\(place): \(message)", data: data) : self
  }

  /// A call that reverted: code 3, the reason in words where there is one, the output as data.
  static func reverted(_ output: [UInt8]) -> RPCError {
    var message = "execution reverted"
    if let reason = RevertReason.text(output) { message += ": " + reason }
    return RPCError(3, message, data: "\"\(Hexadecimal.string(output))\"")
  }

  /// What a client is told of an error.
  init(fault error: any Error) {
    self =
      switch error {
      case let error as RPCError: error
      case let error as StorageError: RPCError(error)
      case let error as ExecutionError: RPCError(error)
      case let error as BlockError: .server(error.description)
      case let error as FormatError: .invalidParameters(error.description)
      default: .internalFault("\(error)")
      }
  }

  init(_ error: StorageError) {
    switch error.code {
    case .unavailable: self.init(-32000, error.message)
    default: self.init(-32603, error.message)
    }
  }

  init(_ error: ExecutionError) {
    self.init(
      -32000,
      error.code == .timeExhausted
        ? "execution aborted: \(error.message)" : error.description)
  }
}

/// What contracts say when they revert, in the encodings that compilers agree on.
enum RevertReason {
  /// The message of `Error(string)`, or what the code of `Panic(uint256)` means; `nil` for other data.
  static func text(_ output: [UInt8]) -> String? {
    if output.starts(with: [0x4E, 0x48, 0x7B, 0x71]), output.count == 36 {
      let code = output[35]
      return panics[code] ?? "panic 0x" + String(code, radix: 16)
    }
    guard output.starts(with: [0x08, 0xC3, 0x79, 0xA0]), output.count >= 68 else { return nil }
    let length = output[36..<68].reduce(UInt64(0)) { $0 &<< 8 | UInt64($1) }
    guard length <= UInt64(output.count - 68) else { return nil }
    return String(decoding: output[68..<(68 + Int(length))], as: UTF8.self)
  }

  /// Solidity's codes ("Panic via assert and Error via require" in its manual).
  private static let panics: [UInt8: String] = [
    0x00: "generic panic", 0x01: "assert(false)", 0x11: "arithmetic underflow or overflow",
    0x12: "division or modulo by zero", 0x21: "enum overflow",
    0x22: "invalid encoded storage byte array accessed",
    0x31: "out-of-bounds array access; popping on an empty array",
    0x32: "out-of-bounds access of an array or bytesN", 0x41: "out of memory",
    0x51: "uninitialized function",
  ]
}
