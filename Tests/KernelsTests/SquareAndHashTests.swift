import EVM
import Kernels
import Testing

@Suite struct SquareAndHashTests {
  @Test func laneHashesSquareAndQuotient() {
    let input: [UInt256] = [12, 5, 0]
    var output = [UInt256](repeating: .zero, count: 3)
    input.withUnsafeBufferPointer { words in
      output.withUnsafeMutableBufferPointer { hashes in
        let arguments = SquareAndHashKernel.Arguments(
          input: words.baseAddress!, output: hashes.baseAddress!, count: 3)
        // A launch is a whole number of blocks: lanes beyond the count must do nothing.
        for lane in 0..<4 { SquareAndHashKernel.lane(lane, arguments) }
      }
    }
    #expect(output[0] == Keccak256.hash(144, 2).word)
    #expect(output[1] == Keccak256.hash(25, 0).word)
    #expect(output[2] == Keccak256.hash(0, 0).word)
  }
}
