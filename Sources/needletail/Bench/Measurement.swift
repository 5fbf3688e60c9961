import Foundation

/// The CPU time of one operation: the median of many samples and how far they lie apart.
struct Measurement {
  /// Nanoseconds an operation, the median of the samples.
  let nanoseconds: Double
  /// Half of the samples lie within so much of each other, as a part of the median.
  let spread: Double
  /// Nanoseconds an operation in the quickest sample, which the rest of the machine disturbed least.
  let lowest: Double
  /// How many samples were taken.
  let samples: Int

  /// From nanoseconds an operation; at least one sample.
  init(samples: [Double]) {
    let sorted = samples.sorted()
    nanoseconds = Self.quantile(sorted, 0.5)
    spread = (Self.quantile(sorted, 0.75) - Self.quantile(sorted, 0.25)) / nanoseconds
    lowest = sorted[0]
    self.samples = sorted.count
  }

  /// Measures works that each repeat an operation as often as they are told, in turns, so that
  /// what disturbs the machine disturbs all of them.
  ///
  /// A sample repeats the operation for about `sampleTime` seconds.
  static func interleaved(
    _ works: [(Int) -> Void], samples: Int, sampleTime: Double = 0.004
  ) -> [Measurement] {
    let counts = works.map { repetitions(of: $0, time: sampleTime) }
    var times = [[Double]](repeating: [], count: works.count)
    for _ in 0..<samples {
      for (index, work) in works.enumerated() {
        times[index].append(seconds { work(counts[index]) } / Double(counts[index]) * 1e9)
      }
    }
    return times.map { Measurement(samples: $0) }
  }

  /// Samples of one work, for about `time` seconds in all and at least three, in nanoseconds an
  /// operation.
  static func samples(
    of work: (Int) -> Void, time: Double, sampleTime: Double = 0.004
  ) -> [Double] {
    let count = repetitions(of: work, time: sampleTime)
    var result: [Double] = []
    var left = time
    while left > 0 || result.count < 3 {
      let taken = seconds { work(count) }
      result.append(taken / Double(count) * 1e9)
      left -= taken
    }
    return result
  }

  /// How often an operation has to be repeated to take so many seconds; it warms up meanwhile.
  private static func repetitions(of work: (Int) -> Void, time: Double) -> Int {
    var count = 1
    while true {
      let taken = seconds { work(count) }
      if taken >= time / 2 { return max(1, Int(Double(count) * time / taken)) }
      count *= taken < time / 16 ? 8 : 2
    }
  }

  /// Seconds of the thread's CPU time: those in which other programs ran do not count.
  static func seconds<Failure>(_ work: () throws(Failure) -> Void) throws(Failure) -> Double {
    let start = threadSeconds
    try work()
    return threadSeconds - start
  }

  private static var threadSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// The value below which a part of the sorted samples lies, between two of them in proportion.
  private static func quantile(_ sorted: [Double], _ part: Double) -> Double {
    let position = part * Double(sorted.count - 1)
    let index = Int(position)
    let next = min(index + 1, sorted.count - 1)
    return sorted[index] + (sorted[next] - sorted[index]) * (position - Double(index))
  }
}

extension Sequence<Double> {
  /// The geometric mean of positive numbers; `nil` of none.
  var geometricMean: Double? {
    var sum = 0.0
    var count = 0
    for number in self {
      sum += log(number)
      count += 1
    }
    return count == 0 ? nil : exp(sum / Double(count))
  }
}
