import Coprocessors
import Dispatch
package import EVM
package import Ethereum
package import Execution

/// The stages of a profiled block on a machine of lanes: `senders`, `orderedRoot`, and the state's root.
package final class DeviceStages: ProfileStages {
  package let backEnd: String
  private let machine: any CoprocessorMachine
  private let backEnds: [String: LaneBackEnd]
  private let state: ResidentState

  /// Stages on a machine that nobody else uses.
  package init(_ machine: any CoprocessorMachine) {
    backEnd = machine.name
    self.machine = machine
    backEnds = Dictionary(
      uniqueKeysWithValues: LaneBackEnd.all(on: machine).map { ($0.coprocessor, $0) })
    state = ResidentState(on: machine)
  }

  package func senders(_ transactions: [[UInt8]]) throws(ExecutionError) -> ([Address?], StageCost)
  {
    let (results, cost) = try run("senders", ByteColumn(transactions))
    let senders = transactions.indices.map { row in
      results[row].map { Address(UInt256(bigEndian: $0, count: 20)) }
    }
    return (senders, cost)
  }

  package func orderedRoot(_ items: [[UInt8]]) throws(ExecutionError) -> (Hash256, StageCost) {
    let (results, cost) = try run(
      "orderedRoot", ByteColumn([OrderedRootCoprocessor.request(items)]))
    guard let root = results[0] else {
      throw ExecutionError(.device, "\(backEnd): orderedRoot refuses a list of items")
    }
    return (Hash256(UInt256(bigEndian: root)), cost)
  }

  package func stateRoot(_ state: Allocation) throws(ExecutionError) -> (Hash256, StageCost) {
    do throws(CoprocessorError) {
      let before = machine.bytesMoved
      self.state.removeAll()
      let changes = try self.state.prepare(RootSuites.changes(from: Allocation(), to: state))
      try machine.finish()
      let start = DispatchTime.now().uptimeNanoseconds
      let root = try self.state.apply(changes)
      return (
        root,
        StageCost(
          deviceNanoseconds: DispatchTime.now().uptimeNanoseconds - start,
          bytesMoved: machine.bytesMoved - before)
      )
    } catch {
      throw ExecutionError(.device, error.message)
    }
  }

  private func run(_ name: String, _ requests: ByteColumn) throws(ExecutionError)
    -> (CoprocessorResults, StageCost)
  {
    guard let backEnd = backEnds[name] else { preconditionFailure("\(name) has lanes") }
    do throws(CoprocessorError) {
      let (results, time, bytes) = try backEnd.watchedRun(requests)
      return (results, StageCost(deviceNanoseconds: time, bytesMoved: bytes))
    } catch {
      throw ExecutionError(.device, error.message)
    }
  }
}
