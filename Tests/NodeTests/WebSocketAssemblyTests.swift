import NIOCore
import NIOWebSocket
import Testing

@testable import Node

@Suite struct WebSocketAssemblyTests {
  private func frame(
    _ text: String, _ opcode: WebSocketOpcode = .text, fin: Bool = true, masked: Bool = true
  ) -> WebSocketFrame {
    WebSocketFrame(
      fin: fin, opcode: opcode, maskKey: masked ? [0, 0, 0, 0] : nil,
      data: ByteBuffer(string: text))
  }

  private func assembly() -> WebSocketAssembly {
    WebSocketAssembly(messageBytes: 8, frameLimit: 3, requiresMask: true)
  }

  @Test func joinsFrames() {
    var assembly = assembly()
    #expect(assembly.take(frame("ab", fin: false)) == .incomplete)
    #expect(assembly.take(frame("x", .ping)) == .ping(ByteBuffer(string: "x")))
    #expect(assembly.take(frame("cd", .continuation)) == .message([97, 98, 99, 100], isText: true))
    #expect(assembly.take(frame("z", .binary)) == .message([122], isText: false))
  }

  @Test func boundsBytesAndFrames() {
    var bytes = assembly()
    #expect(bytes.take(frame("12345678")) == .message([UInt8]("12345678".utf8), isText: true))
    guard case .violation(.tooLarge, _) = bytes.take(frame("123456789")) else {
      Issue.record("nine bytes of eight")
      return
    }
    var frames = assembly()
    for opcode in [WebSocketOpcode.text, .continuation, .continuation] {
      #expect(frames.take(frame("", opcode, fin: false)) == .incomplete)
    }
    guard case .violation(.tooLarge, _) = frames.take(frame("", .continuation)) else {
      Issue.record("four frames of three")
      return
    }
  }

  @Test func refusesUnmaskedFramesAndWrongOrder() {
    for wrong in [
      frame("a", masked: false), frame("a", .continuation),
      frame("a", WebSocketOpcode(encodedWebSocketOpcode: 5)!),
      frame("a", .connectionClose),
    ] {
      var assembly = assembly()
      guard case .violation(.protocolError, _) = assembly.take(wrong) else {
        Issue.record("\(wrong)")
        return
      }
    }
    var client = WebSocketAssembly(messageBytes: 8, frameLimit: 3, requiresMask: false)
    #expect(client.take(frame("a", masked: false)) == .message([97], isText: true))
  }
}
