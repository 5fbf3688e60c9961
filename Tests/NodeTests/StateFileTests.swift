import EVM
import Ethereum
import Foundation
import Testing

@testable import Node

/// The state of a development chain in a file.
@Suite struct StateFileTests {
  private func result(_ node: TestNode, _ method: String, _ parameters: String = "[]") -> String {
    let answer = node.call(method, parameters)
    return answer.hasPrefix(#"{"result":""#)
      ? String(answer.dropFirst(#"{"result":""#.count).dropLast(2)) : answer
  }

  private static let first = DevelopmentAccounts.standard.addresses[0]
  private static let someone = "0x00000000000000000000000000000000000a11ce"

  /// A chain with what is hard to name: a contract that a contract created, and slots by a mapping.
  private func busy() throws -> TestNode {
    let node = try TestNode()
    // Creation code that creates an account with the code `00` and one wei, then stores 7 in slot 5.
    // MSTORE8(0..) of 60 00 5f 53 60 01 5f f3: memory[0] = 0, return one byte.
    let inner = "60005f5360015ff3"
    let outer = "67" + inner + "5f5260086018" + "6001f0" + "5060076005555f5ff3"
    for (data, value) in [("0x" + outer, "0x5"), ("0x", "0x9")] {
      let to = data == "0x" ? #""to":"\#(Self.someone)","# : ""
      let sent = result(
        node, "eth_sendTransaction",
        #"[{"from":"\#(Self.first)",\#(to)"data":"\#(data)","value":"\#(value)","gas":"0x7a120"}]"#)
      #expect(
        node.call("eth_getTransactionReceipt", "[\"\(sent)\"]").contains(#""status":"0x1""#),
        "\(sent)")
    }
    _ = node.call("anvil_setStorageAt", #"["\#(Self.someone)","0x3","0x2a"]"#)
    _ = node.call("evm_mine")
    _ = node.call("anvil_setBalance", #"["0x000000000000000000000000000000000000cafe","0x7b"]"#)
    return node
  }

  @Test func aDumpHasAllAccountsByTheirNames() throws {
    let node = try busy()
    let dump = result(node, "anvil_dumpState")
    let bytes = try #require(Hexadecimal.bytes(dump))
    let json = try Gzip.contents(bytes, limit: 1 << 20)
    let value = try #require(try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
    let accounts = try #require(value["accounts"] as? [String: [String: Any]])
    #expect(accounts.count > 14)
    #expect(accounts["0x000000000000000000000000000000000000cafe"]?["balance"] as? String == "0x7b")
    let someone = try #require(accounts[Self.someone])
    #expect(someone["balance"] as? String == "0x9")
    #expect((someone["storage"] as? [String: String])?.count == 1)
    let created = accounts.values.filter { $0["code"] as? String == "0x00" }
    #expect(created.count == 1 && created[0]["balance"] as? String == "0x1")
    #expect(value["best_block_number"] as? String == "0x3")
    // Another chain comes to the same state.
    let other = try TestNode()
    #expect(other.call("anvil_loadState", "[\"\(dump)\"]") == #"{"result":true}"#)
    for (address, account) in accounts {
      #expect(
        result(other, "eth_getBalance", #"["\#(address)","latest"]"#)
          == account["balance"] as? String)
      #expect(
        result(other, "eth_getCode", #"["\#(address)","latest"]"#) == account["code"] as? String)
      let count = result(other, "eth_getTransactionCount", #"["\#(address)","latest"]"#)
      #expect(count == Hexadecimal.quantity(UInt64(try #require(account["nonce"] as? Int))))
      for (slot, word) in try #require(account["storage"] as? [String: String]) {
        #expect(
          result(other, "eth_getStorageAt", #"["\#(address)","\#(slot)","latest"]"#) == word)
      }
    }
    #expect(
      try other.chain.snapshot().state.root() == node.chain.snapshot().state.root())
    // What is loaded is in the next block, and is dumped in turn.
    _ = other.call("evm_mine")
    #expect(result(other, "hardhat_dumpState").count > 1000)
  }

  @Test func loadsWhatOtherToolsWrite() throws {
    let node = try TestNode()
    let text =
      #"{"block":{"timestamp":"0x7fffffff0"},"accounts":{"\#(Self.someone)":{"nonce":7,"#
      + #""balance":"0x10","code":"0x00","storage":{"0x1":"0x2"}}},"best_block_number":"0x2"}"#
    #expect(
      node.call("hardhat_loadState", "[\"\(Hexadecimal.string(Array(text.utf8)))\"]")
        == #"{"result":true}"#)
    #expect(result(node, "eth_getTransactionCount", #"["\#(Self.someone)","latest"]"#) == "0x7")
    _ = node.call("evm_mine")
    #expect(try #require(node.chain.database.head).header.timestamp > 0x7_ffff_fff0)
    // Compressed by zlib, with codes of its own and with the fixed ones.
    for (gzip, count) in [(Self.dynamic, "0x13"), (Self.fixed, "0x0")] {
      #expect(node.call("anvil_loadState", "[\"0x\(gzip)\"]").contains("true") == (count != "0x0"))
      let last = String(repeating: "0", count: 35) + "24bbd"
      if count != "0x0" {
        #expect(
          result(node, "eth_getTransactionCount", #"["0x\#(last)","latest"]"#) == count)
      }
    }
  }

  @Test func refusesWhatIsNoState() throws {
    let node = try TestNode()
    let root = try node.chain.snapshot().state.root()
    for text in [
      "", "{", "[]", #"{"accounts":[]}"#, #"{"accounts":{"0x1":{}}}"#,
      #"{"accounts":{"\#(Self.someone)":{"nonce":"0x10000000000000000"}}}"#,
      #"{"accounts":{"\#(Self.someone)":{"balance":"x"}}}"#,
      #"{"accounts":{"\#(Self.someone)":{"code":"0x0"}}}"#,
    ] {
      let answer = node.call(
        "anvil_loadState", "[\"\(Hexadecimal.string(Array(text.utf8)))\"]")
      #expect(answer.contains("-32602"), "\(text): \(answer)")
    }
    #expect(try node.chain.snapshot().state.root() == root)
  }

  // MARK: gzip

  @Test func whatIsWrittenIsRead() throws {
    for count in [0, 1, 65_535, 65_536, 200_000] {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
      #expect(try Gzip.contents(Gzip.container(bytes), limit: count) == bytes, "\(count)")
      if count > 0 {
        #expect(throws: FormatError.self) {
          try Gzip.contents(Gzip.container(bytes), limit: count - 1)
        }
      }
    }
  }

  @Test func readsWhatZlibWrites() throws {
    let fixed = try Gzip.contents(#require(Hexadecimal.bytes(unprefixed: Self.fixed)), limit: 100)
    #expect(
      String(decoding: fixed, as: UTF8.self) == String(repeating: #"{"accounts":{}}"#, count: 4))
    let dynamic = try Gzip.contents(
      #require(Hexadecimal.bytes(unprefixed: Self.dynamic)), limit: 2000)
    #expect(dynamic.count == 1869)
  }

  /// Damage is found, and never traps.
  @Test func refusesDamage() throws {
    let seed = UInt64.random(in: .min ... .max)
    var generator = SeededGenerator(seed: seed)
    for text in [Self.dynamic, Self.fixed] {
      let good = try #require(Hexadecimal.bytes(unprefixed: text))
      let contents = try Gzip.contents(good, limit: 2000)
      for _ in 0..<3000 {
        var bytes = good
        bytes[Int.random(in: 10..<bytes.count, using: &generator)] ^=
          1 << UInt8.random(in: 0..<8, using: &generator)
        if Bool.random(using: &generator) {
          bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator))
        }
        let got = try? Gzip.contents(bytes, limit: 2000)
        #expect(got == nil || got == contents, "seed \(seed)")
      }
    }
  }

  /// By Python's `gzip.compress` of a state with 20 accounts.
  private static let dynamic =
    "1f8b080000000000020395d44d8ae4300c05e0ab1459f7c29265d9eadb5892bd1aaa173303034dddbddd3f1bdb8b2917"
    + "042a10be8497bcf77e55b3b7bff73fbfafd7dbfb15fe85277f5f97dfdfeed6c6bff072bbb4feaadf679fcaf578b93da9"
    + "416b7dd260d5bc05658d35337dddfa793bbab7c9c6d5063560e74ccdca219ecc7cc2e38aa3544482da19ed10cfaa36e1"
    + "b4e23117f46a4d5cc2212eb5ea84a715a7c451a020513fcd5c45ea84f38aa7484425a666e934732f45263caf3803526f"
    + "4d24ea69e63de732e165c37b489ac4a3e261e600cc79c265c5b335664ba16139cc1c624a3c7768ab64a99631062ad20e"
    + "43874494667daba8949a5db444a0c3d421c748b3be95b4f278ed81d58b9ec62e8871d6b7962ab150865e029ce6ae0038"
    + "eb5b4d0d49ba7bc4f1711dea3e8e59df7aea01ab52616b7e9afb98dd79c581ff33bc073a06f765d5b7a6366d86e331c0"
    + "eb61ee8866f3aec356d52e639e4b8551a8c3dc9154e76187adab1072f5d247ed8c7f827f3c3e00b45367284d070000"
  /// By zlib with `Z_FIXED`, of `{"accounts":{}}` four times.
  private static let fixed =
    "1f8b0800000000000203ab564a4c4ece2fcd2b2956b2aaaeadad26850b00340b4d903c000000"
}
