import ArgumentParser
import CUDA
import EVM
import Ethereum
import Execution
import Foundation
import GPU
import Kernels

struct BenchGPUCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gpu", abstract: "Time batches of transactions on a GPU beside the host's cores.")

  @Option(help: "Kernels: a .ptx or .cubin.") var image: String
  @Option(help: "Transactions.") var count = 1 << 18
  @Option(help: "Lanes of a block.") var threads: [Int] = [128]
  @Option(help: "Blocks for each multiprocessor.") var blocks: Int?
  @Option(help: "Threads of the host.") var hostThreads = ProcessInfo.processInfo.activeProcessorCount
  @Option(help: "The folder of the public suites.") var fixtures = ".fixtures"
  @Option var workload = "erc20"
  @Option var repeats = 5

  func run() throws {
    let clock = ContinuousClock()
    func hex(_ name: String) throws -> [UInt8] {
      let text = try String(contentsOfFile: "\(fixtures)/contracts/\(name)", encoding: .utf8)
      return Hexadecimal.bytes(unprefixed: text.trimmingCharacters(in: .whitespacesAndNewlines))!
    }
    let load = TransactionWorkload.tokenTransfers(code: try hex("ERC20Token.hex"), people: count)
    print("workload made")
    let image = StateImage([load.allocation], fork: load.block.fork)
    var batch = TransactionBatch()
    batch.reserve(count, bytes: count * 80)
    let environment = batch.append(load.block.environment)
    for transaction in load.block.transactions {
      transaction.withMessage { batch.append($0, environment: environment) }
    }
    print("image \(image.byteCount >> 20) MB")
    let selection: RecordSelection = [.changes, .logs, .output]
    let host = HostLanes(image, threads: hostThreads)
    var reference = BatchOutcome(count: count)
    batch.withColumns { columns in
      host.execute(columns, selection: selection) { reference.take($0) }
      for _ in 0..<repeats {
        let time = clock.measure {
          host.execute(columns, selection: selection) { _ in }
        }
        print("host \(hostThreads) threads: \(Double(count) / (time / .seconds(1)) / 1e6) M/s")
      }
    }
    print("done on host:", reference.outcomes.count { $0.state == .done }, reference.outcomes[0])
    let driver = try Driver.load()
    let context = try Context(try driver.device(0))
    let bytes = try Data(contentsOf: URL(fileURLWithPath: self.image))
    let device = try bytes.withUnsafeBytes { try TransactionDevice(context, image: $0) }
    try device.load(image)
    for threads in threads {
      var options = DeviceExecutor.Options()
      options.threads = threads
      options.blocksPerMultiprocessor = blocks
      options.waveRows = count
      let executor = try DeviceExecutor(device, options: options)
      for round in 0..<repeats {
        var result = BatchOutcome(count: count)
        var kernel = Duration.zero
        let time = try clock.measure {
          let (statistics, left) = try batch.withColumns { columns in
            try executor.execute(columns, selection: selection) {
              if round == 0 { result.take($0) }
            }
          }
          kernel = statistics.kernelTime
          if round == 0 { print(statistics, left.prefix(3)) }
        }
        print(
          "threads \(threads) lanes \(executor.laneCount): kernel",
          Double(count) / (kernel / .seconds(1)) / 1e6, "M/s, end to end",
          Double(count) / (time / .seconds(1)) / 1e6, "M/s")
        if round == 0 {
          var wrong = 0
          for index in 0..<count where
            result.outcomes[index].status != reference.outcomes[index].status
            || result.outcomes[index].gasUsed != reference.outcomes[index].gasUsed
            || result.recordBytes(index) != reference.recordBytes(index)
          {
            wrong += 1
            if wrong < 3 { print(index, result.outcomes[index], reference.outcomes[index]) }
          }
          print("wrong: \(wrong)")
        }
      }
    }
  }
}
