import ArgumentParser
import EVM
import Ethereum
import Execution

struct DisassembleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disassemble",
    abstract: "List the opcodes of byte code.",
    discussion: """
      Prints offset, byte, mnemonic and immediate bytes of each opcode. Opcodes that the fork does \
      not have are marked.

        needletail disassemble 0x5f355f1a60005260206000f3
        needletail disassemble contract.hex --fork London
      """)

  @Argument(help: "The code in hexadecimal, a file of it, or - for standard input.")
  var code: String

  @Option(help: "The rules that decide what is an opcode.")
  var fork = "Osaka"

  func run() throws {
    let fork = try Fork(argument: fork)
    for line in Disassembly(try CodeInput.bytes(code), fork: fork) {
      var text = String(line.offset, radix: 16)
      text = String(repeating: "0", count: max(0, 6 - text.count)) + text
      text += (line.opcode < 16 ? "  0" : "  ") + String(line.opcode, radix: 16)
      text += "  " + line.name
      if !line.immediate.isEmpty || line.isCut { text += " " + Hexadecimal.string(line.immediate) }
      if line.isCut { text += Terminal.red("  ; the code ends here") }
      if !line.isDefined { text += Terminal.red("  ; not an opcode of \(fork.name)") }
      print(text)
    }
  }
}
