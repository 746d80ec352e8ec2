"""Lua scripts, each of which Redis runs atomically. Each uses the keys of one slot, so that it runs in a Cluster."""

from __future__ import annotations

from .node import Script

__all__ = [
    "ADD_PENDING",
    "APPROVE",
    "COUNT_WRONG_VERIFIER",
    "CREATE",
    "DENY",
    "FORGET_ENDED",
    "INSERT_NONCES",
    "MARK_EXCHANGED",
    "REMOVE_PENDING",
    "TAKE",
    "UNMARK_EXCHANGED",
]

# The arguments are the lifetimes of the keys, in seconds. Returns a string with a digit for each key: 1 if it is new.
# The value is "1" and not "": older servers share one object among all keys whose value is a small number.
INSERT_NONCES = Script(
    """local fresh = {}
for i, key in ipairs(KEYS) do
  fresh[i] = redis.call('SET', key, '1', 'NX', 'EX', ARGV[i]) and '1' or '0'
end
return table.concat(fresh)"""
)

CREATE = Script(
    """if redis.call('HEXISTS', KEYS[1], 'ended') == 1 then redis.call('DEL', KEYS[1]) end
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1"""
)

# In the following scripts ARGV[1] is the provider. Credentials of another provider count as absent. For a missing key
# HGET returns false.
APPROVE = Script(
    """if redis.call('HGET', KEYS[1], 'provider') ~= ARGV[1] or redis.call('HEXISTS', KEYS[1], 'verifier') == 1 then
  return 0
end
redis.call('HSET', KEYS[1], 'user_id', ARGV[2], 'verifier', ARGV[3], 'scope', ARGV[4])
return 1"""
)

# Scripts that end credentials return their client, whose number of pending credentials then decreases; false if there
# were no credentials. What has ended stays until it expires, so that its client can be told. It has no provider any
# more, so no other script finds it, nor does an earlier release.
_END = """local client_id = redis.call('HGET', KEYS[1], 'client_id')
redis.call('HSET', KEYS[1], 'ended', ARGV[1])
redis.call('HDEL', KEYS[1], 'provider')
return client_id or ''"""

DENY = Script(
    """if redis.call('HGET', KEYS[1], 'provider') ~= ARGV[1] or redis.call('HEXISTS', KEYS[1], 'verifier') == 1 then
  return false
end
"""
    + _END
)

TAKE = Script("if redis.call('HGET', KEYS[1], 'provider') ~= ARGV[1] then return false end\n" + _END)

FORGET_ENDED = Script("return redis.call('HEXISTS', KEYS[1], 'ended') == 1 and redis.call('DEL', KEYS[1])")

# A client's pending credentials are counted in a key of their own, since they may be on different nodes. The key
# expires after the lifetime of temporary credentials, so a count that a crash has left too high does not last.
ADD_PENDING = Script(
    """local pending = tonumber(redis.call('GET', KEYS[1]) or '0')
if pending >= tonumber(ARGV[1]) then return 0 end
if pending > 0 then redis.call('INCR', KEYS[1]) else redis.call('SET', KEYS[1], '1', 'PX', ARGV[2]) end
return 1"""
)

REMOVE_PENDING = Script(
    """if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then return redis.call('DECR', KEYS[1]) end
return 0"""
)

COUNT_WRONG_VERIFIER = Script(
    """if redis.call('HGET', KEYS[1], 'provider') ~= ARGV[1] then return -1 end
return redis.call('HINCRBY', KEYS[1], 'wrong_verifiers', 1)"""
)

# Without an expiry: only a server that may evict any key evicts these.
MARK_EXCHANGED = Script("return redis.call('SET', KEYS[1], '1', 'NX') and 1 or 0")

UNMARK_EXCHANGED = Script("return redis.call('DEL', KEYS[1])")
