import EVM
import Ethereum
import Foundation
import Node

/// The transactions that show a new user that a development node works: a token is deployed, then
/// ether and tokens are sent around in one batch and one block, over the port that clients use.
struct FirstBatch {
  /// What came of it.
  struct Outcome {
    var token: Address
    var block: UInt64
    var succeeded: Int
    var count: Int
    var gasUsed: UInt64
    /// From the first byte sent to the last receipt.
    var duration: Duration
  }

  /// Transfers of ether, and as many of the token.
  private static let transfers = 24
  private static let accounts = DevelopmentAccounts.standard

  /// Sends it to a node on this machine.
  static func send(host: String, port: Int) throws -> Outcome {
    let client = try LocalClient(host: host, port: port)
    let chainID = try client.call("eth_chainId").word()
    let first = accounts.addresses[0]
    let receipt = try deploy(client, chainID.limb0, first)
    guard let token = Address(hexadecimal: try receipt["contractAddress"].text()) else {
      throw LocalClient.Failure(description: "the token's receipt names no contract")
    }

    var nonces = try client.batch(
      "eth_getTransactionCount", accounts.addresses.map { #"["\#($0)","pending"]"# }
    ).map { try $0.word().limb0 }
    var signed: [String] = []
    for index in 0..<(2 * transfers) {
      let sender = index % accounts.addresses.count
      let receiver = accounts.addresses[(sender + 1 + index / 10) % accounts.addresses.count]
      var transaction = transaction(chainID.limb0, nonces[sender])
      nonces[sender] += 1
      if index < transfers {
        transaction.to = receiver
        transaction.value = UInt256(UInt64(index + 1) * 1_000_000_000_000_000)
        transaction.gasLimit = 21_000
      } else {
        transaction.to = token
        transaction.data =
          [0xA9, 0x05, 0x9C, 0xBB] + receiver.word.bytes + UInt256(UInt64(index + 1)).bytes
        transaction.gasLimit = 80_000
      }
      signed.append(try sign(transaction, by: sender))
    }

    // All in one block: nothing is mined until all have come.
    let clock = ContinuousClock()
    let start = clock.now
    let automine = try client.call("anvil_getAutomine") == .boolean(true)
    if automine { _ = try client.call("evm_setAutomine", "[false]") }
    let hashes = try client.batch("eth_sendRawTransaction", signed.map { #"["\#($0)"]"# })
    _ = try client.call("evm_mine")
    let receipts = try client.batch(
      "eth_getTransactionReceipt", try hashes.map { #"["\#(try $0.string())"]"# })
    let duration = clock.now - start
    if automine { _ = try client.call("evm_setAutomine", "[true]") }
    var outcome = Outcome(
      token: token, block: 0, succeeded: 0, count: receipts.count, gasUsed: 0, duration: duration)
    for receipt in receipts where receipt != .null {
      outcome.block = try receipt["blockNumber"].word().limb0
      outcome.gasUsed += try receipt["gasUsed"].word().limb0
      if try receipt["status"].word() == .one { outcome.succeeded += 1 }
    }
    return outcome
  }

  private static func deploy(
    _ client: LocalClient, _ chainID: UInt64, _ first: Address
  ) throws -> JSONValue {
    let nonce = try client.call("eth_getTransactionCount", #"["\#(first)","pending"]"#).word()
    var deployment = transaction(chainID, nonce.limb0)
    deployment.gasLimit = 3_000_000
    deployment.data = Hexadecimal.bytes(tokenCode)! + tokenArguments
    let hash = try client.call(
      "eth_sendRawTransaction", #"["\#(try sign(deployment, by: 0))"]"#
    ).string()
    var receipt = try client.call("eth_getTransactionReceipt", #"["\#(hash)"]"#)
    if receipt == .null {
      _ = try client.call("evm_mine")
      receipt = try client.call("eth_getTransactionReceipt", #"["\#(hash)"]"#)
    }
    return receipt
  }

  /// The constructor's arguments: a list of holders, and what each gets, a thousand tokens.
  private static var tokenArguments: [UInt8] {
    let each = UInt256(1_000) &* UInt256(1_000_000_000_000_000_000)
    var words = [UInt256(64), each, UInt256(UInt64(accounts.addresses.count))]
    words += accounts.addresses.map(\.word)
    return words.flatMap(\.bytes)
  }

  private static func transaction(_ chainID: UInt64, _ nonce: UInt64) -> Transaction {
    var transaction = Transaction(type: .dynamicFee, chainID: chainID)
    transaction.nonce = nonce
    transaction.maxPriorityFeePerGas = UInt256(1_000_000_000)
    transaction.maxFeePerGas = UInt256(100_000_000_000)
    return transaction
  }

  private static func sign(_ transaction: Transaction, by account: Int) throws -> String {
    var transaction = transaction
    guard let key = accounts.key(of: accounts.addresses[account]) else {
      preconditionFailure("every development account has a key")
    }
    try transaction.sign(secretKey: key)
    return Hexadecimal.string(transaction.encoded)
  }
}

extension Optional<JSONValue> {
  /// The characters of a string.
  fileprivate func text() throws -> String {
    guard let self else { throw LocalClient.Failure(description: "an answer lacks a member") }
    return try self.string()
  }

  fileprivate func word() throws -> UInt256 {
    guard let self else { throw LocalClient.Failure(description: "an answer lacks a member") }
    return try self.word()
  }
}

extension JSONValue {
  fileprivate func string() throws -> String {
    guard case .string(let text) = self else {
      throw LocalClient.Failure(description: "an answer has no string where one belongs")
    }
    return text
  }

  fileprivate func word() throws -> UInt256 {
    guard let number = UInt256(hexadecimal: try string()) else {
      throw LocalClient.Failure(description: "an answer has no number where one belongs")
    }
    return number
  }
}
