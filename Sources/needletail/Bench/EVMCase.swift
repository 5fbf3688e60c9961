import EVM
import Ethereum

/// One execution to be timed: a state, a block, and a message call or a whole transaction on it.
struct EVMCase {
  /// What is timed.
  enum Work: Sendable {
    /// The message call alone: no validation, no intrinsic gas, no fee. What evmone's own bench does.
    case messageCall
    /// The transaction with all that belongs to it.
    case transaction
  }

  /// The suite: `main` and `micro` of evm-benchmarks, `revmc`, `transactions`.
  var suite: String
  /// The name inside the suite.
  var name: String
  /// What is timed.
  var work: Work
  /// The rules.
  var fork: Fork
  /// The block.
  var environment: BlockEnvironment
  /// The accounts before.
  var pre: Allocation
  /// Who calls.
  var sender: Address
  /// Whose code runs.
  var recipient: Address
  /// Wei moved.
  var value = UInt256.zero
  /// Gas of the message call, or the transaction's limit.
  var gas: UInt64
  /// Wei for each gas.
  var gasPrice = UInt256.zero
  /// Call data.
  var data: [UInt8]
  /// The state test that the case is from, with its one post: checked as well where there is one.
  var stateTest: StateTest?

  /// The suite's name and the case's.
  var fullName: String { "\(suite)/\(name)" }

  /// The code that is called.
  var code: [UInt8] { pre.accounts[recipient]?.code ?? [] }

  /// Hands over the transaction as the machine takes it; it lives until `body` returns.
  func withMessage<Result>(_ body: (TransactionMessage) -> Result) -> Result {
    data.withUnsafeBufferPointer { data in
      var message = TransactionMessage(sender: sender, recipient: recipient, gasLimit: gas)
      message.nonce = pre.accounts[sender]?.nonce ?? 0
      message.value = value
      message.maxFeePerGas = gasPrice
      message.maxPriorityFeePerGas = gasPrice
      message.data = data
      return body(message)
    }
  }
}
