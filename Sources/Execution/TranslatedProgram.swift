import EVM

/// A program in memory of its own. Who holds it frees it: the machine's pointers do not keep it.
struct TranslatedProgram {
  let header: UnsafePointer<Program>
  var fork: Fork { header.pointee.fork }
  var byteCount: Int { header.pointee.byteCount }

  /// The program that begins there.
  init(header: UnsafePointer<Program>) { self.header = header }

  /// Translates code for a fork; `nil` when the code is beyond the translator's limits.
  init?(_ code: Code, fork: Fork) {
    let capacity = Translator.scratchBytes(code.count)
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 32)
    defer { scratch.deallocate() }
    guard var translator = Translator(code, fork: fork, scratch: scratch, capacity: capacity),
      let size = translator.translate()
    else { return nil }
    let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 32)
    translator.write(to: memory)
    header = UnsafePointer(memory.assumingMemoryBound(to: Program.self))
  }

  func deallocate() { UnsafeRawPointer(header).deallocate() }
}

extension Code {
  /// The code, to be run by a program.
  func with(_ program: TranslatedProgram) -> Code {
    var code = self
    code.program = program.header
    return code
  }
}
