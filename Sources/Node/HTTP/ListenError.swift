import Foundation
import NIOCore
import NIOPosix

/// A port that can not be listened on.
package struct ListenError: Error, CustomStringConvertible {
  /// The address that was asked for.
  package var host: String
  /// The port that was asked for.
  package var port: Int
  /// What the system says.
  package var reason: String
  /// Whether another process has the port.
  package var isTaken: Bool

  init(_ host: String, _ port: Int, _ error: any Error) {
    self.host = host
    self.port = port
    let code = (error as? IOError)?.errnoCode
    isTaken = code == EADDRINUSE
    reason =
      switch error {
      case is SocketAddressError: "it is no address of this machine"
      default: code.map { String(cString: strerror($0)) } ?? "\(error)"
      }
  }

  package var description: String { "listening on \(host), port \(port): \(reason)" }
}

extension ServerBootstrap {
  /// Listens on a port.
  func listen(_ host: String, _ port: Int) throws -> any Channel {
    do { return try bind(host: host, port: port).wait() } catch {
      throw ListenError(host, port, error)
    }
  }
}
