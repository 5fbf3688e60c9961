# pragma version ~=0.4.3
"""
@title A token of the kind ERC-20, for trying things out
@notice `needletail node --dev --first-batch` deploys it and sends transfers of it.
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

event Approval:
    owner: indexed(address)
    spender: indexed(address)
    amount: uint256

name: public(constant(String[11])) = "Needletail"
symbol: public(constant(String[4])) = "NDL"
decimals: public(constant(uint8)) = 18

totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])


@deploy
def __init__(holders: DynArray[address, 16], each: uint256):
    for holder: address in holders:
        self.balanceOf[holder] += each
        self.totalSupply += each
        log Transfer(sender=empty(address), receiver=holder, amount=each)


@external
def transfer(to: address, amount: uint256) -> bool:
    assert self.balanceOf[msg.sender] >= amount, "more than the sender has"
    self.balanceOf[msg.sender] -= amount
    self.balanceOf[to] += amount
    log Transfer(sender=msg.sender, receiver=to, amount=amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    log Approval(owner=msg.sender, spender=spender, amount=amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    assert self.allowance[owner][msg.sender] >= amount, "more than the owner allows"
    assert self.balanceOf[owner] >= amount, "more than the owner has"
    self.allowance[owner][msg.sender] -= amount
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount
    log Transfer(sender=owner, receiver=to, amount=amount)
    return True
