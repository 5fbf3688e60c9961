import ArgumentParser
import EVM
import Ethereum

struct SignerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "signer",
    abstract: "Make keys, sign transactions, and find who signed.",
    discussion: """
      For development: keys are given and printed in the open.

        needletail signer new
        needletail signer address 0x46..
        needletail signer sign transaction.json --key 0x46.. --chain-id 1
        needletail signer recover 0x02f8..
      """,
    subcommands: [New.self, AddressOf.self, Sign.self, Recover.self])

  /// A secret key that a user gave.
  fileprivate static func key(_ text: String) throws -> UInt256 {
    guard let key = UInt256(hexadecimal: text.hasPrefix("0x") ? text : "0x" + text),
      Secp256k1.address(of: key) != nil
    else { throw ValidationError("the key should be 0x and up to 64 hexadecimal digits, above 0") }
    return key
  }

  struct New: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a key from the system's randomness.")

    func run() throws {
      var random = SystemRandomNumberGenerator()
      while true {
        let key = UInt256(random.next(), random.next(), random.next(), random.next())
        guard let address = Secp256k1.address(of: key) else { continue }
        var writer = JSONWriter(isPretty: true)
        writer.object { writer in
          writer.member("secretKey", hexadecimal: key.bytes)
          writer.member("address", address)
        }
        return print(writer.text)
      }
    }
  }

  struct AddressOf: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "address", abstract: "Print the address of a secret key.")

    @Argument(help: "The secret key.")
    var key: String

    func run() throws {
      guard let address = Secp256k1.address(of: try SignerCommand.key(key)) else { return }
      print(address)
    }
  }

  struct Sign: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Sign a transaction.",
      discussion: """
        The transaction is JSON in the names of the JSON-RPC interface: nonce, gas, to, value, \
        input, gasPrice or maxFeePerGas and maxPriorityFeePerGas, and so on.
        """)

    @Argument(help: "A file with the transaction, or - for standard input.")
    var file: String

    @Option(help: "The secret key; the transaction's own secretKey where it has one.")
    var key: String?

    @Option(help: "The chain that the signature is for.")
    var chainID: UInt64 = 1

    func run() throws {
      let path = file
      let text = try CodeInput.contents(path)
      var signed: DescribedTransaction
      do throws(FormatError) {
        signed = try withBytes(text) { (buffer) throws(FormatError) in
          var cursor = JSONCursor(buffer)
          let transaction = try cursor.describedTransaction()
          try cursor.finish()
          return transaction
        }
      } catch {
        var named = error
        named.file = path
        throw named
      }
      if let key { signed.secretKey = try SignerCommand.key(key) }
      guard signed.secretKey != nil else {
        throw ValidationError("\(path): no secretKey in the transaction: give one with --key")
      }
      signed.isSigned = false
      try signed.sign(chainID: chainID)
      var writer = JSONWriter(isPretty: true)
      writer.object { writer in
        writer.member("raw", hexadecimal: signed.transaction.encoded)
        writer.member("hash", signed.transaction.hash)
        if let sender = try? signed.transaction.recoverSender() { writer.member("from", sender) }
        writer.member("v", quantity: signed.transaction.v)
        writer.member("r", quantity: signed.transaction.signature.r)
        writer.member("s", quantity: signed.transaction.signature.s)
      }
      print(writer.text)
    }
  }

  struct Recover: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print who signed a transaction, and what it says.")

    @Argument(help: "The signed transaction in hexadecimal, a file of it, or - for standard input.")
    var transaction: String

    func run() throws {
      let transaction = try Transaction(decoding: CodeInput.bytes(transaction))
      let sender = try transaction.recoverSender(requiresLowS: false)
      var writer = JSONWriter(isPretty: true)
      writer.object { writer in
        writer.member("from", sender)
        writer.member("hash", transaction.hash)
        writer.member("type", quantity: UInt64(transaction.type.rawValue))
        if let chainID = transaction.chainID { writer.member("chainId", quantity: chainID) }
        writer.member("nonce", quantity: transaction.nonce)
        writer.member("gas", quantity: transaction.gasLimit)
        writer.member("maxFeePerGas", quantity: transaction.maxFeePerGas)
        writer.member("maxPriorityFeePerGas", quantity: transaction.maxPriorityFeePerGas)
        writer.key("to")
        if let to = transaction.to { writer.value(to) } else { writer.null() }
        writer.member("value", quantity: transaction.value)
        writer.member("input", hexadecimal: transaction.data)
      }
      print(writer.text)
    }
  }
}
