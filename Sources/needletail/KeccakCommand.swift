import ArgumentParser
import EVM
import Ethereum

struct KeccakCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keccak",
    abstract: "Hash bytes with Keccak-256.",
    discussion: """
      needletail keccak 0x1234
      needletail keccak --text "transfer(address,uint256)"
      needletail keccak --file photo.jpg
      """)

  @Argument(help: "Bytes in hexadecimal, a file of hexadecimal digits, or - for standard input.")
  var input: String?

  @Option(help: "Hash the UTF-8 bytes of this text.")
  var text: String?

  @Option(help: "Hash the bytes of this file as they are.")
  var file: String?

  func validate() throws {
    if [input, text, file].compactMap({ $0 }).count != 1 {
      throw ValidationError("give one of: bytes, --text, --file")
    }
  }

  func run() throws {
    let bytes: [UInt8]
    if let text {
      bytes = Array(text.utf8)
    } else if let file {
      bytes = try CodeInput.contents(file)
    } else {
      bytes = try CodeInput.bytes(input ?? "")
    }
    print(Keccak256.hash(bytes))
  }
}
