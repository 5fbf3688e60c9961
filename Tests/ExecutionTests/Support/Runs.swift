import EVM
import Ethereum
import Execution

/// Runs batches that tests write as JSON.
enum Runs {
  /// The reports of the batches in a text.
  static func reports(
    _ text: String, fork: Fork? = nil, tracer: ((Fork) -> any TransactionTracer)? = nil,
    profilesGas: Bool = false, profileRepeats: Int? = nil
  ) throws -> [RunReport] {
    let runner = InputRunner()
    runner.fork = fork
    runner.makeTracer = tracer
    runner.profilesGas = profilesGas
    runner.profileRepeats = profileRepeats
    return try Batch.batches(FileBytes(copying: Array(text.utf8), path: "batch.json")).map {
      try runner.run($0, name: $0.name)
    }
  }

  /// A batch of one call of the first account of `code`, from a rich sender.
  static func call(_ code: [(address: String, code: String)], gas: Int = 100_000, value: Int = 0)
    -> String
  {
    let accounts = code.map {
      "\"\($0.address)\": {\"balance\": \"0x64\", \"code\": \"\($0.code)\"}"
    }
    return """
      {"call": {"fork": "Osaka",
        "env": {"currentCoinbase": "0x0000000000000000000000000000000000000fee",
          "currentGasLimit": "0x1c9c380", "currentNumber": 1, "currentTimestamp": 1000,
          "currentRandom": "0x0", "currentBaseFee": 0},
        "pre": {"0x1000000000000000000000000000000000000000": {"balance": "0xde0b6b3a7640000"},
          \(accounts.joined(separator: ",\n"))},
        "transactions": [{"sender": "0x1000000000000000000000000000000000000000", "nonce": 0,
          "to": "\(code[0].address)", "gas": \(gas), "gasPrice": 0, "value": \(value),
          "input": "0x"}]}}
      """
  }

  /// The trace of a batch, by line.
  static func trace(_ text: String) throws -> [String] {
    let lines = Lines()
    _ = try reports(text, tracer: { JSONTracer(fork: $0) { lines.bytes += $0 } })
    return lines.text
  }

  /// Bytes that a tracer writes.
  final class Lines {
    var bytes: [UInt8] = []
    var text: [String] {
      String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
  }
}
