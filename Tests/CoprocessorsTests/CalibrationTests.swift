import Foundation
import Testing

@testable import Coprocessors

struct CalibrationTests {
  private typealias Point = CoprocessorCalibration.Point

  private func measured(_ cpu: [Double], _ device: [Double])
    -> CoprocessorCalibration.Measured
  {
    var measured = CoprocessorCalibration.Measured()
    let sizes = CoprocessorCalibration.sizes
    measured.points["cpu"] = zip(sizes, cpu).map { Point(rows: $0, nanoseconds: $1) }
    measured.points["gpu"] = zip(sizes, device).map { Point(rows: $0, nanoseconds: $1) }
    return measured
  }

  @Test func theCrossoverIsWhereTheDeviceWinsAndGoesOnWinning() {
    #expect(measured([1, 8, 64, 512], [50, 50, 50, 60]).crossover("gpu") == 64)
    #expect(measured([1, 8, 64, 512], [50, 5, 90, 60]).crossover("gpu") == 512)
    #expect(measured([1, 8, 64, 512], [0.5, 1, 2, 3]).crossover("gpu") == 1)
    #expect(measured([1, 8, 64, 512], [2, 9, 65, 512]).crossover("gpu") == nil)
    #expect(measured([1, 8], [1, 1]).crossover("other") == nil)
    #expect(measured([1, 8, 1000], [1, 1, 1]).rate("cpu") == 64e6)
  }

  @Test func batchesGrowUntilADeviceWinsOrTheTimeIsOver() {
    #expect(!CoprocessorCalibration.isEnough([9, 70], time: 20))
    #expect(!CoprocessorCalibration.isEnough([60, 70], time: 20))
    #expect(CoprocessorCalibration.isEnough([500, 70], time: 20))
    #expect(!CoprocessorCalibration.isEnough([500, 10], time: 20))
    #expect(CoprocessorCalibration.isEnough([60, 1001], time: 20))
    #expect(CoprocessorCalibration.isEnough([21], time: 20))
    #expect(!CoprocessorCalibration.isEnough([20], time: 20))
  }

  @Test func measuresWhatIsHealthyAndKeepsIt() throws {
    let registry = try CoprocessorRegistry([KeccakCoprocessor()], workers: 1)
    try registry.register(FakeBackEnd(KeccakCoprocessor()))
    var calibration = CoprocessorCalibration()
    try calibration.measure(registry.entry("keccak256"), time: 100_000)
    let found = try #require(calibration.coprocessors["keccak256"])
    #expect(found.points.keys.sorted() == ["cpu", "fake"])
    #expect(found.points["cpu"]?.first?.rows == 1)
    #expect(try #require(found.rate("cpu")) > 1000)

    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("needletail-calibration-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("deep/calibration.json").path
    #expect(try CoprocessorCalibration(path: path) == nil)
    try calibration.write(path: path)
    #expect(try CoprocessorCalibration(path: path) == calibration)
    try Data("{".utf8).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: CoprocessorError.self) { try CoprocessorCalibration(path: path) }
    #expect(error?.message.hasPrefix(path) == true)
    #expect(error?.code == .calibration)
  }
}
