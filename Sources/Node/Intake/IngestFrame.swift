package import NIOCore

/// A batch of raw transactions on the ingest socket. Numbers are big-endian.
///
/// ```
/// length 4 | batch 8 | count 4 | count times: length 4, transaction
/// ```
///
/// The length is that of all that follows it; the batch's number is the client's own.
package struct IngestBatch: Sendable {
  /// The client's number.
  package var id: UInt64
  /// The transactions as they were signed.
  package var transactions: [[UInt8]]

  /// A batch of transactions.
  package init(id: UInt64, transactions: [[UInt8]]) {
    self.id = id
    self.transactions = transactions
  }

  /// What a batch may have.
  package struct Limits: Sendable {
    /// Bytes of a frame.
    package var bytes = 4 << 20
    /// Transactions of a frame.
    package var transactions = 10_000
    /// Bytes of a transaction.
    package var transactionBytes = 128 << 10

    /// The limits of a node that anybody may send to.
    package init() {}
  }

  /// Why a frame is refused: the connection ends.
  package struct Fault: Error, Equatable {
    /// What is wrong.
    package var message: String
  }

  /// The frame.
  package var encoded: ByteBuffer {
    let size = transactions.reduce(12) { $0 + 4 + $1.count }
    var buffer = ByteBuffer()
    buffer.reserveCapacity(size + 4)
    buffer.writeInteger(UInt32(size))
    buffer.writeInteger(id)
    buffer.writeInteger(UInt32(transactions.count))
    for transaction in transactions {
      buffer.writeInteger(UInt32(transaction.count))
      buffer.writeBytes(transaction)
    }
    return buffer
  }

  /// Reads the next frame of a stream; `nil` where more bytes belong to it.
  static func read(_ buffer: inout ByteBuffer, _ limits: Limits) throws(Fault) -> IngestBatch? {
    guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self) else {
      return nil
    }
    guard Int(length) <= limits.bytes else {
      throw Fault(message: "a frame of \(length) bytes has more than \(limits.bytes)")
    }
    guard length >= 12 else { throw Fault(message: "a frame of \(length) bytes has less than 12") }
    guard buffer.readableBytes >= 4 + Int(length) else { return nil }
    buffer.moveReaderIndex(forwardBy: 4)
    guard var frame = buffer.readSlice(length: Int(length)),
      let id = frame.readInteger(as: UInt64.self), let count = frame.readInteger(as: UInt32.self)
    else { return nil }
    guard Int(count) <= limits.transactions else {
      throw Fault(message: "a batch of \(count) transactions has more than \(limits.transactions)")
    }
    var transactions: [[UInt8]] = []
    transactions.reserveCapacity(min(Int(count), frame.readableBytes / 4))
    for index in 0..<Int(count) {
      guard let size = frame.readInteger(as: UInt32.self) else {
        throw Fault(message: "the frame ends before transaction \(index) of \(count)")
      }
      guard Int(size) <= limits.transactionBytes else {
        throw Fault(
          message: "transaction \(index) has \(size) bytes, more than \(limits.transactionBytes)")
      }
      guard let bytes = frame.readBytes(length: Int(size)) else {
        throw Fault(message: "the frame ends inside transaction \(index) of \(count)")
      }
      transactions.append(bytes)
    }
    guard frame.readableBytes == 0 else {
      throw Fault(message: "\(frame.readableBytes) bytes follow the last transaction")
    }
    return IngestBatch(id: id, transactions: transactions)
  }
}

/// What came of a batch.
///
/// ```
/// length 4 | status 1 | batch 8 | accepted 4 | refused 4 | errors 2 | errors times: place 4, length 2, text
/// ```
///
/// The status is 0 when the batch was taken, and 1 when the frame was malformed: then the one error says
/// how, and the connection ends. The errors are the first ones.
package struct IngestAcknowledgement: Sendable, Equatable {
  /// Whether the frame was malformed.
  package var isMalformed = false
  /// The batch.
  package var id: UInt64
  /// Transactions that were taken in.
  package var accepted = 0
  /// Transactions that were not.
  package var refused = 0
  /// Why, of the first ones: their place in the batch, and the reason.
  package var errors: [(index: Int, message: String)] = []

  /// So many errors are told.
  static let errorLimit = 16

  init(id: UInt64) { self.id = id }

  package static func == (a: Self, b: Self) -> Bool {
    a.isMalformed == b.isMalformed && a.id == b.id && a.accepted == b.accepted
      && a.refused == b.refused && a.errors.elementsEqual(b.errors, by: ==)
  }

  var encoded: ByteBuffer {
    var body = ByteBuffer()
    body.writeInteger(UInt8(isMalformed ? 1 : 0))
    body.writeInteger(id)
    body.writeInteger(UInt32(accepted))
    body.writeInteger(UInt32(refused))
    body.writeInteger(UInt16(errors.count))
    for error in errors {
      let text = [UInt8](error.message.utf8.prefix(1000))
      body.writeInteger(UInt32(error.index))
      body.writeInteger(UInt16(text.count))
      body.writeBytes(text)
    }
    var buffer = ByteBuffer()
    buffer.writeInteger(UInt32(body.readableBytes))
    buffer.writeBuffer(&body)
    return buffer
  }

  /// Reads the next acknowledgement of a stream; `nil` where more bytes belong to it, or it is none.
  package init?(_ buffer: inout ByteBuffer) {
    guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self),
      buffer.readableBytes >= 4 + Int(length)
    else { return nil }
    buffer.moveReaderIndex(forwardBy: 4)
    guard var body = buffer.readSlice(length: Int(length)),
      let status = body.readInteger(as: UInt8.self), let id = body.readInteger(as: UInt64.self),
      let accepted = body.readInteger(as: UInt32.self),
      let refused = body.readInteger(as: UInt32.self), let count = body.readInteger(as: UInt16.self)
    else { return nil }
    isMalformed = status != 0
    self.id = id
    self.accepted = Int(accepted)
    self.refused = Int(refused)
    for _ in 0..<count {
      guard let index = body.readInteger(as: UInt32.self),
        let size = body.readInteger(as: UInt16.self), let text = body.readString(length: Int(size))
      else { return nil }
      errors.append((Int(index), text))
    }
  }
}
