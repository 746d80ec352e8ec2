"""What Redis does in one step: Lua scripts, each about one key, so that they run in a Cluster, too."""

from __future__ import annotations

from .node import Script

__all__ = ["APPROVE", "COUNT", "CREATE", "DENY", "GIVE_BACK", "REMEMBER", "TAKE", "TAKE_SHARE"]

# "1" rather than "": older servers share the object of a small number among all keys that have it.
# An argument for each key says how many seconds it lives.
# Returns a string of digits, one for each key: 1 where it is new.
REMEMBER = Script(
    """local fresh = {}
for i, key in ipairs(KEYS) do
  fresh[i] = redis.call('SET', key, '1', 'NX', 'EX', ARGV[i]) and '1' or '0'
end
return table.concat(fresh)"""
)

CREATE = Script(
    """if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1"""
)

# In the others ARGV[1] is the provider. What another provider has made counts as absent; so does what is gone, for
# which HGET answers false.
APPROVE = Script(
    """if redis.call('HGET', KEYS[1], 'provider') ~= ARGV[1] or redis.call('HEXISTS', KEYS[1], 'verifier') == 1 then
  return 0
end
redis.call('HSET', KEYS[1], 'user_id', ARGV[2], 'verifier', ARGV[3])
return 1"""
)

# Those that take credentials away return their client, whose share becomes free; nothing where there were none.
DENY = Script(
    """if redis.call('HGET', KEYS[1], 'provider') ~= ARGV[1] or redis.call('HEXISTS', KEYS[1], 'verifier') == 1 then
  return false
end
local client_id = redis.call('HGET', KEYS[1], 'client_id')
return redis.call('DEL', KEYS[1]) == 1 and (client_id or '')"""
)

TAKE = Script(
    """if redis.call('HGET', KEYS[1], 'provider') ~= ARGV[1] then return false end
local client_id = redis.call('HGET', KEYS[1], 'client_id')
return redis.call('DEL', KEYS[1]) == 1 and (client_id or '')"""
)

# A client's share is one number, since the credentials themselves may be on other nodes. It begins anew after each
# lifetime of temporary credentials, so whatever a crash has left in it is gone by then.
TAKE_SHARE = Script(
    """local pending = tonumber(redis.call('GET', KEYS[1]) or '0')
if pending >= tonumber(ARGV[1]) then return 0 end
if pending > 0 then redis.call('INCR', KEYS[1]) else redis.call('SET', KEYS[1], '1', 'PX', ARGV[2]) end
return 1"""
)

GIVE_BACK = Script(
    """if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then return redis.call('DECR', KEYS[1]) end
return 0"""
)

COUNT = Script(
    """if redis.call('HGET', KEYS[1], 'provider') ~= ARGV[1] then return -1 end
return redis.call('HINCRBY', KEYS[1], 'wrong_verifiers', 1)"""
)
