import EVM
import Ethereum
import Storage

/// What waits in the pool.
extension RPCService {
  static let poolMethods: [String: Method] = [
    "txpool_status": { service, _, writer in
      let content = try service.content()
      writer.object { writer in
        writer.member(
          "pending", quantity: UInt64(content.pending.values.reduce(0) { $0 + $1.count }))
        writer.member(
          "queued", quantity: UInt64(content.queued.values.reduce(0) { $0 + $1.count }))
      }
    },
    "txpool_content": { service, _, writer in
      let content = try service.content()
      writer.object { writer in
        for (name, senders) in [("pending", content.pending), ("queued", content.queued)] {
          writer.key(name)
          writer.object { writer in
            for (sender, entries) in senders.sorted(by: { $0.key < $1.key }) {
              writer.key(sender.checksummed)
              writer.entries(entries)
            }
          }
        }
      }
    },
    "txpool_contentFrom": { service, parameters, writer in
      let sender = try parameters.address(0)
      let content = try service.content()
      writer.object { writer in
        writer.key("pending")
        writer.entries(content.pending[sender] ?? [])
        writer.key("queued")
        writer.entries(content.queued[sender] ?? [])
      }
    },
    "txpool_inspect": { service, _, writer in
      let content = try service.content()
      writer.object { writer in
        for (name, senders) in [("pending", content.pending), ("queued", content.queued)] {
          writer.key(name)
          writer.object { writer in
            for (sender, entries) in senders.sorted(by: { $0.key < $1.key }) {
              writer.key(sender.checksummed)
              writer.object { writer in
                for entry in entries {
                  let transaction = entry.prepared.transaction
                  let to = transaction.to.map(\.checksummed) ?? "contract creation"
                  writer.member(
                    String(entry.nonce),
                    "\(to): \(transaction.value.decimal) wei + \(transaction.gasLimit) gas × "
                      + "\(transaction.maxFeePerGas.decimal) wei")
                }
              }
            }
          }
        }
      }
    },
    "eth_pendingTransactions": { service, _, writer in
      let content = try service.content()
      writer.array { writer in
        for entries in content.pending.values {
          for entry in entries {
            writer.transaction(
              entry.prepared.transaction, sender: entry.prepared.sender, place: nil)
          }
        }
      }
    },
  ]

  private func content() throws -> (
    pending: [Address: [TransactionPool.Entry]], queued: [Address: [TransactionPool.Entry]]
  ) {
    let snapshot = try chain.snapshot()
    let source = try snapshot.source(after: snapshot.head.header.number)
    return pool.content { source.account($0)?.nonce ?? 0 }
  }
}

extension JSONWriter {
  /// Writes transactions that wait, by their nonces in decimal digits.
  fileprivate mutating func entries(_ entries: [TransactionPool.Entry]) {
    object { writer in
      for entry in entries {
        writer.key(String(entry.nonce))
        writer.transaction(
          entry.prepared.transaction, sender: entry.prepared.sender, place: nil)
      }
    }
  }
}

extension Address {
  /// `0x` and the digits with capitals as a checksum (EIP-55).
  var checksummed: String {
    let digits = [UInt8](Hexadecimal.string(bytes).utf8.dropFirst(2))
    let hash = Keccak256.hash(digits).bytes
    var text: [UInt8] = [0x30, 0x78]
    for (index, digit) in digits.enumerated() {
      let nibble = index & 1 == 0 ? hash[index / 2] >> 4 : hash[index / 2] & 15
      text.append(digit >= 0x61 && nibble >= 8 ? digit - 32 : digit)
    }
    return String(decoding: text, as: UTF8.self)
  }
}
