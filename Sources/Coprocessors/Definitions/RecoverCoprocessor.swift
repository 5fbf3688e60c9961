import EVM

/// `recover`: a hash, r, s and the parity of the nonce point's y in, the signer's address out.
///
/// A request has 97 bytes: 32 each of hash, r and s, and one of the parity, 0 or 1. It is refused
/// where no key gives the signature. High s are taken: who must refuse them (EIP-2) does so before.
public struct RecoverCoprocessor: Coprocessor {
  public let name = "recover"
  public let precompileAddress: UInt16? = 1
  public let requestLimit = RecoverCoprocessor.requestSize

  static let requestSize = 97

  public init() {}

  public var knownAnswers: [KnownAnswer] { KnownAnswers.recover }

  public func gas(_ request: UnsafeBufferPointer<UInt8>) -> Int64? { 3000 }

  public func reference(_ request: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    guard request.count == Self.requestSize, request[96] <= 1, let base = request.baseAddress
    else { return nil }
    return Secp256k1.recover(
      hash: Hash256(UInt256(bigEndian: base)), r: UInt256(bigEndian: base + 32),
      s: UInt256(bigEndian: base + 64), yParity: request[96])?.bytes
  }

  public func run(_ requests: ByteColumn, rows: Range<Int>) -> CoprocessorResults {
    var columns = SignatureColumns(capacity: rows.count)
    for row in rows {
      requests.withRow(row) { request in
        if request.count == Self.requestSize, request[96] <= 1, let base = request.baseAddress {
          columns.append(
            hash: Hash256(UInt256(bigEndian: base)), r: UInt256(bigEndian: base + 32),
            s: UInt256(bigEndian: base + 64), yParity: request[96])
        } else {
          columns.appendInvalid()
        }
      }
    }
    columns.recover()
    var results = CoprocessorResults(rows: rows.count, bytes: rows.count * 20)
    for row in 0..<rows.count { results.append(columns.signer(row)?.bytes) }
    return results
  }

  /// Signatures by a few keys of a few hashes.
  public func typicalRequests(_ count: Int, seed: UInt64) -> ByteColumn {
    var random = RequestGenerator(seed: seed)
    let signed: [[UInt8]] = (0..<min(count, 256)).compactMap { _ in
      let hash = Hash256(random.word())
      guard let made = Secp256k1.sign(hash: hash, secret: random.word() >> 1) else { return nil }
      return hash.bytes + made.r.bytes + made.s.bytes + [made.yParity]
    }
    return ByteColumn((0..<count).map { signed[$0 % signed.count] })
  }

  /// r and s at their borders, r with and without a point, wrong parities, hashes at theirs.
  public var edgeRequests: ByteColumn {
    let n = Secp256k1.order
    let p = Secp256k1Field.modulus
    let numbers = [
      .zero, .one, UInt256(2), UInt256(5), Secp256k1.halfOrder, Secp256k1.halfOrder &+ .one,
      n &- .one, n, n &+ .one, p &- .one, p, p &+ .one, .zero &- .one,
    ]
    var requests = ByteColumn()
    for r in numbers {
      for s in numbers {
        for hash in [.zero, .one, n, .zero &- .one] as [UInt256] {
          for parity in [0, 1, 2, 27, 255] as [UInt8] {
            requests.append(hash.bytes + r.bytes + s.bytes + [parity])
          }
        }
      }
    }
    // The key would be the point at infinity: s R = z G with R = G, s = z.
    let x = UInt256(
      0x59F2_815B_16F8_1798, 0x029B_FCDB_2DCE_28D9, 0x55A0_6295_CE87_0B07, 0x79BE_667E_F9DC_BBAC)
    requests.append(UInt256(7).bytes + x.bytes + UInt256(7).bytes + [0])
    requests.append([])
    requests.append([UInt8](repeating: 1, count: 96))
    requests.append([UInt8](repeating: 1, count: 98))
    return requests
  }
}

/// Signatures in columns, and who made them.
struct SignatureColumns {
  private var hashes: [Hash256] = []
  private var r: [UInt256] = []
  private var s: [UInt256] = []
  private var yParities: [UInt8] = []
  private var signers: [Address] = []
  private var isSigned: [Bool] = []

  init(capacity: Int) {
    hashes.reserveCapacity(capacity)
    r.reserveCapacity(capacity)
    s.reserveCapacity(capacity)
    yParities.reserveCapacity(capacity)
  }

  /// How many there are.
  var count: Int { hashes.count }

  mutating func append(hash: Hash256, r: UInt256, s: UInt256, yParity: UInt8) {
    hashes.append(hash)
    self.r.append(r)
    self.s.append(s)
    yParities.append(yParity)
  }

  /// A row without a signer.
  mutating func appendInvalid() { append(hash: .zero, r: .zero, s: .zero, yParity: 0) }

  /// Finds the signers, on the calling thread.
  mutating func recover() {
    signers = Array(repeating: .zero, count: count)
    isSigned = Array(repeating: false, count: count)
    Secp256k1.recoverBatch(
      count: count, hashes: hashes, r: r, s: s, yParities: yParities, signers: &signers,
      isSigned: &isSigned)
  }

  /// Who signed a row, after `recover`.
  func signer(_ row: Int) -> Address? { isSigned[row] ? signers[row] : nil }
}
