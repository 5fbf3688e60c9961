import ArgumentParser
import Dispatch
import EVM
import Ethereum
import Foundation
import Node
import Synchronization

/// What a node does for its chain.
enum NodeRole: String, ExpressibleByArgument, CaseIterable {
  /// Makes the blocks.
  case sequencer
  /// Executes another's blocks and compares.
  case watcher
  /// Does so, and relays transactions to the sequencer.
  case forwarder
}

/// How a node ends.
final class NodeEnding: Sendable {
  /// Signalled when it is time.
  let semaphore = DispatchSemaphore(value: 0)
  private let failure = Atomic(false)

  /// Whether it ends because a block was wrong.
  var hasFailed: Bool { failure.load(ordering: .relaxed) }

  func fail() {
    failure.store(true, ordering: .relaxed)
    semaphore.signal()
  }
}

extension NodeCommand {
  func validateRole() throws {
    let follows = role == .watcher || role == .forwarder
    if dev && follows { throw ValidationError("--dev makes blocks; a \(role!) follows others'") }
    if follows && enginePort != nil {
      throw ValidationError("--engine-port: a \(role!) follows a feed, not a consensus client")
    }
    if role == .watcher && feed == nil { throw ValidationError("--feed is needed by a watcher") }
    if role == .forwarder && sequencer == nil {
      throw ValidationError("--sequencer is needed by a forwarder")
    }
    if feed != nil && !follows {
      throw ValidationError("--feed is for --role watcher and forwarder")
    }
    if feedParts && !follows {
      throw ValidationError("--feed-parts is for --role watcher and forwarder")
    }
    if let partTime {
      guard let blockTime, (1..<blockTime).contains(partTime) else {
        throw ValidationError("--part-time: \(partTime) is not from 1 to below --block-time")
      }
    }
    if sequencer != nil && role != .forwarder {
      throw ValidationError("--sequencer is for --role forwarder")
    }
    if let feedSigner, Address(hexadecimal: feedSigner) == nil {
      throw ValidationError("--feed-signer: \(feedSigner) is no address")
    }
    _ = try address(feed, "--feed", path: "/feed")
    _ = try address(sequencer, "--sequencer", path: "/")
  }

  private func address(_ text: String?, _ option: String, path: String) throws -> NodeAddress? {
    guard let text else { return nil }
    guard let address = NodeAddress(text, path: path) else {
      throw ValidationError(
        "\(option): \(text) is not ws://HOST:PORT; TLS is up to a proxy on this side")
    }
    return address
  }

  /// Sets what the role asks for.
  func setRole(_ options: inout NodeService.Options, _ folder: String, _ ending: NodeEnding) throws
  {
    let note: @Sendable (String) -> Void = { Terminal.note("needletail: \($0)") }
    options.note = note
    if let ingestPort {
      var ingest = IngestServer.Options()
      ingest.host = httpHost
      ingest.port = ingestPort
      options.ingest = ingest
    }
    if options.sequencer != nil {
      options.signer = try signer(folder)
      return
    }
    guard role == .watcher || role == .forwarder else { return }
    var source = try address(feed, "--feed", path: "/feed")
    if role == .forwarder {
      let sequencer = try address(sequencer, "--sequencer", path: "/")
      options.sequencerAddress = sequencer
      // A forwarder's feed is its sequencer's, unless told otherwise.
      if source == nil, var own = sequencer {
        own.path = "/feed"
        source = own
      }
    }
    guard let source else { return }
    var follower = FeedFollower.Options(feed: source, folder: folder)
    follower.signer = feedSigner.flatMap { Address(hexadecimal: $0) }
    follower.note = note
    follower.wantsParts = feedParts
    let exits = exitOnDifference
    follower.ended = { reason in
      note(reason)
      if exits { ending.fail() }
    }
    options.follower = follower
  }

  /// The key that signs the feed; a new one is kept in the chain's folder.
  private func signer(_ folder: String) throws -> FeedSigner {
    let path = feedKey ?? folder + "/feed.key"
    if FileManager.default.fileExists(atPath: path) {
      let text = try String(contentsOfFile: path, encoding: .utf8)
        .trimmingCharacters(in: .whitespacesAndNewlines)
      guard let secret = UInt256(hexadecimal: text), let signer = FeedSigner(secret: secret) else {
        throw ValidationError("\(path): a key is 0x and 64 hexadecimal digits")
      }
      return signer
    }
    if feedKey != nil { throw ValidationError("--feed-key: there is no \(path)") }
    let signer = FeedSigner.random()
    try NewFolder.make(folder)
    guard
      FileManager.default.createFile(
        atPath: path, contents: Data(signer.text.utf8),
        attributes: [.posixPermissions: 0o600])
    else { throw ValidationError("\(path) can not be written") }
    return signer
  }
}
