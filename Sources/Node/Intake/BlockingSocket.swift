#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A TCP connection that waits: for programs that send load, and for tests. One thread at a time writes,
/// one reads.
package final class BlockingSocket: @unchecked Sendable {
  // Sendable: the descriptor does not change.

  /// Why a connection could not be made, or ended.
  package struct Fault: Error, CustomStringConvertible {
    /// What was tried, and what the system says.
    package var description: String

    init(_ what: String) { description = "\(what): \(String(cString: strerror(errno)))" }
  }

  private let descriptor: Int32

  /// Connects to a numeric IPv4 address.
  package init(host: String, port: Int) throws(Fault) {
    #if canImport(Glibc)
      let stream = Int32(SOCK_STREAM.rawValue)
    #else
      let stream = SOCK_STREAM
    #endif
    descriptor = socket(AF_INET, stream, 0)
    guard descriptor >= 0 else { throw Fault("socket") }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
      close(descriptor)
      throw Fault("\(host) is no numeric address")
    }
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else {
      let fault = Fault("\(host):\(port)")
      close(descriptor)
      throw fault
    }
    var on: Int32 = 1
    setsockopt(
      descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  deinit { close(descriptor) }

  /// Sends all of some bytes.
  package func send(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
    var sent = 0
    while sent < bytes.count {
      let count = write(descriptor, bytes.baseAddress! + sent, bytes.count - sent)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw Fault("write") }
      sent += count
    }
  }

  /// Sends all of some bytes.
  package func send(_ bytes: [UInt8]) throws(Fault) {
    try bytes.withUnsafeBufferPointer { (buffer) throws(Fault) in
      try send(UnsafeRawBufferPointer(buffer))
    }
  }

  /// Waits for bytes and gives what there is, at most `limit`; none when the other end has closed.
  package func receive(_ limit: Int = 1 << 16) throws(Fault) -> [UInt8] {
    var failed = false
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
      var count = read(descriptor, buffer.baseAddress!, limit)
      while count < 0 && errno == EINTR { count = read(descriptor, buffer.baseAddress!, limit) }
      failed = count < 0
      filled = max(0, count)
    }
    if failed { throw Fault("read") }
    return bytes
  }
}
