/// One operation with one reference, of which any number of back ends do batches, bit for bit alike.
///
/// A request is a string of bytes, and so is its result. To add a coprocessor, write a type that
/// conforms and name it in `CoprocessorRegistry.standard`; the tests find it there.
public protocol Coprocessor: Sendable {
  /// The name in tables, files and messages.
  var name: String { get }
  /// The address of the precompile that does the same, where there is one.
  var precompileAddress: UInt16? { get }
  /// The most bytes in one request.
  var requestLimit: Int { get }
  /// Requests and results that are known from elsewhere, to prove a back end with.
  var knownAnswers: [KnownAnswer] { get }

  /// What a request costs in gas; `nil` where the protocol has no price for it.
  func gas(_ request: UnsafeBufferPointer<UInt8>) -> Int64?

  /// The result by the core's own function; `nil` where the request is refused.
  func reference(_ request: UnsafeBufferPointer<UInt8>) -> [UInt8]?

  /// The CPU's way to do some rows of a batch, on the calling thread; by default the reference's.
  func run(_ requests: ByteColumn, rows: Range<Int>) -> CoprocessorResults

  /// Requests as a block has them, for measurements: the same for the same seed.
  func typicalRequests(_ count: Int, seed: UInt64) -> ByteColumn

  /// Requests at the borders of what is valid.
  var edgeRequests: ByteColumn { get }
}

/// A request whose result is known.
public struct KnownAnswer: Hashable, Sendable {
  /// Where it comes from.
  public var source: String
  /// The request.
  public var request: [UInt8]
  /// The result; `nil` where the request has to be refused.
  public var result: [UInt8]?

  /// An answer from its parts.
  public init(source: String, request: [UInt8], result: [UInt8]?) {
    self.source = source
    self.request = request
    self.result = result
  }
}

extension Coprocessor {
  public var precompileAddress: UInt16? { nil }

  public func gas(_ request: UnsafeBufferPointer<UInt8>) -> Int64? { nil }

  public func run(_ requests: ByteColumn, rows: Range<Int>) -> CoprocessorResults {
    var results = CoprocessorResults(rows: rows.count, bytes: rows.count * 32)
    for row in rows { results.append(requests.withRow(row) { reference($0) }) }
    return results
  }

  /// The reference's results of a batch, row by row on the calling thread.
  public func reference(_ requests: ByteColumn) -> CoprocessorResults {
    var results = CoprocessorResults(rows: requests.count)
    for row in 0..<requests.count { results.append(requests.withRow(row) { reference($0) }) }
    return results
  }

  /// Requests of random bytes and of typical ones with some bytes changed, so that all checks are
  /// met: the same for the same seed.
  public func randomRequests(_ count: Int, seed: UInt64) -> ByteColumn {
    var random = RequestGenerator(seed: seed)
    let typical = typicalRequests(min(count, 64), seed: seed)
    var requests = ByteColumn(rows: count)
    for row in 0..<count {
      var request = typical[row % typical.count]
      switch random.next() % 4 {
      case 0: break
      case 1 where !request.isEmpty:
        request[random.next(below: request.count)] ^= UInt8(1 << (random.next() % 8))
      case 2: request = [UInt8](request.prefix(random.next(below: request.count + 1)))
      default: request = random.bytes(random.next(below: 2 * request.count + 2))
      }
      requests.append(request)
    }
    return requests
  }
}
