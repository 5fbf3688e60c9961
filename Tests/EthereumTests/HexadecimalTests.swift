import EVM
import Ethereum
import Testing

@Suite struct HexadecimalTests {
  @Test func readsBytesWithPrefixOnly() {
    #expect(Hexadecimal.bytes("0x") == [])
    #expect(Hexadecimal.bytes("0x00fFA0") == [0, 0xFF, 0xA0])
    #expect(
      Hexadecimal.bytes("0x0123456789abcdefABCDEF") == [
        0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0xAB, 0xCD, 0xEF,
      ])
    for text in ["", "0", "00", "0x0", "0xg0", "0x0g", "x00", "0x00 ", "0x0011223g44556677"] {
      #expect(Hexadecimal.bytes(text) == nil, "\(text)")
    }
  }
}
