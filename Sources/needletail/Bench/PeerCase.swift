import EVM
import Ethereum

/// A case in the lines that the peers' runners read: a word for the field, then its values.
struct PeerCase {
  private let entry: EVMCase
  private let fork: Fork
  private let gas: UInt64
  private let seconds: Double

  /// A case under a fork that the peer knows, with the gas in its own sense, to be timed for so
  /// many seconds.
  init(_ entry: EVMCase, fork: Fork, gas: UInt64, seconds: Double) {
    self.entry = entry
    self.fork = fork
    self.gas = gas
    self.seconds = seconds
  }

  /// The lines, ready to be written.
  var text: String {
    let environment = entry.environment
    var lines = [
      "fork \(fork.name)", "seconds \(seconds)", "gas \(min(gas, UInt64(Int64.max)))",
      "sender \(entry.sender)", "to \(entry.recipient)", "value \(word(entry.value))",
      "input \(Hexadecimal.string(entry.data))", "number \(environment.number)",
      "timestamp \(environment.timestamp)",
      "gasLimit \(min(environment.gasLimit, UInt64(Int64.max)))",
      "coinbase \(environment.coinbase)", "prevRandao \(word(environment.prevRandao))",
      "baseFee \(word(environment.baseFeePerGas))", "gasPrice \(word(entry.gasPrice))",
      "chainID \(word(environment.chainID))",
    ]
    for (address, account) in entry.pre.accounts.sorted(by: { $0.key < $1.key }) {
      lines.append(
        "account \(address) \(word(account.balance)) \(account.nonce) "
          + Hexadecimal.string(account.code))
      for (slot, value) in account.storage.sorted(by: { $0.key < $1.key }) {
        lines.append("slot \(address) \(word(slot)) \(word(value))")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func word(_ number: UInt256) -> String { Hash256(number).description }
}
