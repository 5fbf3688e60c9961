package import Ethereum

extension BodyRecord {
  /// The block's RLP, with its header's; put together from the record without reading the transactions.
  package func blockEncoding(_ header: BlockHeader) -> [UInt8] {
    let count = count
    var encoder = RLPEncoder(capacity: bytes.count + 1024)
    encoder.list { encoder in
      header.encode(into: &encoder)
      encoder.list { encoder in
        for index in 0..<count {
          withEnvelope(index) { envelope in
            // A typed transaction stands in a block as a string, an old one as the list that it is.
            if envelope[0] >= 0xC0 {
              encoder.bytes.append(contentsOf: envelope)
            } else {
              encoder.append(envelope)
            }
          }
        }
      }
      encoder.bytes.append(contentsOf: tailItems)
    }
    return encoder.bytes
  }
}

extension ReceiptsRecord {
  /// RLP of the receipts without their blooms: a list of type, status or state root, cumulative gas and
  /// logs for each, as peers exchange them since eth/69 (EIP-7642).
  package var encoding: [UInt8] {
    var encoder = RLPEncoder(capacity: bytes.count + count * 4 + 16)
    encoder.list { encoder in
      for index in 0..<count {
        let entry = entry(index)
        encoder.list { encoder in
          encoder.append(UInt64(bytes[entry.lowerBound]))
          var logs = entry.lowerBound + 14
          if bytes[entry.lowerBound + 1] == 2 {
            encoder.append([UInt8](bytes[logs..<logs + 32]))
            logs += 32
          } else {
            encoder.append(UInt64(bytes[entry.lowerBound + 1]))
          }
          encoder.append(bytes.withUnsafeBytes { $0.uint64(at: entry.lowerBound + 2) })
          encoder.bytes.append(contentsOf: bytes[logs..<entry.upperBound])
        }
      }
    }
    return encoder.bytes
  }
}
