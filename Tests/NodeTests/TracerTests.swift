import EVM
import Ethereum
import Foundation
import Testing

@testable import Node

/// The tracers on a contract that counts its calls in slot 0, and one that calls it.
@Suite struct TracerTests {
  private static let counter = "0x00000000000000000000000000000000000c0de1"
  private static let caller = "0x00000000000000000000000000000000000c0de2"
  private static let from = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"

  /// A node with both contracts, and the hash of a transaction that counts from 4 to 5.
  private func node() throws -> (TestNode, String) {
    let node = try TestNode()
    // Slot 0 plus one; a log without topics.
    _ = node.call("anvil_setCode", #"["\#(Self.counter)","0x5f54600101805f555f525f5fa000"]"#)
    _ = node.call("anvil_setStorageAt", #"["\#(Self.counter)","0x0","0x4"]"#)
    // A call of the counter with four bytes of input, and one wei.
    _ = node.call(
      "anvil_setCode",
      #"["\#(Self.caller)","0x63aabbccdd5f525f5f6004601c600162\#(Self.counter.suffix(6))5af100"]"#)
    let answer = node.call(
      "eth_sendTransaction",
      #"[{"from":"\#(Self.from)","to":"\#(Self.caller)","value":"0x3","input":"0x01020304ff","#
        + #""gas":"0x30d40"}]"#)
    return (node, String(answer.dropFirst(#"{"result":""#.count).prefix(66)))
  }

  private func trace(_ node: TestNode, _ hash: String, _ options: String) throws -> [String: Any] {
    let text = node.call("debug_traceTransaction", "[\"\(hash)\",\(options)]")
    let answer = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    return try #require(answer?["result"] as? [String: Any], "\(text)")
  }

  @Test func prestate() throws {
    let (node, hash) = try node()
    let state = try trace(node, hash, #"{"tracer":"prestateTracer"}"#)
    #expect(Set(state.keys) == [Self.counter, Self.caller, Self.from])
    let counter = try #require(state[Self.counter] as? [String: Any])
    let slot = "0x" + String(repeating: "0", count: 64)
    #expect(
      counter["storage"] as? [String: String] == [slot: String(slot.dropLast()) + "4"])
    #expect(counter["code"] as? String == "0x5f54600101805f555f525f5fa000")
    #expect(counter["balance"] as? String == "0x0")
    let bare = try trace(
      node, hash,
      #"{"tracer":"prestateTracer","tracerConfig":{"disableCode":true,"disableStorage":true}}"#)
    #expect((bare[Self.counter] as? [String: Any])?.keys.sorted() == ["balance"])
    // The coinbase is the zero address, which has nothing before.
    let all = try trace(
      node, hash, #"{"tracer":"prestateTracer","tracerConfig":{"includeEmpty":true}}"#)
    #expect(all.count == 4)
  }

  @Test func prestateDifferences() throws {
    let (node, hash) = try node()
    let both = try trace(
      node, hash, #"{"tracer":"prestateTracer","tracerConfig":{"diffMode":true}}"#)
    let pre = try #require(both["pre"] as? [String: [String: Any]])
    let post = try #require(both["post"] as? [String: [String: Any]])
    let slot = "0x" + String(repeating: "0", count: 64)
    #expect(
      pre[Self.counter]?["storage"] as? [String: String] == [slot: String(slot.dropLast()) + "4"])
    #expect(
      post[Self.counter]?["storage"] as? [String: String] == [slot: String(slot.dropLast()) + "5"])
    #expect(post[Self.counter]?["balance"] as? String == "0x1")
    #expect(post[Self.counter]?["code"] == nil)
    #expect(post[Self.caller]?["balance"] as? String == "0x2")
    #expect(post[Self.from]?["nonce"] as? Int == 1)
    // The fees came to an account that did not exist.
    #expect(pre["0x" + String(repeating: "0", count: 40)] == nil)
    #expect(post["0x" + String(repeating: "0", count: 40)]?["balance"] is String)
    // A call is traced on the same terms.
    let text = node.call(
      "debug_traceCall",
      #"[{"from":"\#(Self.from)","to":"\#(Self.counter)"},"latest",{"tracer":"prestateTracer","tracerConfig":{"diffMode":true}}]"#
    )
    #expect(text.contains(String(slot.dropLast()) + "6"), "\(text)")
    #expect(node.call("eth_getStorageAt", #"["\#(Self.counter)","0x0"]"#).contains("5\""))
  }

  @Test func prestateOfACreatedContract() throws {
    let node = try TestNode()
    let answer = node.call(
      "eth_sendTransaction", #"[{"from":"\#(Self.from)","input":"0x600160005360015ff3"}]"#)
    let hash = String(answer.dropFirst(#"{"result":""#.count).prefix(66))
    let both = try trace(
      node, hash, #"{"tracer":"prestateTracer","tracerConfig":{"diffMode":true}}"#)
    let created = "0x5fbdb2315678afecb367f032d93f642f64180aa3"
    let post = try #require(both["post"] as? [String: [String: Any]])
    #expect(post[created]?["code"] as? String == "0x01")
    #expect(post[created]?["nonce"] as? Int == 1)
    #expect((both["pre"] as? [String: Any])?[created] == nil)
    let state = try trace(node, hash, #"{"tracer":"prestateTracer"}"#)
    #expect(state[created] == nil)
  }

  @Test func callsWithTheirOptions() throws {
    let (node, hash) = try node()
    let calls = try trace(
      node, hash, #"{"tracer":"callTracer","tracerConfig":{"withLog":true}}"#)
    let inner = try #require((calls["calls"] as? [[String: Any]])?.first)
    #expect(inner["to"] as? String == Self.counter && inner["input"] as? String == "0xaabbccdd")
    #expect((inner["logs"] as? [[String: Any]])?.count == 1)
    let top = try trace(
      node, hash, #"{"tracer":"callTracer","tracerConfig":{"onlyTopCall":true}}"#)
    #expect(top["calls"] == nil && top["type"] as? String == "CALL")
    let selectors = try trace(node, hash, #"{"tracer":"4byteTracer"}"#)
    #expect(selectors as? [String: Int] == ["0x01020304-1": 1, "0xaabbccdd-0": 1])
  }

  @Test func profiles() throws {
    let (node, hash) = try node()
    for answer in [
      node.call("debug_profileTransaction", #"["\#(hash)"]"#),
      node.call("debug_profileBlockByNumber", #"["latest"]"#),
    ] {
      #expect(answer.contains(#""rows":["#) && answer.contains(hash), "\(answer)")
      #expect(answer.contains(#""bucket":"glue""#), "\(answer)")
    }
    #expect(node.call("debug_profileBlockByNumber", #"["0x0"]"#).contains("-32000"))
  }

  @Test func aTraceHasItsTime() throws {
    let node = try TestNode()
    // Counts down from 2^20.
    _ = node.call("anvil_setCode", #"["\#(Self.counter)","0x621000005b60019003806004570000"]"#)
    let call = #"[{"to":"\#(Self.counter)","gas":"0x2faf080"},"latest",{"#
    let late = node.call("debug_traceCall", call + #""timeout":"1ns","tracer":"callTracer"}]"#)
    #expect(late.contains("execution timeout"), "\(late)")
    #expect(node.call("debug_traceCall", call + #""timeout":"soon"}]"#).contains("-32602"))
    #expect(TimedTracer.duration("1m30s") == .seconds(90))
    #expect(TimedTracer.duration("1.5ms") == .microseconds(1500))
    #expect(TimedTracer.duration("") == nil && TimedTracer.duration("5") == nil)
  }

  @Test func tracesABlockThatIsGiven() throws {
    let (node, hash) = try node()
    let raw = node.call("debug_getRawBlock", #"["latest"]"#)
    let rlp = raw.dropFirst(#"{"result":""#.count).dropLast(2)
    #expect(
      node.call("debug_traceBlock", #"["\#(rlp)",{"tracer":"callTracer"}]"#).contains(hash))
    #expect(node.call("debug_traceBlock", #"["0xc0"]"#).contains("-32602"))
  }
}
