internal import CZlib
import Ethereum

/// The container of RFC 1952, by zlib.
enum Gzip {
  /// What tells zlib to write and to expect this container, with the largest window.
  private static let window: Int32 = 15 + 16
  /// Bytes that are made room for at once.
  private static let chunk = 1 << 20

  /// Whether bytes begin as a container does.
  static func isContainer(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

  /// A container of bytes, compressed.
  static func container(_ bytes: [UInt8]) -> [UInt8] {
    withStream { stream in
      let begun = deflateInit2_(
        stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
        Int32(MemoryLayout<z_stream>.size))
      requireSuccess(begun)
      defer { deflateEnd(stream) }
      let (output, status) = run(stream, over: bytes, limit: .max) { isLast in
        deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
      }
      precondition(status == Z_STREAM_END, "zlib ends what it began")
      return output
    }
  }

  /// What a container holds, of no more than `limit` bytes.
  static func contents(_ bytes: [UInt8], limit: Int) throws(FormatError) -> [UInt8] {
    let (output, fault) = withStream { stream -> ([UInt8], String?) in
      let begun = inflateInit2_(
        stream, window, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
      requireSuccess(begun)
      defer { inflateEnd(stream) }
      // A byte more tells whether there is more.
      let (output, status) = run(stream, over: bytes, limit: limit + 1) { _ in
        inflate(stream, Z_NO_FLUSH)
      }
      if output.count > limit { return ([], "it holds more than \(limit) bytes") }
      if status == Z_STREAM_END { return (output, nil) }
      return ([], stream.pointee.msg.map { String(cString: $0) } ?? "it is cut off")
    }
    if let fault { throw FormatError(.valueOutOfRange, fault, field: "gzip") }
    return output
  }

  /// A stream at a place that stays, as zlib compares it.
  private static func withStream<Result>(
    _ body: (UnsafeMutablePointer<z_stream>) -> Result
  ) -> Result {
    withUnsafeTemporaryAllocation(of: z_stream.self, capacity: 1) { places in
      let stream = places.baseAddress!
      stream.initialize(to: z_stream())
      return body(stream)
    }
  }

  /// zlib begins, unless memory is short or the library is older than its header.
  private static func requireSuccess(_ status: Int32) {
    precondition(status == Z_OK, "zlib \(String(cString: zlibVersion())): status \(status)")
  }

  /// Takes steps until one does not succeed; gives what came out, of no more than `limit` bytes, and
  /// the last step's status. A step is told whether the input ends with what it has.
  private static func run(
    _ stream: UnsafeMutablePointer<z_stream>, over bytes: [UInt8], limit: Int,
    _ step: (_ isLast: Bool) -> Int32
  ) -> (output: [UInt8], status: Int32) {
    var output: [UInt8] = []
    var status = Z_OK
    bytes.withUnsafeBufferPointer { bytes in
      var place = 0
      while status == Z_OK, output.count < limit {
        let room = min(chunk, limit - output.count)
        // zlib counts in 32 bits.
        let count = min(bytes.count - place, Int(Int32.max))
        output += [UInt8](unsafeUninitializedCapacity: room) { buffer, written in
          // zlib only reads the input.
          stream.pointee.next_in = UnsafeMutablePointer(
            mutating: bytes.baseAddress.map { $0 + place })
          stream.pointee.avail_in = UInt32(count)
          stream.pointee.next_out = buffer.baseAddress
          stream.pointee.avail_out = UInt32(room)
          status = step(place + count == bytes.count)
          place += count - Int(stream.pointee.avail_in)
          written = room - Int(stream.pointee.avail_out)
        }
      }
    }
    return (output, status)
  }
}
