"""What every room stands on: faults, messages, requests, vectors, money, paths.

It imports no other room.
For the rooms above: errors.InputError, messages, request.Query, vectors.normalize, money.
"""
