import NIOHTTP1

/// Who may ask: by the host that a request names, the page that it comes from and its token.
enum RequestAdmission {
  /// Why a request is not answered, if it is not.
  static func refusal(
    _ head: HTTPRequestHead, _ options: HTTPServer.Options
  ) -> (status: HTTPResponseStatus, reason: String)? {
    if !options.hosts.contains("*"), let host = head.headers.first(name: "host") {
      let name = name(host)
      let isNumeric =
        name.allSatisfy { $0.isNumber || $0 == "." || $0 == ":" } || name.contains(":")
      if !isNumeric && !options.hosts.contains(name.lowercased()) {
        return (.forbidden, "invalid host specified")
      }
    }
    if let origin = head.headers.first(name: "origin"), !options.origins.contains("*"),
      !options.origins.contains(origin)
    {
      // What a page may read of an answer is up to the browser; a WebSocket it opens to anywhere.
      if head.headers.contains(name: "upgrade") { return (.forbidden, "invalid origin specified") }
      // JSON a page sends nowhere before the browser has asked; plain text and forms it does.
      let type = head.headers.first(name: "content-type") ?? ""
      if head.method == .POST, !type.lowercased().hasPrefix("application/json") {
        return (
          .forbidden,
          "a page of \(origin.prefix(100)) may not send this; --http-origins allows it\n"
        )
      }
    }
    if let secret = options.secret {
      guard let token = head.headers.first(name: "authorization"), token.hasPrefix("Bearer ") else {
        return (.unauthorized, "missing token")
      }
      let now = WallClock.seconds
      if let reason = WebToken.fault(String(token.dropFirst(7)), secret: secret, now: now) {
        return (.unauthorized, reason)
      }
    }
    return nil
  }

  /// A host without its port.
  private static func name(_ host: String) -> String {
    if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
      return String(host[host.index(after: host.startIndex)..<end])
    }
    return String(host.prefix { $0 != ":" })
  }
}
