import EVM
import Ethereum

/// Deposits, read from the logs of the deposit contract (EIP-6110).
enum DepositRequests {
  /// The topic of `DepositEvent(bytes,bytes,bytes,bytes,bytes)`.
  static let topic = Hash256(
    hexadecimal: "0x649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5")!

  /// The deposits in a block's logs, one after the other: public key, withdrawal credentials,
  /// amount, signature, index.
  static func collect(_ receipts: [Receipt]) throws(ExecutionError) -> [UInt8] {
    var deposits: [UInt8] = []
    for receipt in receipts {
      for log in receipt.logs
      where log.address == SystemContracts.deposits && log.topics.first == topic {
        guard let deposit = parse(log.data) else {
          throw ExecutionError(
            .invalidDeposit, "the deposit contract logged data that is not a deposit event")
        }
        deposits.append(contentsOf: deposit)
      }
    }
    return deposits
  }

  /// The fields of a deposit event: offset word, size word and padded content at fixed places.
  private static func parse(_ data: [UInt8]) -> [UInt8]? {
    guard data.count == 576 else { return nil }
    let layout: [(offset: Int, size: Int)] = [(160, 48), (256, 32), (320, 8), (384, 96), (512, 8)]
    var deposit: [UInt8] = []
    for (field, place) in layout.enumerated() {
      guard word(data, field * 32) == UInt256(UInt64(place.offset)),
        word(data, place.offset) == UInt256(UInt64(place.size))
      else { return nil }
      deposit.append(contentsOf: data[place.offset + 32..<place.offset + 32 + place.size])
    }
    return deposit
  }

  private static func word(_ data: [UInt8], _ offset: Int) -> UInt256 {
    data.withUnsafeBufferPointer { UInt256(bigEndian: $0.baseAddress! + offset) }
  }
}
