package import EVM

/// Why a transaction ran on the host in place of a device.
package enum HostReason: String, CaseIterable, Sendable {
  /// It needs more memory than the largest class of workspaces on a device has.
  case memory
  /// It asked for a block hash that the batch does not list.
  case blockHash
  /// It called a precompile that the kernels lack.
  case precompile
  /// Its gas limit is so high that it could keep a device busy for minutes.
  case gasLimit
  /// The device failed before it was done.
  case deviceLost
  /// Its block wants an access list, or two kinds of gas (Amsterdam): the records of a device have
  /// neither.
  case accessList
  /// It went on asking for parts of the state that nobody had read from the database.
  case unreadState

  /// The reason behind a fault that a device has reported.
  package init(_ status: ExecutionStatus) {
    switch status {
    case .workspaceExhausted: self = .memory
    case .precompileUnavailable: self = .precompile
    default: self = .blockHash
    }
  }

  /// Whether it is no defect: a device has less memory for a transaction than the host, as the
  /// documentation says. `--strict` refuses all others.
  package var isMemoryClass: Bool { self == .memory }
}

extension HostReason: CustomStringConvertible {
  /// For people.
  package var description: String {
    switch self {
    case .memory: "more memory than a device gives"
    case .blockHash: "a block hash that the batch lacks"
    case .precompile: "a precompile that the kernels lack"
    case .gasLimit: "a gas limit above the ceiling"
    case .deviceLost: "the device failed"
    case .accessList: "a block with an access list"
    case .unreadState: "state that was not read yet"
    }
  }
}
