import EVM
import Ethereum

/// Calls as data, and a contract that makes them: one after the other, each as often and as deep as the
/// data says.
package enum PrecompileCalls {
  /// A call: whom, with how much gas at most, and with which input.
  package struct Call {
    var target: Address
    var gas: UInt256
    var input: [UInt8]

    /// A call with all the gas that there is.
    package init(_ precompile: UInt64, _ input: [UInt8]) {
      target = Address(number: precompile)
      gas = .zero &- 1
      self.input = input
    }

    fileprivate init(_ target: Address, gas: UInt256, input: [UInt8]) {
      self.target = target
      self.gas = gas
      self.input = input
    }
  }

  /// The data for some calls: the target, the input's bytes, the gas, the input.
  package static func data(_ calls: [Call]) -> [UInt8] {
    calls.flatMap { call in
      SolidityLayout.bytes(call.target.word)
        + SolidityLayout.bytes(UInt256(UInt64(call.input.count)))
        + SolidityLayout.bytes(call.gas) + call.input
    }
  }

  /// The contract, for each fork. It hashes what came of the calls, each with what came before; stores the
  /// hash in the caller's slot, and returns it.
  package static let code: [UInt8] =
    // The place in the data. 2: JUMPDEST, while it is below CALLDATASIZE
    [0x60, 0, 0x5b, 0x36, 0x81, 0x10, 0x15, 0x60, 66, 0x57]
    // 10: the input's bytes, and the input to memory from 64 on
    + [0x80, 0x60, 32, 0x01, 0x35, 0x80, 0x82, 0x60, 96, 0x01, 0x60, 64, 0x37]
    // 23: PUSH1 0 PUSH1 0, the bytes, PUSH1 64 PUSH1 0, the target, the gas, CALL
    + [0x60, 0, 0x60, 0, 0x82, 0x60, 64, 0x60, 0, 0x86, 0x35, 0x87, 0x60, 64, 0x01, 0x35, 0xf1]
    // 40: the status to memory, and behind it what was returned: PUSH1 32 MSTORE, RETURNDATACOPY
    + [0x60, 32, 0x52, 0x3d, 0x60, 0, 0x60, 64, 0x3e]
    // 49: the hash of the three: KECCAK256 PUSH1 0 MSTORE
    + [0x3d, 0x60, 64, 0x01, 0x60, 0, 0x20, 0x60, 0, 0x52]
    // 59: ADD PUSH1 96 ADD PUSH1 2 JUMP
    + [0x01, 0x60, 96, 0x01, 0x60, 2, 0x56]
    // 66: JUMPDEST PUSH1 0 MLOAD CALLER SSTORE PUSH1 32 PUSH1 0 RETURN
    + [0x5b, 0x60, 0, 0x51, 0x33, 0x55, 0x60, 32, 0x60, 0, 0xf3]

  /// Some calls of precompiles, with inputs that they accept and others, and of the contract with more
  /// such calls.
  static func random(
    _ contract: Address, _ numbers: inout WorkloadNumbers, depth: Int = 0
  ) -> [Call] {
    (0..<1 + numbers.below(depth == 0 ? 5 : 3)).map { _ in
      if depth < 3 && numbers.below(6) == 0 {
        let inner = random(contract, &numbers, depth: depth + 1)
        return Call(contract, gas: gas(&numbers), input: data(inner))
      }
      let all = PrecompileInputs.numbers
      let number = all[numbers.below(all.count)]
      return Call(Address(number: number), gas: gas(&numbers), input: input(number, &numbers))
    }
  }

  /// All, or about what a call costs.
  private static func gas(_ numbers: inout WorkloadNumbers) -> UInt256 {
    switch numbers.below(6) {
    case 0: .zero &- 1
    case 1: UInt256(UInt64(numbers.below(8_000)))
    default: UInt256(UInt64(50_000 + numbers.below(300_000)))
    }
  }

  private static func input(_ number: UInt64, _ numbers: inout WorkloadNumbers) -> [UInt8] {
    var input = PrecompileInputs.valid(number, &numbers)
    switch number {
    case 0x05 where numbers.below(4) == 0: input = longPower(&numbers)
    // More pairs or multiples.
    case 0x08, 0x0c, 0x0e,
      0x0f where numbers.below(2) == 0:
      let once = input
      for _ in 0..<numbers.below(4) { input += once }
    default: break
    }
    switch numbers.below(8) {
    case 0 where !input.isEmpty:
      input[numbers.below(input.count)] ^= 1 << UInt8(numbers.below(8))
    case 1: input.removeLast(numbers.below(input.count + 1))
    case 2: input += (0..<numbers.below(40)).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
    default: break
    }
    return input
  }

  /// A power of numbers up to some hundred bytes; now and then one has more than the 1,024 bytes that
  /// there may be from Osaka on (EIP-7823).
  private static func longPower(_ numbers: inout WorkloadNumbers) -> [UInt8] {
    var counts = [numbers.below(300), numbers.below(5), numbers.below(300)]
    if numbers.below(2) == 0 { counts[2 * numbers.below(2)] = 1000 + numbers.below(50) }
    return counts.flatMap { SolidityLayout.bytes(UInt256(UInt64($0))) }
      + (0..<counts.reduce(0, +)).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
  }
}
