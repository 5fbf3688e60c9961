import EVM
import Ethereum
import NIOCore
import NIOPosix
package import Synchronization

/// The ingest socket: batches of raw transactions in binary frames, each acknowledged. For load that JSON
/// can not carry.
package final class IngestServer: Sendable {
  /// What can be chosen.
  package struct Options: Sendable {
    /// The address to listen on.
    package var host = "127.0.0.1"
    /// The port; zero for any that is free.
    package var port = 8547
    /// Connections at once.
    package var connections = 256
    /// Batches of one connection that are worked on at once; more are not read from it meanwhile.
    package var batches = 2
    /// Seconds after which a connection is closed on which nothing happens.
    package var idleSeconds: Int64 = 120
    /// What a batch may have.
    package var limits = IngestBatch.Limits()

    /// A port of this machine's own.
    package init() {}
  }

  private let channel: any Channel
  // Some batches are recovered while others are made ready or go into the pool.
  private let threads = NIOThreadPool(numberOfThreads: 8)
  /// The port that is listened on.
  package let port: Int
  /// What came in so far.
  package let statistics = IngestStatistics()

  /// Listens until `close`. `take` takes transactions in, on a thread that may wait.
  init(
    _ options: Options, group: any EventLoopGroup,
    take: @escaping @Sendable ([[UInt8]]) -> [Result<Hash256, RPCError>]
  ) throws {
    threads.start()
    let counter = ConnectionCounter(limit: options.connections)
    let threads = threads
    let statistics = statistics
    channel = try ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 256)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
      .childChannelOption(
        .recvAllocator,
        value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 65_536, maximum: 1 << 20)
      )
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard counter.enter() else {
            channel.close(promise: nil)
            return
          }
          channel.closeFuture.whenComplete { _ in counter.leave() }
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(IdleStateHandler(allTimeout: .seconds(options.idleSeconds)))
          try pipeline.addHandler(
            IngestHandler(options, threads: threads, statistics: statistics, take: take))
        }
      }
      .listen(options.host, options.port)
    port = channel.localAddress?.port ?? options.port
  }

  /// Stops listening, and ends what is being worked on.
  package func close() throws {
    try? channel.close().wait()
    try threads.syncShutdownGracefully()
  }
}

/// What came in on the ingest socket.
package final class IngestStatistics: Sendable {
  /// Batches that were taken.
  package let batches = Atomic<UInt64>(0)
  /// Transactions that were accepted.
  package let accepted = Atomic<UInt64>(0)
  /// Transactions that were refused.
  package let refused = Atomic<UInt64>(0)
  /// Connections that ended with a malformed frame.
  package let malformed = Atomic<UInt64>(0)
}

/// One connection.
private final class IngestHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let options: IngestServer.Options
  private let threads: NIOThreadPool
  private let statistics: IngestStatistics
  private let take: @Sendable ([[UInt8]]) -> [Result<Hash256, RPCError>]
  private var buffer = ByteBuffer()
  private var running = 0
  private var holdsRead = false
  private var isRefused = false

  init(
    _ options: IngestServer.Options, threads: NIOThreadPool, statistics: IngestStatistics,
    take: @escaping @Sendable ([[UInt8]]) -> [Result<Hash256, RPCError>]
  ) {
    self.options = options
    self.threads = threads
    self.statistics = statistics
    self.take = take
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isRefused { return }
    var part = unwrapInboundIn(data)
    if buffer.readableBytes == 0 {
      buffer = part
    } else {
      buffer.writeBuffer(&part)
    }
    work(context)
  }

  private func work(_ context: ChannelHandlerContext) {
    while running < options.batches, !isRefused {
      do throws(IngestBatch.Fault) {
        guard let batch = try IngestBatch.read(&buffer, options.limits) else { break }
        run(batch, context)
      } catch {
        refuse(context, error.message)
      }
    }
    if buffer.readerIndex > 1 << 20 || buffer.readableBytes == 0 { buffer.discardReadBytes() }
  }

  private func run(_ batch: IngestBatch, _ context: ChannelHandlerContext) {
    running += 1
    let loop = context.eventLoop
    let bound = NIOLoopBound((self, context), eventLoop: loop)
    threads.submit { [take, statistics] state in
      guard case .active = state else { return }
      var answer = IngestAcknowledgement(id: batch.id)
      for (index, result) in take(batch.transactions).enumerated() {
        switch result {
        case .success: answer.accepted += 1
        case .failure(let error):
          answer.refused += 1
          if answer.errors.count < IngestAcknowledgement.errorLimit {
            answer.errors.append((index, error.message))
          }
        }
      }
      statistics.batches.add(1, ordering: .relaxed)
      statistics.accepted.add(UInt64(answer.accepted), ordering: .relaxed)
      statistics.refused.add(UInt64(answer.refused), ordering: .relaxed)
      let bytes = answer.encoded
      loop.execute {
        let (handler, context) = bound.value
        handler.running -= 1
        guard context.channel.isActive else { return }
        context.writeAndFlush(handler.wrapOutboundOut(bytes), promise: nil)
        handler.work(context)
        handler.resume(context)
      }
    }
  }

  private func refuse(_ context: ChannelHandlerContext, _ message: String) {
    isRefused = true
    statistics.malformed.add(1, ordering: .relaxed)
    buffer.clear()
    var answer = IngestAcknowledgement(id: 0)
    answer.isMalformed = true
    answer.errors = [(0, message)]
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.writeAndFlush(wrapOutboundOut(answer.encoded)).whenComplete { _ in
      bound.value.close(promise: nil)
    }
  }

  /// Whether as much waits as may: then nothing more is read. An acknowledgement that is not read holds
  /// the connection up, too.
  private func isBusy(_ context: ChannelHandlerContext) -> Bool {
    running >= options.batches || !context.channel.isWritable
  }

  func read(context: ChannelHandlerContext) {
    if isBusy(context) { holdsRead = true } else { context.read() }
  }

  private func resume(_ context: ChannelHandlerContext) {
    guard holdsRead, !isBusy(context) else { return }
    holdsRead = false
    context.read()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    resume(context)
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is IdleStateHandler.IdleStateEvent, running == 0 { context.close(promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
