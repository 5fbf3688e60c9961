import Ethereum

extension MethodSignature {
  /// Reads a line of the table.
  init?(line: String) {
    guard let open = line.firstIndex(of: "("), let close = line.firstIndex(of: ")"),
      let bar = line.range(of: " | "), let arrow = line.range(of: " -> ")
    else { return nil }
    name = String(line[..<open])
    summary = String(line[bar.upperBound...])
    guard let result = ValueKind(rawValue: String(line[arrow.upperBound..<bar.lowerBound])) else {
      return nil
    }
    self.result = result
    parameters = []
    for part in line[line.index(after: open)..<close].split(separator: ",") {
      let words = part.split(separator: ":")
      guard words.count == 2, let kind = ValueKind(rawValue: words[1].filter { $0 != " " }) else {
        return nil
      }
      let name = words[0].filter { $0 != " " && $0 != "?" }
      parameters.append(Parameter(name: name, kind: kind, isRequired: !words[0].contains("?")))
    }
  }

  /// Throws where a request's parameters are not the method's.
  func check(_ given: Parameters) throws(RPCError) {
    guard given.count <= parameters.count else {
      throw .invalidParameters("too many arguments, want at most \(parameters.count)")
    }
    for (index, parameter) in parameters.enumerated() {
      guard let value = given[index] else {
        if parameter.isRequired {
          throw .invalidParameters(
            "missing value for required argument \(index) (\(parameter.name))")
        }
        continue
      }
      do throws(RPCError) { try parameter.kind.check(value) } catch {
        throw RPCError(
          error.code, "invalid argument \(index) (\(parameter.name)): \(error.message)",
          data: error.data)
      }
    }
  }
}

extension MethodTable {
  /// The description of the methods that a port has, as OpenRPC 1.3.2 (spec.open-rpc.org).
  static func write(_ names: [String], to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("openrpc", "1.3.2")
      writer.key("info")
      writer.object { writer in
        writer.member("title", "Needletail JSON-RPC")
        writer.member("version", "0.1.0")
      }
      writer.key("methods")
      writer.array { writer in
        for name in names {
          if let signature = signatures[name] { signature.write(to: &writer) }
        }
      }
    }
  }
}

extension MethodSignature {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("name", name)
      writer.member("summary", summary)
      writer.member("paramStructure", "by-position")
      writer.key("params")
      writer.array { writer in
        for parameter in parameters {
          writer.object { writer in
            writer.member("name", parameter.name)
            writer.member("required", parameter.isRequired)
            writer.key("schema")
            writer.value(encoded: [UInt8](parameter.kind.schema.utf8))
          }
        }
      }
      writer.key("result")
      writer.object { writer in
        writer.member("name", "result")
        writer.key("schema")
        writer.value(encoded: [UInt8](result.schema.utf8))
      }
    }
  }
}
