import EVM
package import Ethereum

extension BlockProfile {
  /// The profile of one of the transactions alone, by its place or its hash.
  package func only(_ wanted: String) -> BlockProfile? {
    guard
      let executed = transactions.first(where: {
        "\($0.index)" == wanted || $0.hash.description == wanted.lowercased()
      })
    else { return nil }
    var profile = self
    profile.name += ", transaction \(executed.index) \(executed.hash)"
    profile.gasUsed = executed.gasUsed
    profile.gasRefunded = executed.gasRefunded
    profile.rows = executed.rows
    profile.transactions = [executed]
    profile.call = executed.call
    profile.watchedNanoseconds = executed.rows.reduce(0) { $0 + $1.nanoseconds }
    profile.notes = []
    return profile
  }

  /// Writes the profile as an object.
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("name", name)
      writer.member("fork", fork.name)
      writer.member("gasUsed", gasUsed)
      writer.member("gasRefunded", gasRefunded)
      writer.member("nanoseconds", nanoseconds)
      writer.member("watchedNanoseconds", watchedNanoseconds)
      writer.member("repeats", repeats)
      writer.key("coprocessorShareOfGas")
      writer.value(coprocessorShareOfGas)
      writer.key("coprocessorShareOfTime")
      writer.value(coprocessorShareOfTime)
      write(rows, whole: nanoseconds, to: &writer)
      writer.key("notes")
      writer.array { writer in for note in notes { writer.value(note) } }
      writer.key("transactions")
      writer.array { writer in
        for executed in transactions {
          writer.object { writer in
            writer.member("index", executed.index)
            writer.member("hash", executed.hash)
            writer.member("status", "\(executed.status)")
            writer.member("gasUsed", executed.gasUsed)
            writer.member("gasRefunded", executed.gasRefunded)
            writer.member("nanoseconds", executed.nanoseconds)
            write(executed.rows, whole: nil, to: &writer)
          }
        }
      }
    }
  }

  /// Writes rows; those of a whole have the time if the bucket were free.
  private func write(_ rows: [ProfileRow], whole: UInt64?, to writer: inout JSONWriter) {
    writer.key("rows")
    writer.array { writer in
      for row in rows {
        writer.object { writer in
          writer.member("bucket", row.bucket.name)
          writer.member("kind", row.bucket.kind.rawValue)
          writer.member("backEnd", row.backEnd)
          writer.member("calls", row.calls)
          writer.member("units", row.units)
          if let unit = row.bucket.unit { writer.member("unit", unit) }
          writer.member("gas", row.gas)
          writer.member("hostNanoseconds", row.hostNanoseconds)
          writer.member("deviceNanoseconds", row.deviceNanoseconds)
          writer.member("bytesMoved", row.bytesMoved)
          if whole != nil { writer.member("nanosecondsIfFree", nanoseconds(without: row)) }
        }
      }
    }
  }
}
