import EVM
import Ethereum
import Execution
import Foundation
import Storage
import Testing

@testable import Node

/// What test tools do with a development node.
@Suite struct DevelopmentTests {
  private static let someone = "0x00000000000000000000000000000000000a11ce"
  private static let other = "0x0000000000000000000000000000000000000b0b"

  private func value(_ node: TestNode, _ method: String, _ parameters: String) -> String {
    let answer = node.call(method, parameters)
    return answer.hasPrefix(#"{"result":""#)
      ? String(answer.dropFirst(#"{"result":""#.count).dropLast(2)) : answer
  }

  private func balance(_ node: TestNode, _ address: String, _ block: String = "latest") -> String {
    value(node, "eth_getBalance", #"["\#(address)","\#(block)"]"#)
  }

  @Test(arguments: ["anvil", "hardhat"]) func setsAccounts(tool: String) throws {
    let node = try TestNode()
    let root = try node.chain.snapshot().state.root()
    #expect(
      node.call("\(tool)_setBalance", #"["\#(Self.someone)","0x10"]"#) == #"{"result":true}"#)
    #expect(node.call("\(tool)_setNonce", #"["\#(Self.someone)","0x7"]"#) == #"{"result":true}"#)
    #expect(
      node.call("\(tool)_setCode", #"["\#(Self.someone)","0x5f545f5260205ff3"]"#).contains("true"))
    #expect(
      node.call("\(tool)_setStorageAt", #"["\#(Self.someone)","0x0","0x2a"]"#).contains("true"))
    #expect(balance(node, Self.someone) == "0x10")
    #expect(value(node, "eth_getTransactionCount", #"["\#(Self.someone)","latest"]"#) == "0x7")
    #expect(value(node, "eth_getCode", #"["\#(Self.someone)","latest"]"#) == "0x5f545f5260205ff3")
    // The contract gives its slot 0.
    #expect(value(node, "eth_call", #"[{"to":"\#(Self.someone)"},"latest"]"#).hasSuffix("2a"))
    // No block was made of it, and the next one has it.
    #expect(value(node, "eth_blockNumber", "[]") == "0x0")
    #expect(node.call("evm_mine") == #"{"result":"0x0"}"#)
    #expect(balance(node, Self.someone) == "0x10")
    #expect(try node.chain.database.head?.header.stateRoot == node.chain.snapshot().state.root())
    #expect(try node.chain.snapshot().state.root() != root)
    // What a block before was stays so.
    for _ in 0..<3 { _ = node.call("evm_mine") }
    _ = node.call("\(tool)_setBalance", #"["\#(Self.someone)","0x11"]"#)
    #expect(balance(node, Self.someone, "0x1") == "0x10")
    #expect(balance(node, Self.someone, "0x4") == "0x11")
    _ = node.call("evm_mine")
    #expect(balance(node, Self.someone, "0x0") == "0x0")
    #expect(balance(node, Self.someone, "0x4") == "0x10")
    #expect(balance(node, Self.someone, "0x5") == "0x11")
  }

  @Test func whatWasSetSurvivesARestart() throws {
    let node = try TestNode()
    _ = node.call("anvil_setBalance", #"["\#(Self.someone)","0x10"]"#)
    _ = node.call("evm_mine")
    _ = node.call("anvil_impersonateAccount", #"["\#(Self.other)"]"#)
    _ = node.call("anvil_setBalance", #"["\#(Self.other)","0xde0b6b3a7640000"]"#)
    _ = node.call("anvil_setCode", #"["\#(Self.other)","0x00"]"#)
    let sent = value(
      node, "eth_sendTransaction",
      #"[{"from":"\#(Self.other)","to":"\#(Self.someone)","value":"0x5"}]"#)
    #expect(sent.count == 66, "\(sent)")
    _ = node.call("anvil_setBalance", #"["\#(Self.someone)","0x99"]"#)
    let head = node.chain.database.head?.hash
    // As after a crash: nothing is closed, and the database may lack what the log has.
    let copy = node.folder + "-copy"
    try FileManager.default.createDirectory(
      atPath: copy + "/state", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: copy) }
    try FileManager.default.copyItem(atPath: node.folder + "/log", toPath: copy + "/log")
    let again = try Blockchain(
      folder: copy,
      genesisFile: DevelopmentGenesis.file(chainID: 1337, accounts: .standard, time: 1_000_000))
    #expect(again.database.head?.hash == head)
    #expect(again.notices == ["replayed 6 entries of the block log"])
    let snapshot = try again.snapshot()
    let source = try snapshot.source(after: snapshot.head.header.number)
    #expect(source.account(Address(hexadecimal: Self.someone)!)?.balance == UInt256(0x99))
    #expect(try snapshot.state.root() == node.chain.snapshot().state.root())
    #expect(again.amendments.count == 1)
  }

  @Test func sendsForAnAccountWithCodeThatNobodyHasTheKeyOf() throws {
    let node = try TestNode()
    _ = node.call("hardhat_setBalance", #"["\#(Self.other)","0xde0b6b3a7640000"]"#)
    _ = node.call("hardhat_setCode", #"["\#(Self.other)","0x00"]"#)
    let request = #"[{"from":"\#(Self.other)","to":"\#(Self.someone)","value":"0x5"}]"#
    #expect(node.call("eth_sendTransaction", request).contains("unknown account"))
    _ = node.call("hardhat_impersonateAccount", #"["\#(Self.other)"]"#)
    let hash = value(node, "eth_sendTransaction", request)
    let receipt = node.call("eth_getTransactionReceipt", #"["\#(hash)"]"#)
    #expect(receipt.contains(#""status":"0x1""#), "\(receipt)")
    #expect(receipt.contains(#""from":"\#(Self.other)""#))
    #expect(balance(node, Self.someone) == "0x5")
    // It is traced with its sender, and refused from others.
    #expect(
      node.call("debug_traceTransaction", #"["\#(hash)",{"tracer":"callTracer"}]"#)
        .contains(#""from":"\#(Self.other)""#))
    let raw = value(node, "eth_getRawTransactionByHash", #"["\#(hash)"]"#)
    #expect(node.call("eth_sendRawTransaction", #"["\#(raw)"]"#).contains("invalid sender"))
    #expect(
      node.call("hardhat_stopImpersonatingAccount", #"["\#(Self.other)"]"#).contains("true"))
    #expect(node.call("eth_sendTransaction", request).contains("unknown account"))
    _ = node.call("anvil_autoImpersonateAccount", "[true]")
    #expect(value(node, "eth_sendTransaction", request).count == 66)
  }

  @Test func aBlockWithAnUnsignedTransactionIsNotImported() throws {
    let node = try TestNode()
    _ = node.call("anvil_autoImpersonateAccount", "[true]")
    _ = node.call("anvil_setBalance", #"["\#(Self.other)","0xde0b6b3a7640000"]"#)
    _ = value(
      node, "eth_sendTransaction", #"[{"from":"\#(Self.other)","to":"\#(Self.someone)"}]"#)
    let block = value(node, "debug_getRawBlock", #"["0x1"]"#)
    let other = try TestNode()
    #expect(throws: BlockError.self) {
      try other.chain.importBlock(rlp: Hexadecimal.bytes(block)!)
    }
  }

  @Test func goesBackToWhatWasSet() throws {
    let node = try TestNode()
    _ = node.call("evm_mine")
    _ = node.call("anvil_setBalance", #"["\#(Self.someone)","0x10"]"#)
    #expect(node.call("evm_snapshot") == #"{"result":"0x1"}"#)
    _ = node.call("anvil_setBalance", #"["\#(Self.someone)","0x20"]"#)
    #expect(node.call("evm_snapshot") == #"{"result":"0x2"}"#)
    _ = node.call("evm_mine")
    _ = node.call("evm_mine")
    #expect(node.call("evm_revert", #"["0x1"]"#) == #"{"result":true}"#)
    #expect(balance(node, Self.someone) == "0x10")
    #expect(value(node, "eth_blockNumber", "[]") == "0x1")
    // A moment is good for once, and those after it are gone.
    #expect(node.call("evm_revert", #"["0x1"]"#) == #"{"result":false}"#)
    #expect(node.call("evm_revert", #"["0x2"]"#) == #"{"result":false}"#)
    _ = node.call("evm_mine")
    #expect(balance(node, Self.someone) == "0x10")
    #expect(node.call("anvil_rollback") == #"{"result":null}"#)
    #expect(balance(node, Self.someone) == "0x0")
    #expect(node.call("hardhat_reset") == #"{"result":true}"#)
    #expect(value(node, "eth_blockNumber", "[]") == "0x0")
  }

  @Test func minesAtTheTimesThatWereSet() throws {
    let node = try TestNode()
    func time() -> UInt64 { node.chain.database.head!.header.timestamp }
    _ = node.call("evm_setNextBlockTimestamp", "[3000000000]")
    _ = node.call("evm_mine")
    #expect(time() == 3_000_000_000)
    _ = node.call("evm_mine", "[3000000100]")
    #expect(time() == 3_000_000_100)
    _ = node.call("evm_mine", #"[{"blocks":3}]"#)
    #expect(value(node, "eth_blockNumber", "[]") == "0x5")
    _ = node.call("hardhat_mine", #"["0x3","0x3c"]"#)
    let first = try node.chain.snapshot().header(6)!.header.timestamp
    #expect(time() == first + 120)
    _ = node.call("anvil_setBlockTimestampInterval", "[7]")
    _ = node.call("evm_mine")
    #expect(time() == first + 127)
    #expect(node.call("anvil_removeBlockTimestampInterval") == #"{"result":true}"#)
    #expect(node.call("evm_setNextBlockTimestamp", "[1]").contains("-32602"))
    _ = node.call("evm_increaseTime", "[1000]")
    let before = time()
    _ = node.call("evm_mine")
    #expect(time() >= before + 1)
  }

  @Test func setsWhatBlocksSay() throws {
    let node = try TestNode()
    _ = node.call("anvil_setCoinbase", #"["\#(Self.someone)"]"#)
    _ = node.call("hardhat_setPrevRandao", "[\"0x\(String(repeating: "ab", count: 32))\"]")
    _ = node.call("hardhat_setNextBlockBaseFeePerGas", #"["0x3b9aca07"]"#)
    _ = node.call("evm_mine")
    let header = try #require(node.chain.database.head?.header)
    #expect(header.coinbase == Address(hexadecimal: Self.someone))
    #expect(header.mixHash.description == "0x" + String(repeating: "ab", count: 32))
    #expect(header.baseFeePerGas == UInt256(0x3b9a_ca07))
    let info = node.call("anvil_nodeInfo")
    #expect(info.contains(#""currentBlockNumber":"0x1""#) && info.contains(#""chainId":1337"#))
    #expect(node.call("hardhat_metadata").contains(#""latestBlockNumber":1"#))
  }
}
