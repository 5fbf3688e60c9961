import EVM
import Ethereum
import Testing

@Suite struct ForkScheduleTests {
  @Test(arguments: [
    ("Frontier", Fork.frontier), ("EIP150", .tangerineWhistle), ("EIP158", .spuriousDragon),
    ("Constantinople", .constantinople), ("ConstantinopleFix", .petersburg),
    ("Merge", .paris), ("Paris", .paris), ("cancun", .cancun), ("BPO1", .bpo1),
    ("Amsterdam", .amsterdam),
  ])
  func namesOfTheTestSuitesAreKnown(_ name: String, _ fork: Fork) throws {
    #expect(Fork(name: name) == fork)
    let schedule = try #require(ForkSchedule(network: name))
    #expect(schedule.fork(number: 0, timestamp: 0) == fork)
  }

  @Test func everyForkIsFoundByItsName() {
    for fork in Fork.allCases { #expect(Fork(name: fork.name) == fork) }
    #expect(Fork(name: "Frontier2") == nil)
    #expect(Fork(name: "") == nil)
  }

  @Test func transitionsBeginWhereTheirNameSays() throws {
    let block = try #require(ForkSchedule(network: "BerlinToLondonAt5"))
    #expect(block.fork(number: 4, timestamp: .max) == .berlin)
    #expect(block.fork(number: 5, timestamp: 0) == .london)
    let time = try #require(ForkSchedule(network: "CancunToPragueAtTime15k"))
    #expect(time.fork(number: 9, timestamp: 14_999) == .cancun)
    #expect(time.fork(number: 0, timestamp: 15_000) == .prague)
    let blobs = try #require(ForkSchedule(network: "BPO1ToBPO2AtTime15k"))
    #expect(blobs.fork(number: 0, timestamp: 15_000) == .bpo2)
    let difficulty = try #require(ForkSchedule(network: "ArrowGlacierToParisAtDiffC0000"))
    #expect(difficulty.fork(number: 9, timestamp: 9, totalDifficulty: 0xBFFFF) == .arrowGlacier)
    #expect(difficulty.fork(number: 0, timestamp: 0, totalDifficulty: 0xC0000) == .paris)
    #expect(difficulty.fork(number: 0, timestamp: 0) == .arrowGlacier)
    for name in ["", "X", "BerlinToLondon", "BerlinToXAt5", "BerlinToLondonAtx", "ToAt5"] {
      #expect(ForkSchedule(network: name) == nil, "\(name)")
    }
    let huge = "CancunToPragueAtTime99999999999999999999k"
    #expect(ForkSchedule(network: huge) == nil)
  }

  @Test func theMainNetworkHasItsForks() {
    let schedule = ForkSchedule.mainnet
    for (number, time, fork) in [
      (0, 0, Fork.frontier), (1_149_999, 0, .frontier), (1_150_000, 0, .homestead),
      (2_462_999, 0, .daoFork), (2_463_000, 0, .tangerineWhistle), (7_280_000, 0, .petersburg),
      (12_965_000, 0, .london), (15_537_393, 0, .grayGlacier), (15_537_394, 0, .paris),
      (17_034_870, 1_681_338_455, .shanghai), (19_426_587, 1_710_338_135, .cancun),
      (30_000_000, 1_767_747_671, .bpo2),
    ] as [(UInt64, UInt64, Fork)] {
      #expect(schedule.fork(number: number, timestamp: time) == fork)
    }
  }

  @Test func blobLimitsComeFromTheLastForkThatHasSome() {
    let schedule = BlobSchedule.mainnet
    #expect(schedule[.shanghai] == nil)
    #expect(schedule[.cancun]?.max == 6)
    #expect(schedule[.prague]?.baseFeeUpdateFraction == 5_007_716)
    #expect(schedule[.osaka] == schedule[.prague])
    #expect(
      schedule[.bpo2] == BlobParameters(target: 14, max: 21, baseFeeUpdateFraction: 11_684_671))
  }
}
