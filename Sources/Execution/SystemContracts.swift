public import EVM

/// The contracts that a block calls or listens to by itself.
public enum SystemContracts {
  /// Keeps the beacon chain's roots (EIP-4788).
  public static let beaconRoots = address(0x000F_3df6, 0xD732_807E_f131_9fB7, 0xB8bB_8522_d0Be_ac02)
  /// Keeps the last block hashes (EIP-2935).
  public static let history = address(0x0000_F908, 0x27F1_C53a_10cb_7A02, 0x335B_1753_2000_2935)
  /// Queues withdrawal requests (EIP-7002).
  public static let withdrawalRequests = address(
    0x0000_0961, 0xEf48_0Eb5_5e80_D19a, 0xd835_79A6_4c00_7002)
  /// Queues consolidation requests (EIP-7251).
  public static let consolidationRequests = address(
    0x0000_BBdD, 0xc7CE_4886_42fb_579F, 0x8B00_f3a5_9000_7251)
  /// Takes deposits (EIP-6110).
  public static let deposits = address(0x0000_0000, 0x219a_b540_356c_BB83, 0x9Cbe_0530_3d77_05Fa)

  private static func address(_ high: UInt32, _ middle: UInt64, _ low: UInt64) -> Address {
    Address(UInt256(low, middle, UInt64(high), 0))
  }
}
