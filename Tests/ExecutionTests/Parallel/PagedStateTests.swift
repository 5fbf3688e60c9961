import EVM
import Ethereum
import Testing

@testable import Execution

@Suite(.serialized) struct PagedStateTests {
  private func run(_ random: RandomBlock, _ executor: any BlockExecutor) -> RandomBlock.Result {
    var executor = executor
    let source = AllocationSource(random.allocation)
    var state = WorldState(source: source, codes: CodeStore())
    do throws(ExecutionError) {
      let outcome = try executor.execute(random.block, on: &state)
      return RandomBlock.Result(outcome: outcome, allocation: source.after(state.delta))
    } catch {
      return RandomBlock.Result(error: "\(error)")
    }
  }

  /// A state that is read account by account, by several threads, is what it is in memory.
  @Test(arguments: [2, 5])
  func blocksOnASourceGiveWhatTheyGiveInMemory(threads: Int) {
    var options = ParallelExecutor.Options(threads: threads)
    options.isForced = true
    let parallel = ParallelExecutor(options)
    let serial = SerialExecutor()
    for seed in UInt64(0)..<300 {
      let random = RandomBlock(seed: seed &* 7 &+ UInt64(threads))
      let expected = random.run(serial)
      parallel.delays = seed % 2 == 0 ? nil : ScheduleDelays(seed: seed)
      for (name, executor) in [("serial", serial as any BlockExecutor), ("parallel", parallel)] {
        let difference = RandomBlock.difference(expected, run(random, executor))
        #expect(difference == nil, "seed \(seed), \(name): \(difference ?? "")")
        if difference != nil { return }
      }
    }
    #expect(parallel.totals.executions > 0)
  }
}
