import EVM
import Ethereum

/// `senders`: a signed transaction of any type in, as a block holds it; its sender and hash out, and
/// the signers of its authorisations.
///
/// A result has 20 bytes of the sender, 32 of the transaction's hash, and for each authorisation
/// (EIP-7702) one that tells whether it is signed, and 20 of the signer. A transaction is refused
/// where it is malformed, or nobody can have signed it; high s too (EIP-2). Its chain and its type's
/// fork are for the caller to check.
public struct SendersCoprocessor: Coprocessor {
  public let name = "senders"
  /// No gas limit pays for more data.
  public let requestLimit = 1 << 24

  public init() {}

  public var knownAnswers: [KnownAnswer] { KnownAnswers.senders }

  public func reference(_ request: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    guard let transaction = try? Transaction(decoding: request),
      let sender = try? transaction.recoverSender()
    else { return nil }
    var result = sender.bytes + transaction.hash.bytes
    for authorization in transaction.authorizationList {
      Self.append(authorization.recoverAuthority(), to: &result)
    }
    return result
  }

  public func run(_ requests: ByteColumn, rows: Range<Int>) -> CoprocessorResults {
    // All signatures of the rows first, each row's sender before its authorisations' signers.
    var columns = SignatureColumns(capacity: rows.count)
    var authorizations: [Int] = []
    authorizations.reserveCapacity(rows.count)
    for row in rows {
      guard
        let transaction = try? requests.withRow(
          row,
          { request in
            Result { () throws(FormatError) in try Transaction(decoding: request) }
          }
        ).get()
      else {
        columns.appendInvalid()
        authorizations.append(0)
        continue
      }
      let signature = transaction.signature
      if signature.s <= Secp256k1.halfOrder {
        columns.append(
          hash: transaction.signingHash, r: signature.r, s: signature.s,
          yParity: signature.yParity ? 1 : 0)
      } else {
        columns.appendInvalid()
      }
      authorizations.append(transaction.authorizationList.count)
      for authorization in transaction.authorizationList {
        if authorization.yParity <= 1, authorization.s <= Secp256k1.halfOrder {
          columns.append(
            hash: authorization.signingHash, r: authorization.r, s: authorization.s,
            yParity: authorization.yParity)
        } else {
          columns.appendInvalid()
        }
      }
    }
    columns.recover()
    var results = CoprocessorResults(rows: rows.count, bytes: rows.count * 52)
    var next = 0
    for (row, count) in zip(rows, authorizations) {
      defer { next += 1 + count }
      guard let sender = columns.signer(next) else {
        results.append([UInt8]?.none)
        continue
      }
      var result = sender.bytes + requests.withRow(row) { Keccak256.hash($0).bytes }
      for place in 0..<count { Self.append(columns.signer(next + 1 + place), to: &result) }
      results.append(result)
    }
    return results
  }

  private static func append(_ signer: Address?, to result: inout [UInt8]) {
    result.append(signer == nil ? 0 : 1)
    result.append(contentsOf: (signer ?? .zero).bytes)
  }

  /// Transfers of type 2.
  public func typicalRequests(_ count: Int, seed: UInt64) -> ByteColumn {
    requests(count, types: [.dynamicFee], seed: seed)
  }

  /// Signed transactions of some types in turn.
  private func requests(_ count: Int, types: [TransactionType], seed: UInt64) -> ByteColumn {
    var random = RequestGenerator(seed: seed)
    let signed: [[UInt8]] = (0..<min(count, 256)).compactMap { index in
      let type = types[index % types.count]
      var transaction = Transaction(
        type: type, chainID: 1, nonce: random.next() >> 40, maxFeePerGas: UInt256(random.next()),
        maxPriorityFeePerGas: UInt256(random.next() >> 8), gasLimit: 21_000,
        to: Address(random.word()), value: UInt256(random.next()))
      if type == .legacy || type == .accessList { transaction.gasPrice = UInt256(1_000_000_000) }
      if type != .legacy {
        transaction.accessList = [
          AccessListEntry(address: Address(random.word()), storageKeys: [random.word()])
        ]
      }
      if type == .blob { transaction.blobVersionedHashes = [Hash256(random.word())] }
      if type == .setCode {
        for chain in [1, 0] as [UInt64] {
          var authorization = Authorization(
            chainID: UInt256(chain), address: Address(random.word()), nonce: random.next() >> 40)
          try? authorization.sign(secretKey: random.word() >> 1)
          transaction.authorizationList.append(authorization)
        }
        transaction.authorizationList.append(
          Authorization(chainID: .one, address: .zero, nonce: 0, yParity: 9))
      }
      try? transaction.sign(secretKey: random.word() >> 1)
      return transaction.encoded
    }
    return ByteColumn((0..<count).map { signed[$0 % signed.count] })
  }

  /// All types, and signatures that nobody can have made.
  public var edgeRequests: ByteColumn {
    var requests = requests(
      40, types: [.legacy, .accessList, .dynamicFee, .blob, .setCode], seed: 0xED6E)
    let good = Transaction(to: .zero, signature: Signature(r: .one, s: .one))
    let limits = [.zero, .one, Secp256k1.halfOrder, Secp256k1.order, .zero &- .one] as [UInt256]
    for r in limits {
      for s in limits {
        for type in [TransactionType.legacy, .dynamicFee] {
          var transaction = good
          transaction.type = type
          transaction.signature = Signature(yParity: true, r: r, s: s)
          requests.append(transaction.encoded)
        }
      }
    }
    for bytes in [[], [0], [2], [2, 0xC0], [0x7F, 0xC0], [0xC0], [0xFF], [0x80]] as [[UInt8]] {
      requests.append(bytes)
    }
    return requests
  }
}
