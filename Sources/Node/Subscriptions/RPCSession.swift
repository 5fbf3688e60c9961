import Ethereum
import Synchronization

/// JSON-RPC on a WebSocket: requests, and what the client is subscribed to.
final class RPCSession: WebSocketConversation {
  private let service: RPCService
  private let access: RPCService.Access
  private let hub: SubscriptionHub
  private let peer: WebSocketPeer
  private let subscriptions = Mutex<Set<String>>([])
  private let willRespond: @Sendable () -> Void

  /// A session of a connection; `willRespond` is called with every message.
  init(
    _ service: RPCService, _ access: RPCService.Access, hub: SubscriptionHub, peer: WebSocketPeer,
    willRespond: @escaping @Sendable () -> Void = {}
  ) {
    self.service = service
    self.access = access
    self.hub = hub
    self.peer = peer
    self.willRespond = willRespond
  }

  func received(_ message: [UInt8], isText: Bool) {
    willRespond()
    let exchange = RPCExchange(session: self)
    let answer = message.withUnsafeBufferPointer {
      service.respond(to: $0, access: access, exchange: exchange)
    }
    if let answer { peer.send(answer, isText: true) }
    // Notifications come after the answer that names the subscription.
    for subscription in exchange.begun { hub.add(subscription) }
  }

  func closed() { hub.remove(subscriptions.withLock { $0 }) }

  fileprivate func subscribe(_ kind: Subscription.Kind) throws(RPCError) -> Subscription {
    let subscription = Subscription(kind, peer: peer)
    let limit = service.limits.subscriptions
    let isAllowed = subscriptions.withLock {
      if $0.count >= limit { return false }
      $0.insert(subscription.id)
      return true
    }
    if !isAllowed { throw .limit("a connection has \(limit) subscriptions at most") }
    return subscription
  }

  fileprivate func unsubscribe(_ id: String) -> Bool {
    guard subscriptions.withLock({ $0.remove(id) != nil }) else { return false }
    hub.remove([id])
    return true
  }
}

/// One message of a session. Used by the thread that answers it.
final class RPCExchange {
  private let session: RPCSession
  /// The subscriptions that begin when the message is answered.
  fileprivate(set) var begun: [Subscription] = []

  init(session: RPCSession) { self.session = session }

  /// The methods that only sessions have.
  static let methodNames: Set<String> = ["eth_subscribe", "eth_unsubscribe"]

  /// Calls one of them.
  func call(
    _ name: String, _ parameters: Parameters, _ writer: inout JSONWriter
  ) throws(RPCError) {
    if name == "eth_subscribe" {
      let subscription = try session.subscribe(try Subscription.Kind(parameters))
      begun.append(subscription)
      writer.value(subscription.id)
    } else {
      let id = try parameters.text(0)
      begun.removeAll { $0.id == id }
      guard session.unsubscribe(id) else { throw .server("subscription not found") }
      writer.value(true)
    }
  }
}
