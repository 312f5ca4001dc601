"""The formulae: pure functions of tensors. Nothing here holds weights, opens a file, reads a clock or prints.

Letters, here and everywhere: B batch · T positions that ask · S positions that are asked · D width · H heads ·
K head size · F hidden width · V vocabulary. In a mask True means: may look.
"""
