// Executes a transaction with Needletail as a library: `swift run` in this folder.
import EVM
import Ethereum
import Execution

let alice = Address(number: 0xa11ce)
var state = WorldState(Allocation([alice: .init(balance: 2_000_000_000_000_000_000)]))
var block = PreparedBlock(fork: .osaka, environment: BlockEnvironment(number: 1))
block.callsSystemContracts = false
let transfer = Transaction(
  gasLimit: 21_000, to: Address(number: 0xb0b), value: 1_000_000_000_000_000_000)
block.transactions = [PreparedTransaction(transfer, sender: alice)]
let outcome = try SerialExecutor().execute(block, on: &state)
print("gas used: \(outcome.gasUsed), state root: \(state.stateRoot())")
