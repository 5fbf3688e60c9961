import EVM

/// `recover`: a hash, r, s and the parity of the nonce point's y in, the signer's address out;
/// `recoverKey`: the signer's public key, x and y.
///
/// A request has 97 bytes: 32 each of hash, r and s, and one of the parity, 0 or 1. It is refused
/// where no key gives the signature. High s are taken: who must refuse them (EIP-2) does so before.
public struct RecoverCoprocessor: Coprocessor {
  /// What a result is.
  public enum Output: Sendable {
    /// The signer's address, 20 bytes.
    case address
    /// The signer's public key: x and y, 32 bytes each.
    case publicKey
  }

  public var name: String { output == .address ? "recover" : "recoverKey" }
  public var precompileAddress: UInt16? { output == .address ? 1 : nil }
  public let requestLimit = RecoverCoprocessor.requestSize
  /// What a result is.
  public let output: Output

  static let requestSize = 97

  /// The coprocessor of an output.
  public init(gives output: Output = .address) { self.output = output }

  public var knownAnswers: [KnownAnswer] {
    output == .address ? KnownAnswers.recover : KnownAnswers.recoverKey
  }

  public func gas(_ request: UnsafeBufferPointer<UInt8>) -> Int64? {
    output == .address ? 3000 : nil
  }

  public func reference(_ request: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    guard request.count == Self.requestSize, request[96] <= 1, let base = request.baseAddress
    else { return nil }
    let key = Secp256k1.recoverPublicKey(
      hash: Hash256(UInt256(bigEndian: base)), r: UInt256(bigEndian: base + 32),
      s: UInt256(bigEndian: base + 64), yParity: request[96])
    guard let key else { return nil }
    switch output {
    case .address: return Secp256k1.address(x: key.x, y: key.y).bytes
    case .publicKey: return key.x.bytes + key.y.bytes
    }
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
    switch output {
    case .address:
      columns.recover()
      var results = CoprocessorResults(rows: rows.count, bytes: rows.count * 20)
      for row in 0..<rows.count { results.append(columns.signer(row)?.bytes) }
      return results
    case .publicKey:
      columns.recoverKeys()
      var results = CoprocessorResults(rows: rows.count, bytes: rows.count * 64)
      for row in 0..<rows.count {
        results.append(columns.key(row).map { $0.x.bytes + $0.y.bytes })
      }
      return results
    }
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
  private var keys: [(x: UInt256, y: UInt256)] = []
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

  /// Finds the signers' public keys, on the calling thread.
  mutating func recoverKeys() {
    keys = Array(repeating: (.zero, .zero), count: count)
    isSigned = Array(repeating: false, count: count)
    Secp256k1.recoverKeysBatch(
      count: count, hashes: hashes, r: r, s: s, yParities: yParities, keys: &keys,
      isSigned: &isSigned)
  }

  /// The public key of who signed a row, after `recoverKeys`.
  func key(_ row: Int) -> (x: UInt256, y: UInt256)? { isSigned[row] ? keys[row] : nil }

  /// Who signed a row, after `recover`.
  func signer(_ row: Int) -> Address? { isSigned[row] ? signers[row] : nil }
}
