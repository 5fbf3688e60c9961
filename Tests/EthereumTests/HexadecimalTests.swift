import EVM
import Ethereum
import Testing

@Suite struct HexadecimalTests {
  @Test func readsBytesWithPrefixOnly() {
    #expect(Hexadecimal.bytes("0x") == [])
    #expect(Hexadecimal.bytes("0X00fFA0") == [0, 0xFF, 0xA0])
    #expect(
      Hexadecimal.bytes("0x0123456789abcdefABCDEF") == [
        0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0xAB, 0xCD, 0xEF,
      ])
    for text in ["", "0", "00", "0x0", "0xg0", "0x0g", "x00", "0x00 ", "0x0011223g44556677"] {
      #expect(Hexadecimal.bytes(text) == nil, "\(text)")
    }
    #expect(Hexadecimal.bytes(unprefixed: "00fF") == [0, 0xFF])
    #expect(Hexadecimal.bytes(unprefixed: "0x00") == nil)
  }

  @Test func readsEveryDigitAtEveryPlaceAndNothingElse() {
    for place in 0..<24 {
      for byte in UInt8.min...UInt8.max {
        var text = [UInt8](repeating: UInt8(ascii: "0"), count: 24)
        text[place] = byte
        let expected = "0123456789abcdefABCDEF".utf8.contains(byte)
        let value = text.withUnsafeBufferPointer { Hexadecimal.bytes(digits: $0) }
        #expect((value != nil) == expected, "byte \(byte) at \(place)")
        if let value {
          let digit = Character(UnicodeScalar(byte)).hexDigitValue!
          #expect(Int(value[place / 2]) == (place % 2 == 0 ? digit << 4 : digit))
        }
      }
    }
  }

  @Test func writesLowercase() {
    #expect(Hexadecimal.string([]) == "0x")
    #expect(Hexadecimal.string([0, 0xAB, 0x09]) == "0x00ab09")
    #expect(Hexadecimal.quantity(0) == "0x0")
    #expect(Hexadecimal.quantity(.max) == "0xffffffffffffffff")
  }

  @Test func readsQuantitiesWithZerosInFront() {
    #expect(UInt256(hexadecimal: "0x0") == .zero)
    #expect(UInt256(hexadecimal: "0x00ff") == UInt256(255))
    #expect(UInt256(hexadecimal: "0x" + String(repeating: "f", count: 64)) == .max)
    #expect(UInt256(hexadecimal: "0x000" + String(repeating: "f", count: 64)) == .max)
    #expect(UInt256(hexadecimal: "0x1" + String(repeating: "0", count: 64)) == nil)
    for text in ["", "0x", "ff", "0xg", "0x 1", "-0x1"] {
      #expect(UInt256(hexadecimal: text) == nil, "\(text)")
    }
  }

  @Test func readsAndWritesDecimalDigits() {
    let maximum =
      "115792089237316195423570985008687907853269984665640564039457584007913129639935"
    #expect(UInt256(decimal: maximum) == .max)
    #expect(UInt256.max.decimal == maximum)
    #expect(
      UInt256(
        decimal: "115792089237316195423570985008687907853269984665640564039457584007913129639936")
        == nil)
    #expect(UInt256.zero.decimal == "0")
    // 10^19 needs two chunks, the lower one all zeros.
    #expect(UInt256(10_000_000_000_000_000_000).decimal == "10000000000000000000")
    #expect(UInt256(0, 1, 0, 0).decimal == "18446744073709551616")
    #expect(UInt256(decimal: "") == nil)
    #expect(UInt256(decimal: "1a") == nil)
    var random = SplitMix64(seed: 11)
    for _ in 0..<200 {
      let value =
        UInt256(random.next(), random.next(), random.next(), random.next())
        >> UInt64(random.below(256))
      #expect(UInt256(decimal: value.decimal) == value)
      #expect(UInt256(hexadecimal: value.description) == value)
    }
  }

  @Test func addressesAndHashesHaveTheirLength() {
    let text = "0x00112233445566778899aabbccddeeff01234567"
    #expect(Address(hexadecimal: text)?.description == text)
    #expect(Address(hexadecimal: text + "0") == nil)
    #expect(Address(hexadecimal: String(text.dropLast(2))) == nil)
    #expect(Address(hexadecimal: String(text.dropFirst(2))) == nil)
    let hash = "0x" + String(repeating: "0123456789abcdef", count: 4)
    #expect(Hash256(hexadecimal: hash)?.description == hash)
    #expect(Hash256(hexadecimal: hash + "00") == nil)
    #expect(Address(hexadecimal: text)! < Address(hexadecimal: "0x01" + text.dropFirst(4))!)
  }
}
