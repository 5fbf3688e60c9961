@testable import EVM

/// A builder of byte code, so that tests read like programs.
struct Bytecode: ExpressibleByArrayLiteral {
  var bytes: [UInt8] = []

  init(_ bytes: [UInt8] = []) { self.bytes = bytes }

  init(arrayLiteral elements: UInt8...) { bytes = elements }

  static func + (a: Bytecode, b: Bytecode) -> Bytecode { Bytecode(a.bytes + b.bytes) }

  static func * (code: Bytecode, count: Int) -> Bytecode {
    Bytecode(Array(repeatElement(code.bytes, count: count).joined()))
  }

  /// One opcode.
  static func op(_ opcode: UInt8) -> Bytecode { [opcode] }

  /// The shortest PUSH of a word; `PUSH1 0` for zero.
  static func push(_ word: UInt256) -> Bytecode {
    let count = max(word.byteWidth, 1)
    var buffer = [UInt8](repeating: 0, count: 32)
    buffer.withUnsafeMutableBufferPointer { word.store(bigEndian: $0.baseAddress!) }
    return Bytecode([UInt8(0x5f + count)] + buffer.suffix(count))
  }

  static func push(_ address: Address) -> Bytecode { push(address.word) }

  /// Arguments in the order of the yellow paper (the first is on top), then the opcode.
  static func call(_ opcode: UInt8, _ arguments: UInt256...) -> Bytecode {
    arguments.reversed().map { push($0) }.reduce(Bytecode(), +) + [opcode]
  }

  /// Stores the top of the stack at memory 0 and returns it.
  static var returnTop: Bytecode {
    call(Opcode.mstore, 0) + call(Opcode.`return`, 0, 32)
  }

  /// Stores the top of the stack in a slot.
  static func store(_ slot: UInt256) -> Bytecode { push(slot) + [Opcode.sstore] }

  /// Copies this code's bytes to memory 0, 32 at a time.
  var inMemory: Bytecode {
    var result = Bytecode()
    var offset = 0
    while offset < bytes.count {
      var word = Array(bytes[offset..<min(offset + 32, bytes.count)])
      word += [UInt8](repeating: 0, count: 32 - word.count)
      let value = word.withUnsafeBufferPointer { UInt256(bigEndian: $0.baseAddress!) }
      result = result + .call(Opcode.mstore, UInt256(UInt64(offset)), value)
      offset += 32
    }
    return result
  }

  /// Initialisation code that deploys this code.
  var deployment: Bytecode {
    inMemory + .call(Opcode.`return`, 0, UInt256(UInt64(bytes.count)))
  }
}
