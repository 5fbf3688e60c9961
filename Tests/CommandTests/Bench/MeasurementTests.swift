import Testing

@testable import needletail

@Suite struct MeasurementTests {
  @Test func theMedianIsTheMiddle() {
    let odd = Measurement(samples: [5, 1, 3])
    #expect(odd.nanoseconds == 3)
    #expect(odd.lowest == 1)
    #expect(odd.samples == 3)
    #expect(Measurement(samples: [4, 1, 2, 3]).nanoseconds == 2.5)
    #expect(Measurement(samples: [7]).nanoseconds == 7)
  }

  @Test func theSpreadIsOfTheMiddleHalf() {
    // The quartiles of 1 to 5 are 2 and 4.
    #expect(abs(Measurement(samples: [5, 4, 3, 2, 1]).spread - 2.0 / 3) < 1e-12)
    #expect(Measurement(samples: [3, 3, 3, 3]).spread == 0)
    // One sample far off does not count.
    #expect(Measurement(samples: [1, 1, 1, 1, 1, 1, 1, 1000]).spread == 0)
  }

  @Test func everyRepetitionIsDone() {
    var done = 0
    var asked = 0
    let samples = Measurement.samples(
      of: { count in
        asked += count
        for _ in 0..<count { done += 1 }
      }, time: 0, sampleTime: 1e-6)
    #expect(done == asked)
    #expect(samples.count == 3)
  }

  @Test func theGeometricMeanIsThatOfFactors() throws {
    #expect([Double]().geometricMean == nil)
    #expect(abs(try #require([4.0].geometricMean) - 4) < 1e-12)
    #expect(abs(try #require([0.5, 2, 8].geometricMean) - 2) < 1e-12)
    #expect(abs(try #require([1e-300, 1e300].geometricMean) - 1) < 1e-9)
  }

  @Test func summariesAreBySuite() {
    let one = RatioSummary.lines([("main", 4), ("main", 1)])
    #expect(one.map(\.suite) == ["main"])
    #expect(one.map(\.count) == [2])
    #expect(abs(one[0].mean - 2) < 1e-12)
    let lines = RatioSummary.lines([("main", 1), ("micro", 8), ("revmc", 4), ("main", 2)])
    #expect(lines.map(\.suite) == ["main", "micro", "revmc", "main and revmc", "all"])
    #expect(lines.map(\.count) == [2, 1, 1, 3, 4])
    #expect(abs(lines[3].mean - 2) < 1e-12)
    #expect(RatioSummary.lines([]).isEmpty)
  }
}
