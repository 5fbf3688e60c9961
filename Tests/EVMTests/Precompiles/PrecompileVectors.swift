import Foundation
import TestSupport
import Testing

@testable import EVM

/// One entry of go-ethereum's `core/vm/testdata/precompiles`: of a file of known answers, or of a
/// `fail-` file.
struct PrecompileVector: Decodable {
  let name: String
  let input: String
  let expected: String?
  let expectedError: String?
  let gas: Int64?

  enum CodingKeys: String, CodingKey {
    case name = "Name"
    case input = "Input"
    case expected = "Expected"
    case expectedError = "ExpectedError"
    case gas = "Gas"
  }
}

/// The result of a precompile with its output.
enum PrecompileResult: Equatable {
  case success([UInt8])
  case failure
}

typealias PrecompileGas = (UnsafeBufferPointer<UInt8>, Fork) -> Int64
typealias PrecompileRun = (
  UnsafeBufferPointer<UInt8>, UnsafeMutablePointer<UInt8>, Fork, inout Arena
) -> PrecompileOutcome

/// Runs a precompile as the machine does: a small scratch arena first, a larger one when it says
/// `workspaceExhausted`. Records an issue when it writes past its room or keeps scratch.
func runPrecompile(
  _ input: [UInt8], fork: Fork, outputCapacity: Int? = nil, run: PrecompileRun
) -> PrecompileResult {
  let room = outputCapacity ?? (input.count + 256)
  let guardBytes = 64
  var output = [UInt8](repeating: 0xA5, count: room + guardBytes)
  var scratchBytes = 4096
  while true {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: scratchBytes, alignment: 16)
    defer { memory.deallocate() }
    var arena = Arena(base: memory, capacity: scratchBytes)
    let outcome = input.withUnsafeBufferPointer { bytes in
      output.withUnsafeMutableBufferPointer { room in
        // The array is never empty: it has the guard bytes.
        run(bytes, room.baseAddress.unsafelyUnwrapped, fork, &arena)
      }
    }
    #expect(arena.used == 0, "scratch was not given back")
    #expect(output[room...].allSatisfy { $0 == 0xA5 }, "wrote past the output's room")
    switch outcome {
    case .success(let count):
      #expect(count >= 0 && count <= room)
      return .success(Array(output[..<count]))
    case .failure:
      return .failure
    case .workspaceExhausted:
      scratchBytes *= 4
      if scratchBytes > 1 << 28 {
        Issue.record("asks for more than 256 MiB of scratch")
        return .failure
      }
    }
  }
}

/// The gas of a precompile for an input.
func precompileGas(_ input: [UInt8], fork: Fork, gas: PrecompileGas) -> Int64 {
  input.withUnsafeBufferPointer { gas($0, fork) }
}

/// Checks every entry of a go-ethereum vector file (`precompiles/` in the fixtures): output and
/// gas, or failure for a `fail-` file. Pass `checksGas: false` where a file's gas is of another
/// fork.
func checkVectors(
  file: String, fork: Fork, checksGas: Bool = true, gas: PrecompileGas, run: PrecompileRun
) throws {
  let url = Fixtures.folder.appendingPathComponent("precompiles").appendingPathComponent(file)
  let vectors = try JSONDecoder().decode([PrecompileVector].self, from: Data(contentsOf: url))
  #expect(!vectors.isEmpty)
  for vector in vectors {
    let input = try #require(bytes(hexadecimal: vector.input), "\(file): \(vector.name)")
    let result = runPrecompile(input, fork: fork, run: run)
    if vector.expectedError != nil {
      #expect(result == .failure, "\(file): \(vector.name)")
      continue
    }
    let expected = try #require(
      bytes(hexadecimal: vector.expected ?? ""), "\(file): \(vector.name)")
    #expect(result == .success(expected), "\(file): \(vector.name)")
    if checksGas, let expectedGas = vector.gas {
      #expect(
        precompileGas(input, fork: fork, gas: gas) == expectedGas, "\(file): \(vector.name)")
    }
  }
}

/// The bytes that a string of hexadecimal digits writes, with or without `0x`; `nil` for anything
/// else.
func bytes(hexadecimal text: String) -> [UInt8]? {
  var digits = Substring(text).utf8
  if text.hasPrefix("0x") { digits = digits.dropFirst(2) }
  guard digits.count % 2 == 0 else { return nil }
  var result: [UInt8] = []
  result.reserveCapacity(digits.count / 2)
  var high: UInt8?
  for digit in digits {
    let value: UInt8
    switch digit {
    case 48...57: value = digit - 48
    case 65...70: value = digit - 55
    case 97...102: value = digit - 87
    default: return nil
    }
    if let upper = high {
      result.append(upper << 4 | value)
      high = nil
    } else {
      high = value
    }
  }
  return result
}

/// Lower-case hexadecimal digits of bytes.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  var text: [UInt8] = []
  for byte in bytes {
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
  }
  return String(decoding: text, as: UTF8.self)
}
