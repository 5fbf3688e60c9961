import EVM
import Ethereum
import Testing

@Suite struct JSONWriterTests {
  private func write(_ isPretty: Bool) -> String {
    var writer = JSONWriter(isPretty: isPretty)
    writer.object { writer in
      writer.member("text", "a\"b\\\n\u{1}é")
      writer.key("list")
      writer.array { writer in
        writer.value(1)
        writer.value(true)
        writer.null()
        writer.object { _ in }
      }
      writer.member("bytes", hexadecimal: [0, 0xAB])
      writer.member("number", quantity: UInt256(255))
    }
    return writer.text
  }

  @Test func writesCompactText() {
    #expect(
      write(false)
        == #"{"text":"a\"b\\\n\u0001é","list":[1,true,null,{}],"bytes":"0x00ab","number":"0xff"}"#)
  }

  @Test func writesPrettyText() {
    #expect(
      write(true) == """
        {
          "text": "a\\"b\\\\\\n\\u0001é",
          "list": [
            1,
            true,
            null,
            {}
          ],
          "bytes": "0x00ab",
          "number": "0xff"
        }
        """)
  }

  @Test func allocationsComeBackAsTheyWere() throws {
    let allocation = Allocation([
      Address(number: 5): .init(nonce: 7, balance: .max, code: [1, 2], storage: [3: 4, .max: 5]),
      Address(number: 1): .init(balance: 1),
    ])
    var writer = JSONWriter(isPretty: true)
    writer.value(allocation)
    let read = try withBytes(Array(writer.text.utf8)) { (buffer) throws(FormatError) in
      var cursor = JSONCursor(buffer)
      return try cursor.allocation()
    }
    #expect(read == allocation)
  }
}
