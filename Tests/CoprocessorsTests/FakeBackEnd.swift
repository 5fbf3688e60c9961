import Synchronization

@testable import Coprocessors

/// A device of the tests: gives the reference's results, until it is told to fail.
final class FakeBackEnd: CoprocessorBackEnd {
  enum Behaviour: Sendable {
    case works
    case fails(CoprocessorError.Code)
    /// Gives a wrong byte in the last row.
    case errs
    case losesRows
  }

  let name = "fake"
  let coprocessor: String
  private let operation: any Coprocessor
  private let behaviour: Mutex<Behaviour>
  private let sizes = Mutex<[Int]>([])

  init(_ operation: any Coprocessor, _ behaviour: Behaviour = .works) {
    coprocessor = operation.name
    self.operation = operation
    self.behaviour = Mutex(behaviour)
  }

  /// Rows of the batches that it was given.
  var batches: [Int] { sizes.withLock { $0 } }

  func become(_ new: Behaviour) { behaviour.withLock { $0 = new } }

  func run(_ requests: ByteColumn) throws(CoprocessorError) -> CoprocessorResults {
    sizes.withLock { $0.append(requests.count) }
    let results = operation.reference(requests)
    switch behaviour.withLock({ $0 }) {
    case .works: return results
    case .fails(let code): throw CoprocessorError(code, "the fake device was told to fail")
    case .losesRows: return results.rows(0..<max(0, results.count - 1))
    case .errs:
      var wrong = results.rows(0..<max(0, results.count - 1))
      wrong.append([0xBA, 0xD0])
      return wrong
    }
  }
}
