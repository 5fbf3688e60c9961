package import EVM
import Ethereum

/// Accounts whose secret keys everybody knows: for development chains alone.
package struct DevelopmentAccounts: Sendable {
  /// The addresses in their order.
  package let addresses: [Address]
  private let keys: [Address: UInt256]

  /// No accounts.
  package static let none = DevelopmentAccounts(keys: [])

  /// The first ten accounts of the mnemonic "test test test test test test test test test test test
  /// junk", at m/44'/60'/0'/0/0 and on, which Hardhat, Foundry and others fund in their development
  /// chains.
  package static let standard = DevelopmentAccounts(
    keys: [
      "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
      "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
      "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
      "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
      "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
      "8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
      "92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
      "4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
      "dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
      "2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
    ].compactMap { UInt256(hexadecimal: "0x" + $0) })

  private init(keys: [UInt256]) {
    var addresses: [Address] = []
    var table: [Address: UInt256] = [:]
    for key in keys {
      // The address of a key is the signer of anything that the key signs.
      guard let signature = Secp256k1.sign(hash: .emptyCode, secret: key),
        let address = Secp256k1.recover(
          hash: .emptyCode, r: signature.r, s: signature.s, yParity: signature.yParity)
      else { continue }
      addresses.append(address)
      table[address] = key
    }
    self.addresses = addresses
    self.keys = table
  }

  /// The secret key of an account.
  package func key(of address: Address) -> UInt256? { keys[address] }
}
