import Ethereum
import Execution
import Foundation

extension SwapContracts {
  /// The contracts whose byte code lies in a folder of fixtures.
  init(fixtures: String) throws(FormatError) {
    func code(_ name: String) throws(FormatError) -> [UInt8] {
      let path = "\(fixtures)/contracts/\(name).hex"
      guard let text = try? String(contentsOfFile: path, encoding: .utf8),
        let bytes = Hexadecimal.bytes(
          unprefixed: text.trimmingCharacters(in: .whitespacesAndNewlines))
      else { throw FormatError(.unreadableFile, "no byte code in hexadecimal", file: path) }
      return bytes
    }
    self.init(
      token: try code("ERC20Token"), wrappedEther: try code("WETH9"),
      factory: try code("UniswapV3Factory"), pool: try code("UniswapV3Pool"),
      router: try code("SwapRouter"), singleSwap: try code("SingleSwap"))
  }
}
