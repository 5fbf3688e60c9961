import EVM
import Ethereum
import Execution
import Storage

/// What gas costs.
extension RPCService {
  /// Wei for each gas to the block's maker that is enough here.
  var suggestedTip: UInt256 { UInt256(1_000_000_000) }

  static let feeMethods: [String: Method] = [
    "eth_gasPrice": { service, _, writer in
      let head = try service.chain.snapshot().head.header
      writer.value(quantity: service.maker.nextBaseFee(head) &+ service.suggestedTip)
    },
    "eth_maxPriorityFeePerGas": { service, _, writer in
      writer.value(quantity: service.suggestedTip)
    },
    "eth_baseFee": { service, _, writer in
      writer.value(quantity: service.maker.nextBaseFee(try service.chain.snapshot().head.header))
    },
    "eth_blobBaseFee": { service, _, writer in
      writer.value(quantity: service.nextBlobFee(try service.chain.snapshot().head.header))
    },
    "eth_feeHistory": { service, parameters, writer in
      try service.writeFeeHistory(parameters, &writer)
    },
  ]

  private func blobFee(_ header: BlockHeader) -> UInt256 {
    guard let excess = header.excessBlobGas,
      let parameters = chain.rules.blobSchedule[fork(header)]
    else { return .zero }
    return BlobGas.baseFee(excess: excess, parameters: parameters)
  }

  func nextBlobFee(_ parent: BlockHeader) -> UInt256 {
    let fork = fork(parent)
    guard parent.excessBlobGas != nil, let parameters = chain.rules.blobSchedule[fork] else {
      return .zero
    }
    return BlobGas.baseFee(
      excess: chain.rules.excessBlobGas(parent: parent, fork: fork), parameters: parameters)
  }

  private func writeFeeHistory(_ parameters: Parameters, _ writer: inout JSONWriter) throws {
    var count = min(try parameters.quantity(0), 1024)
    let reference = try parameters.block(1)
    let snapshot = try snapshot(for: reference)
    guard let last = try number(reference, snapshot) else {
      throw RPCError.server(
        "request beyond head block: requested block is after the head, "
          + "\(snapshot.head.header.number)")
    }
    var percentiles: [Double] = []
    for item in try parameters[2]?.array() ?? [] {
      guard case .number(let text) = item, let value = Double(text), (0...100).contains(value),
        value >= percentiles.last ?? 0
      else { throw RPCError.server("invalid reward percentile") }
      percentiles.append(value)
    }
    if percentiles.count > 100 { throw RPCError.server("over the query limit 100") }
    count = min(count, last + 1)
    if count == 0 {
      return writer.object { writer in
        writer.member("oldestBlock", quantity: UInt64(0))
        writer.key("gasUsedRatio")
        writer.null()
      }
    }
    var headers: [BlockHeader] = []
    var rewards: [[UInt256]] = []
    for number in (last + 1 - count)...last {
      guard let header = try snapshot.header(number) else { continue }
      headers.append(header.header)
      if !percentiles.isEmpty { rewards.append(try reward(header, percentiles, snapshot)) }
    }
    writer.object { writer in
      writer.member("oldestBlock", quantity: last + 1 - count)
      if !percentiles.isEmpty {
        writer.key("reward")
        writer.array { writer in
          for block in rewards {
            writer.array { writer in for reward in block { writer.value(quantity: reward) } }
          }
        }
      }
      writer.key("baseFeePerGas")
      writer.array { writer in
        for header in headers { writer.value(quantity: header.baseFeePerGas ?? .zero) }
        writer.value(quantity: headers.last.map(maker.nextBaseFee) ?? .zero)
      }
      writer.key("gasUsedRatio")
      writer.array { writer in
        for header in headers {
          writer.value(ratio: Double(header.gasUsed) / Double(header.gasLimit))
        }
      }
      writer.key("baseFeePerBlobGas")
      writer.array { writer in
        for header in headers { writer.value(quantity: blobFee(header)) }
        writer.value(quantity: headers.last.map(nextBlobFee) ?? .zero)
      }
      writer.key("blobGasUsedRatio")
      writer.array { writer in
        for header in headers {
          let limit = (chain.rules.blobSchedule[fork(header)]?.max ?? 0) * BlobGas.perBlob
          writer.value(
            ratio: limit == 0 ? 0 : Double(header.blobGasUsed ?? 0) / Double(limit))
        }
      }
    }
  }

  /// The tips below which parts of a block's gas were paid.
  private func reward(_ header: StoredHeader, _ percentiles: [Double], _ snapshot: Snapshot)
    throws -> [UInt256]
  {
    guard let body = snapshot.body(header.header.number),
      let receipts = snapshot.receipts(header.header.number), body.count > 0
    else { return percentiles.map { _ in .zero } }
    var tips: [(tip: UInt256, gas: UInt64)] = []
    var before: UInt64 = 0
    for index in 0..<body.count {
      let transaction = try body.transaction(index)
      let used = try receipts.receipt(index).receipt.cumulativeGasUsed
      let price = transaction.effectiveGasPrice(header.header.baseFeePerGas)
      tips.append((price &- (header.header.baseFeePerGas ?? .zero), used - before))
      before = used
    }
    tips.sort { $0.tip < $1.tip }
    var index = 0
    var sum = tips[0].gas
    return percentiles.map { percentile in
      let threshold = UInt64(Double(header.header.gasUsed) * percentile / 100)
      while sum < threshold, index + 1 < tips.count {
        index += 1
        sum += tips[index].gas
      }
      return tips[index].tip
    }
  }
}

extension JSONWriter {
  /// Writes a ratio, a whole one without a fraction.
  fileprivate mutating func value(ratio: Double) {
    if ratio == 0 || ratio == 1 { value(Int(ratio)) } else { value(ratio) }
  }
}
