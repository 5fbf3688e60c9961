@testable import EVM

/// A test world's machines with results kept in registers: what a device does with a stack in local
/// memory (`LocalPlace`).
struct KeepingView: StateView {
  typealias Stack = KeepingPlace

  let world: TestWorld

  func readAccount(_ address: Address, into record: inout AccountRecord) -> Bool {
    world.readAccount(address, into: &record)
  }

  func readStorage(
    _ address: Address, place: UInt32, slot: UInt256, into record: inout StorageRecord
  ) -> Bool {
    world.readStorage(address, place: place, slot: slot, into: &record)
  }

  func readCode(_ hash: Hash256, of address: Address, place: UInt32, into code: inout Code)
    -> Bool
  {
    world.readCode(hash, of: address, place: place, into: &code)
  }

  func readBlockHash(_ number: UInt64, into hash: inout Hash256) -> Bool {
    world.readBlockHash(number, into: &hash)
  }
}

/// A place anywhere in memory, whose machine keeps results.
struct KeepingPlace: StackPlace {
  private let place: PointerPlace

  static var keepsResults: Bool { true }

  init(_ pointer: UnsafeMutableRawPointer) { place = PointerPlace(pointer) }

  var words: UnsafeMutablePointer<UInt256> { place.words }

  var pointee: UInt256 {
    get { place.pointee }
    nonmutating set { place.pointee = newValue }
  }

  static func write(
    _ target: KeepingPlace, _ first: KeepingPlace, _ limb: (Int, UInt64) -> UInt64
  ) {
    PointerPlace.write(target.place, first.place, limb)
  }

  static func write(
    _ target: KeepingPlace, _ first: KeepingPlace, _ second: KeepingPlace,
    _ limb: (UInt64, UInt64) -> UInt64
  ) {
    PointerPlace.write(target.place, first.place, second.place, limb)
  }

  static func exchange(_ first: KeepingPlace, _ second: KeepingPlace) {
    PointerPlace.exchange(first.place, second.place)
  }

  static func + (place: KeepingPlace, bytes: Int) -> KeepingPlace {
    KeepingPlace(UnsafeMutableRawPointer(place.words) + bytes)
  }

  func distance(from base: KeepingPlace) -> Int { place.distance(from: base.place) }
}
