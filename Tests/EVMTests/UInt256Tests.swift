import Testing

@testable import EVM

@Suite struct UInt256Tests {
  @Test func wrapsAtTheTop() {
    #expect(UInt256.max &+ UInt256.one == .zero)
  }
}
