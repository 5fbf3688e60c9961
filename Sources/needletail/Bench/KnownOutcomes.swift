import EVM
import Ethereum

/// What the public cases give, as message calls: evm-benchmarks' files have only state roots, which
/// tell nothing of the output, and revmc's expect nothing. Recorded where evmone 0.23.0 and revm
/// 8.0.0 agreed with us.
struct KnownOutcome {
  /// Gas used by the message call, before refunds.
  let gas: UInt64
  /// Keccak-256 of the output.
  let outputHash: Hash256

  private init(_ gas: UInt64, _ hash: String) {
    self.gas = gas
    guard let hash = Hash256(hexadecimal: hash) else {
      preconditionFailure("\(hash) is no hash")
    }
    outputHash = hash
  }

  /// By the case's full name.
  static let table: [String: KnownOutcome] = [
    "main/blake2b_huff/empty": KnownOutcome(
      13_984, "0x000ab473efa6ab620051122946a735d95f7e7614b4fa4305c48a118d8d906cdc"),
    "main/blake2b_huff/8415nulls": KnownOutcome(
      879_923, "0x224df0862f58d6024036a956fc523659230881e62152200a449403b3ae7b4b66"),
    "main/blake2b_shifts/8415nulls": KnownOutcome(
      12_043_105, "0x15227c2fcfed8f244f875778e2db8406a202048efa0a7d1ce93b51e22c4fb643"),
    "main/sha1_divs/empty": KnownOutcome(
      36_454, "0x212805f51ebd234c498758c090f251317266621073360c43057e8b611cbceda8"),
    "main/sha1_divs/5311": KnownOutcome(
      3_000_286, "0x383bcbe6e5d2bf05bcf43d1297fe26cdc2189cd42688725965b86f178f7da95a"),
    "main/sha1_shifts/empty": KnownOutcome(
      35_234, "0x212805f51ebd234c498758c090f251317266621073360c43057e8b611cbceda8"),
    "main/sha1_shifts/5311": KnownOutcome(
      2_898_473, "0x383bcbe6e5d2bf05bcf43d1297fe26cdc2189cd42688725965b86f178f7da95a"),
    "main/snailtracer/benchmark": KnownOutcome(
      165_962_868, "0x8f8599075ef36b2c413a92dbeb72470863f49271771bcb92172a7cfcbbbff6d0"),
    "main/structarray_alloc/nfts_rank": KnownOutcome(
      1_737_676, "0x2ae96acfbb202bf071930f6e703668f1a1783a3502e8dab778cadbcc7dc21124"),
    "main/swap_math/spent": KnownOutcome(
      3_179, "0x1a93994b03a198df814e0563e0219fd663af39227a4a719ef196ac05714bd78c"),
    "main/swap_math/received": KnownOutcome(
      3_505, "0x973e799b97b79052855b1578d77d871e6fd395c9f7e9945ce89100294ecaf04d"),
    "main/swap_math/insufficient_liquidity": KnownOutcome(
      2_232, "0xd37e262590567201e1adac22c418c691f49b71c16144afaa0f1d67adb08353c0"),
    "main/weierstrudel/1": KnownOutcome(
      47_561, "0x99dc992aaf3d28c58b377edca9ff1d54d578e5eae5c49f29337807b2e357938a"),
    "main/weierstrudel/15": KnownOutcome(
      598_273, "0xc384bc0d2ceebeefaede64d93d077ebb617e9b5e740bd35f7ea2ac10a10566cf"),
    "micro/JUMPDEST_n0/empty": KnownOutcome(
      527_598, "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    "micro/jump_around/empty": KnownOutcome(
      49_153, "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    "micro/loop_with_many_jumpdests/empty": KnownOutcome(
      7_987_882, "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    "micro/memory_grow_mload/nogrow": KnownOutcome(
      57_356, "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    "micro/memory_grow_mload/by1": KnownOutcome(
      57_772, "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    "micro/memory_grow_mload/by16": KnownOutcome(
      71_700, "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    "micro/memory_grow_mload/by32": KnownOutcome(
      102_409, "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    "micro/memory_grow_mstore/nogrow": KnownOutcome(
      61_452, "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    "micro/memory_grow_mstore/by1": KnownOutcome(
      61_868, "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    "micro/memory_grow_mstore/by16": KnownOutcome(
      75_796, "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    "micro/memory_grow_mstore/by32": KnownOutcome(
      106_505, "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    "micro/signextend/zero": KnownOutcome(
      96_066, "0x290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e563"),
    "micro/signextend/one": KnownOutcome(
      96_066, "0xcbfe1ca6c1a1cb618054e0b40677f2051a74663a840e3d5c2c8906a34c585a84"),
    "revmc/airdrop": KnownOutcome(
      2_371, "0x290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e563"),
    "revmc/bswap64": KnownOutcome(
      770, "0x95590b5ca210ae5d2149630ce540cf7168d6d492689c219ab751ef37b8cae80e"),
    "revmc/bswap64_opt": KnownOutcome(
      620, "0x95590b5ca210ae5d2149630ce540cf7168d6d492689c219ab751ef37b8cae80e"),
    "revmc/burntpix": KnownOutcome(
      92_378_116, "0x8ae952f867242fc3f59fb7af3f6a302fe7c569ca1e2d02292742c9c353b9c650"),
    "revmc/counter": KnownOutcome(
      22_299, "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    "revmc/curve-stableswap-2pool": KnownOutcome(
      136_108, "0x5e3d4e72202190bfcc9a15d83b296f7bb8d968945567025589bedba86224d627"),
    "revmc/eip2935": KnownOutcome(
      2_225, "0x6d20b3ac7ff900f38287ad5b92bb1851864c71770337d17acf947a43ce34e2fd"),
    "revmc/eip4788": KnownOutcome(
      4_320, "0xbd1f8b006fa42a17dfdfe44a0bda97827ef55c9991f3834b2ec067564c98d5e6"),
    "revmc/erc20_transfer": KnownOutcome(
      13_508_786, "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    "revmc/factorial": KnownOutcome(
      66_051, "0x290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e563"),
    "revmc/fiat_token": KnownOutcome(
      2_381, "0x290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e563"),
    "revmc/fibonacci-calldata": KnownOutcome(
      63_051, "0x70419e28906362b9fe546a4c9bbd5eb1f8ebeaa0469c95bd0368e9c8a7aa6e12"),
    "revmc/hash_10k": KnownOutcome(
      2_551_843, "0xeed50f0380dd8e70d63b85376b0b65b685ccb206a1b93b0cddbd95a5dd72ae51"),
    "revmc/onchain_lm_v2": KnownOutcome(
      456_617_316, "0x279fd186ed04d0eb7e511033b70ee342254a0df0fac90f8e6ee5b6cca6ee53b5"),
    "revmc/push0_proxy": KnownOutcome(
      2_652, "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    "revmc/seaport": KnownOutcome(
      2_475, "0x04acc0341c2430c116ebbeb1fc90b0bb273370b386a7adae324bc9bb01c951f8"),
    "revmc/snailtracer": KnownOutcome(
      205_066_838, "0xb1146cac9654c76b55817834574e50b558d07d3ca262f520ba8870e5a2632e3b"),
    "revmc/uniswap_v2_pair": KnownOutcome(
      2_504, "0x46700b4d40ac5c35af2c22dda2787a91eb567b06c924a8fb8ae9a05b20c08c21"),
    "revmc/univ2_router": KnownOutcome(
      1_021, "0xb835b4f8480de204a55db9d43473b124a8c936283ca4d9fb135ef28e7be8bdf7"),
    "revmc/usdc_proxy": KnownOutcome(
      4_644, "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    "revmc/weth": KnownOutcome(
      29_962, "0xb10e2d527612073b26eecdfd717e6a320cf44b4afac2b0732d9fcbe2b7fa0cf6"),
  ]
}
