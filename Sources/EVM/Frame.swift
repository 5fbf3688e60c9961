/// How a frame came about.
package enum FrameKind: UInt8, BitwiseCopyable {
  case call
  case callCode
  case delegateCall
  case staticCall
  case create
  case create2

  @inline(__always)
  var isCreate: Bool { self == .create || self == .create2 }
}

/// One activation of code: an explicit record, so that depth 1,024 needs no recursion.
///
/// A frame's stack begins where its caller's ends, and so does its memory, so both arenas are
/// used as stacks. `stack` points one past the top word.
package struct Frame: BitwiseCopyable {
  /// The most words on a stack, and the most nested frames below the first.
  static var stackLimit: Int { 1024 }

  // Registers, valid while the frame does not run.
  var programCounter: Int
  var stack: UnsafeMutablePointer<UInt256>
  var gas: Int64
  var memoryCount: Int

  var stackBase: UnsafeMutablePointer<UInt256>
  var memory: UnsafeMutablePointer<UInt8>
  var code: Code

  // The message.
  var address: Address
  var caller: Address
  var value: UInt256
  var input: UnsafePointer<UInt8>
  var inputCount: Int
  var account: UnsafeMutablePointer<AccountEntry>
  var kind: FrameKind
  var isStatic: Bool

  // What RETURN or REVERT named, in this frame's memory; not written before.
  var outputOffset: Int
  var outputCount: Int

  // Where the frame wants the output of its call, in its memory; not written before.
  var returnOffset: Int
  var returnCount: Int

  /// The journal before the frame began.
  var checkpoint: Journal.Checkpoint

  /// Writes what every message has; the caller writes kind, caller, value and call data.
  @inline(__always)
  mutating func begin(
    on account: UnsafeMutablePointer<AccountEntry>, gas: Int64,
    stack: UnsafeMutablePointer<UInt256>, memory: UnsafeMutablePointer<UInt8>
  ) {
    self.account = account
    address = account.pointee.address
    self.gas = gas
    stackBase = stack
    self.memory = memory
  }

  /// The message's input.
  @inline(__always)
  var callData: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: input, count: inputCount) }

  /// Words on the stack.
  @inline(__always)
  var stackCount: Int { stack - stackBase }

  /// The word `depth` below the top; 0 is the top.
  @inline(__always)
  func word(_ depth: Int) -> UInt256 { stack[-1 &- depth] }

  /// Takes `pops` words and puts one.
  @inline(__always)
  mutating func replace(_ pops: Int, _ word: UInt256) {
    stack = stack - pops
    stack.pointee = word
    stack = stack + 1
  }

  /// Takes gas; false when there is not enough. `amount` is never negative.
  @inline(__always)
  mutating func charge(_ amount: Int64) -> Bool {
    if gas < amount { return false }
    gas &-= amount
    return true
  }
}
