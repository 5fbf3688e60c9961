import EVM

/// `keccak256`: a message in, its hash of 32 bytes out.
public struct KeccakCoprocessor: Coprocessor {
  public let name = "keccak256"
  /// 4 GiB: what fits the offsets of a device.
  public let requestLimit = 1 << 32

  public init() {}

  public var knownAnswers: [KnownAnswer] { KnownAnswers.keccak256 }

  /// The opcode's price: 30 gas and 6 for each word.
  public func gas(_ request: UnsafeBufferPointer<UInt8>) -> Int64? {
    30 + 6 * Int64((request.count + 31) / 32)
  }

  public func reference(_ request: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    Keccak256.hash(request).bytes
  }

  public func run(_ requests: ByteColumn, rows: Range<Int>) -> CoprocessorResults {
    requests.bytes.withUnsafeBufferPointer { bytes in
      CoprocessorResults(rows: rows.count, width: 32) { row, output in
        let range = requests.range(rows.lowerBound + row)
        Keccak256.hash(UnsafeBufferPointer(rebasing: bytes[range])).store(bytes: output)
      }
    }
  }

  /// Messages of 64 bytes, as mappings hash them.
  public func typicalRequests(_ count: Int, seed: UInt64) -> ByteColumn {
    var random = RequestGenerator(seed: seed)
    var requests = ByteColumn(rows: count, bytes: count * 64)
    for _ in 0..<count { requests.append(random.bytes(64)) }
    return requests
  }

  /// Around the ends of blocks of 136 bytes.
  public var edgeRequests: ByteColumn {
    ByteColumn(
      [0, 1, 7, 8, 9, 134, 135, 136, 137, 143, 271, 272, 273, 1 << 16].map { count in
        [UInt8](repeating: 0xA5, count: count)
      })
  }
}
