/// Why the transition tool or the block builder stops, with the exit status of go-ethereum's tools.
struct ToolFailure: Error {
  /// The exit statuses that the field agrees on (go-ethereum, `cmd/evm/README.md`).
  enum Code: Int32 {
    /// The block could not be executed.
    case execution = 2
    /// A fork that is not known, or an environment that lacks what the fork needs.
    case configuration = 3
    /// BLOCKHASH asked for a block that the environment does not name.
    case missingBlockHash = 4
    /// Text that is not the JSON that belongs there.
    case json = 10
    /// A file that can not be read or written.
    case io = 11
    /// Bytes that are not the RLP that belongs there.
    case rlp = 12
  }

  /// The exit status.
  var code: Code
  /// What to tell the user.
  var message: String

  /// A failure from its parts.
  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}
