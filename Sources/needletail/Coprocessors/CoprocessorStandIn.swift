import Coprocessors
import EVM

/// A coprocessor that is another one, but for what it says itself.
protocol CoprocessorStandIn: Coprocessor {
  /// The other one.
  var operation: any Coprocessor { get }
}

extension CoprocessorStandIn {
  var name: String { operation.name }
  var requestLimit: Int { operation.requestLimit }
  var knownAnswers: [KnownAnswer] { operation.knownAnswers }
  var edgeRequests: ByteColumn { operation.edgeRequests }

  func reference(_ request: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    operation.reference(request)
  }

  func typicalRequests(_ count: Int, seed: UInt64) -> ByteColumn {
    operation.typicalRequests(count, seed: seed)
  }
}
